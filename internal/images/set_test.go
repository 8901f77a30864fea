package images

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func open(t testing.TB, path string) *Set {
	s, err := Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// zipOf returns an archive of the files, in name order.
func zipOf(t testing.TB, method uint16, files map[string][]byte) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		require.NoError(t, err)
		_, err = f.Write(files[name])
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// items returns the names with their labels: "label|name".
func items(s *Set) (out []string) {
	for i := range s.Len() {
		out = append(out, s.Item(i).Label+"|"+s.Item(i).Name)
	}
	return out
}

func TestOpenListsTheSameFromFolderAndZip(t *testing.T) {
	one := pngOf(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	for name, c := range map[string]struct {
		files, want, labels []string
		skipped             int
	}{
		"classes": {[]string{"dog/b.png", "cat/2.PNG", "cat/10.jpeg", "Zebra/x.webp"},
			[]string{"Zebra|Zebra/x.webp", "cat|cat/10.jpeg", "cat|cat/2.PNG", "dog|dog/b.png"}, []string{"Zebra", "cat", "dog"}, 0},
		"flat": {[]string{"b.gif", "a.tif", "c.TIFF", "d.bmp", "e.JPG"}, []string{"|a.tif", "|b.gif", "|c.TIFF", "|d.bmp", "|e.JPG"}, nil, 0},
		"mixed": {[]string{"a.png", "x/b.png", "x/deep/er/c.png", "readme.txt", "x/notes", "y/list.csv"},
			[]string{"|a.png", "x|x/b.png", "x|x/deep/er/c.png"}, []string{"x"}, 3},
		"hidden":     {[]string{"x/a.png", ".png", ".b.png", "x/._a.png", ".git/c.png"}, []string{"x|x/a.png"}, []string{"x"}, 4},
		"one class":  {[]string{"only/a.png", "only/b.png"}, []string{"only|only/a.png", "only|only/b.png"}, []string{"only"}, 0},
		"odd names":  {[]string{"c l a s s/ä #%.png", "日本/x..png"}, []string{"c l a s s|c l a s s/ä #%.png", "日本|日本/x..png"}, []string{"c l a s s", "日本"}, 0},
		"byte order": {[]string{"a/z.png", "a-b/a.png"}, []string{"a-b|a-b/a.png", "a|a/z.png"}, []string{"a", "a-b"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			files := map[string][]byte{}
			for _, f := range c.files {
				files[f] = one
				require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(f)), 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(dir, f), one, 0o644))
			}
			archive := filepath.Join(t.TempDir(), "a.zip")
			require.NoError(t, os.WriteFile(archive, zipOf(t, zip.Deflate, files), 0o644))
			for _, path := range []string{dir, archive} {
				s := open(t, path)
				require.Equal(t, path, s.Path())
				require.Equal(t, c.want, items(s))
				require.Equal(t, c.labels, s.Labels())
				require.Equal(t, c.skipped, s.Skipped())
				for i := range s.Len() {
					_, err := s.Load(i)
					require.NoError(t, err)
				}
			}
		})
	}
}

func TestZipFolders(t *testing.T) {
	one := pngOf(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	for name, c := range map[string]struct{ files, want []string }{
		"top folder":          {[]string{"data/", "data/cat/1.png", "data/dog/2.png", "data/readme.txt"}, []string{"cat|cat/1.png", "dog|dog/2.png"}},
		"two top folders":     {[]string{"a/b/cat/1.png", "a/b/dog/2.png"}, []string{"cat|cat/1.png", "dog|dog/2.png"}},
		"top and a file":      {[]string{"data/0.png", "data/cat/1.png"}, []string{"data|data/0.png", "data|data/cat/1.png"}},
		"one class of a top":  {[]string{"data/cat/1.png", "data/cat/2.png"}, []string{"cat|cat/1.png", "cat|cat/2.png"}},
		"deep in two classes": {[]string{"cat/x/1.png", "dog/x/2.png"}, []string{"cat|cat/x/1.png", "dog|dog/x/2.png"}},
		"Mac":                 {[]string{"d/cat/1.png", "d/dog/2.png", "__MACOSX/d/cat/._1.png"}, []string{"cat|cat/1.png", "dog|dog/2.png"}},
		"backslashes":         {[]string{`d\cat\1.png`, `d\dog\2.png`}, []string{"cat|cat/1.png", "dog|dog/2.png"}},
		"dots and slashes":    {[]string{"./cat/1.png", "/dog//2.png", "../evil/3.png", "ok/../dog/4.png"}, []string{"cat|cat/1.png", "dog|dog/2.png", "dog|dog/4.png"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string][]byte{}
			for _, f := range c.files {
				files[f] = one
				if strings.HasSuffix(f, "/") {
					files[f] = nil
				}
			}
			archive := filepath.Join(t.TempDir(), "named-otherwise") // found by its content
			require.NoError(t, os.WriteFile(archive, zipOf(t, zip.Store, files), 0o644))
			s := open(t, archive)
			require.Equal(t, c.want, items(s))
			_, err := s.Load(0)
			require.NoError(t, err)
		})
	}
}

func TestFolderLinks(t *testing.T) {
	one := pngOf(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	real, dir := t.TempDir(), t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(real, "cat"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(real, "cat", "1.png"), one, 0o644))
	require.NoError(t, os.Symlink(filepath.Join(real, "cat"), filepath.Join(dir, "feline")))
	require.NoError(t, os.Symlink(filepath.Join(real, "cat", "1.png"), filepath.Join(dir, "single.png")))
	require.NoError(t, os.Symlink(dir, filepath.Join(dir, "loop")))
	require.NoError(t, os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "dangling.png")))
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))

	s := open(t, link)
	require.Equal(t, []string{"|dangling.png", "feline|feline/1.png", "|single.png"}, items(s))
	require.Equal(t, 1, s.Skipped(), "the loop")
	_, err := s.Load(0)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "dangling.png: no such file")
	for _, i := range []int{1, 2} {
		_, err := s.Load(i)
		require.NoError(t, err)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(p), 0o755))
		require.NoError(t, os.WriteFile(p, b, 0o644))
		return p
	}
	good := zipOf(t, zip.Store, map[string][]byte{"a.png": make([]byte, 500)})
	const looked = ": no images found (looked for .jpg .jpeg .png .gif .webp .bmp .tif .tiff, and IDX files such as t10k-images-idx3-ubyte.gz)"
	three := filepath.Dir(write("three/a.txt", nil))
	write("three/b/c.csv", nil)
	write("three/.d.png", nil)
	one := filepath.Dir(write("one/a.txt", nil))
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.Mkdir(empty, 0o755))
	for path, want := range map[string]string{
		filepath.Join(dir, "missing"):      "missing: no such file or directory; give a folder, a .zip archive or an image file",
		three:                              three + looked + "; 3 other files were skipped",
		one:                                one + looked + "; 1 other file was skipped",
		empty:                              empty + looked,
		write("cut.zip", good[:300]):       "cut.zip: the zip archive is damaged or cut short (zip: not a valid zip file)",
		write("text.ZIP", []byte("hello")): "text.ZIP: the zip archive is damaged",
		write("empty.zip", nil):            "empty.zip: the zip archive is damaged",
		write("none.zip", zipOf(t, zip.Store, nil)):                                               "none.zip" + looked,
		write("end-cut.bin", good[:len(good)-1]):                                                  "end-cut.bin: the zip archive is damaged",
		write("texts.zip", zipOf(t, zip.Store, map[string][]byte{"a.txt": nil, "b/.c.png": nil})): "texts.zip" + looked + "; 2 other files were skipped",
	} {
		s, err := Open(path)
		require.Nil(t, s)
		require.ErrorContains(t, err, "images: "+dir)
		require.ErrorContains(t, err, want)
	}
	_, err := Open(filepath.Join(dir, "missing"))
	require.True(t, errors.Is(err, fs.ErrNotExist))
}

func TestSingleFile(t *testing.T) {
	s := open(t, "testdata/lossy.webp")
	require.Equal(t, []string{"|lossy.webp"}, items(s))
	require.Empty(t, s.Labels())
	m, err := s.Load(0)
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, 37, 29), m.Bounds())
	require.NoError(t, s.Close())
}

func TestFashionSets(t *testing.T) {
	labels := []string{"0_t-shirt", "1_trouser", "2_pullover", "3_dress", "4_coat", "5_sandal", "6_shirt", "7_sneaker", "8_bag", "9_ankle-boot"}
	b, err := os.ReadFile("../../testdata/fashion/golden_names.txt")
	require.NoError(t, err)
	names := strings.Fields(string(b))
	s := open(t, "../../testdata/fashion/test.zip")
	require.Equal(t, 1000, s.Len())
	require.Equal(t, labels, s.Labels())
	for i, name := range names {
		require.Equal(t, name, s.Item(i).Name)
	}
	c := open(t, "../../testdata/fashion/calib.zip")
	require.Equal(t, 512, c.Len())
	require.Equal(t, labels, c.Labels())
	for _, i := range c.Sample(20, 1) {
		m, err := c.Load(i)
		require.NoError(t, err)
		require.IsType(t, &image.Gray{}, m)
		require.Equal(t, image.Rect(0, 0, 28, 28), m.Bounds())
	}
}

// TestFoldersThatLinkToEachOther: every folder is in each of the root's entries once, however many ways lead to it.
func TestFoldersThatLinkToEachOther(t *testing.T) {
	const n = 12 // 12! ways
	dir := t.TempDir()
	name := func(i int) string { return fmt.Sprintf("%02d", i) }
	for i := range n {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name(i)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name(i), "x.png"), nil, 0o600))
		for j := range n {
			require.NoError(t, os.Symlink(filepath.Join(dir, name(j)), filepath.Join(dir, name(i), "to"+name(j))))
		}
	}
	require.NoError(t, os.Symlink(filepath.Join(dir, name(0)), filepath.Join(dir, "alias")))
	s := open(t, dir)
	require.Equal(t, (n+1)*n, s.Len())
	require.Len(t, s.Labels(), n+1, "two links to one folder are two classes")

	w := folderWalk{set: &Set{path: "tree"}, links: maxLinks}
	require.ErrorContains(t, w.walk(folderPath{path: dir, real: dir, linked: true}), "images: tree: more than 131072 links to folders")
}

// TestUses: what a set was opened from, by any path.
func TestUses(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	picture := pngOf(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	for _, path := range []string{"in/a/x.png", "in/notes.txt", "in/.hidden/y.png", "out/x.png", "real/z.png"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, path), picture, 0o600))
	}
	require.NoError(t, os.Symlink(filepath.Join(dir, "real"), filepath.Join(dir, "in", "b")))
	require.NoError(t, os.Symlink(filepath.Join(dir, "in", "a", "x.png"), filepath.Join(other, "link")))
	s := open(t, filepath.Join(dir, "in"))
	for path, want := range map[string]bool{
		filepath.Join(dir, "in/a/x.png"): true, filepath.Join(dir, "in/notes.txt"): false, filepath.Join(dir, "real/z.png"): true,
		filepath.Join(dir, "in/b/z.png"): true, filepath.Join(other, "link"): true, filepath.Join(dir, "out/x.png"): false,
		filepath.Join(dir, "in/a/new.png"): false, filepath.Join(dir, "in/.hidden/y.png"): false,
	} {
		require.Equal(t, want, s.Uses(path), path)
	}
	require.False(t, s.Single())
	single := open(t, filepath.Join(dir, "in/a/x.png"))
	require.True(t, single.Single())
	require.True(t, single.Uses(filepath.Join(other, "link")))
	require.False(t, single.Uses(filepath.Join(dir, "in/notes.txt")))
}
