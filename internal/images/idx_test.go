package images

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"image"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// idx returns an IDX file of unsigned bytes.
func idx(data []byte, dims ...uint32) []byte {
	b := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, d)
	}
	return append(b, data...)
}

func gzipped(t testing.TB, b []byte) []byte {
	return encode(t, func(to *bytes.Buffer) error {
		w := gzip.NewWriter(to)
		if _, err := w.Write(b); err != nil {
			return err
		}
		return w.Close()
	})
}

// count returns the bytes 0, 1, 2, ...
func count(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// folderOf writes files into a new folder.
func folderOf(t testing.TB, files map[string][]byte) string {
	dir := t.TempDir()
	for name, b := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o644))
	}
	return dir
}

func TestIDX(t *testing.T) {
	gray, colour := idx(count(12*3*2), 12, 2, 3), idx(count(12*3*2*3), 12, 2, 3, 3)
	labels := idx([]byte{5, 0, 255, 3, 3, 3, 3, 3, 3, 3, 3, 9}, 12)
	for name, c := range map[string]struct {
		file, labels string
		images       []byte
		want         []byte // of image 2
	}{
		"plain":            {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", gray, []byte{12, 12, 12, 13, 13, 13, 14, 14, 14, 15, 15, 15, 16, 16, 16, 17, 17, 17}},
		"gzipped":          {"t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", gray, nil},
		"gzipped images":   {"t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte", gray, nil},
		"gzipped labels":   {"train-images.idx3-ubyte", "train-labels.idx1-ubyte.gz", gray, nil},
		"no labels":        {"train-images-idx3-ubyte", "other-labels-idx1-ubyte", gray, nil},
		"unusual name":     {"pictures", "labels", gray, nil},
		"colour":           {"images-idx4-ubyte", "labels-idx1-ubyte", colour, count(54)[36:]},
		"a name in a name": {"x-images-idx3-ubyte-images-idx3-ubyte", "x-images-idx3-ubyte-labels-idx1-ubyte", gray, nil},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string][]byte{c.file: c.images, c.labels: labels}
			for name, b := range files {
				if filepath.Ext(name) == ".gz" {
					files[name] = gzipped(t, b)
				}
			}
			dir := folderOf(t, files)
			s := open(t, filepath.Join(dir, c.file))
			require.Equal(t, 12, s.Len())
			require.Empty(t, s.Labels())
			m, err := s.Load(2)
			require.NoError(t, err)
			if c.want != nil {
				require.Equal(t, c.want, rgb(t, m).Pix)
			}
			require.Equal(t, image.Rect(0, 0, 3, 2), m.Bounds())
			if name == "no labels" || name == "unusual name" {
				require.Empty(t, s.LabelFile())
				require.Equal(t, Item{Name: "02", Class: Unlabelled}, s.Item(2))
				return
			}
			require.Equal(t, filepath.Join(dir, c.labels), s.LabelFile())
			require.Equal(t, Item{Name: "02", Label: "255", Class: 255}, s.Item(2))
			require.Equal(t, Item{Name: "11", Label: "9", Class: 9}, s.Item(11))
			_, err = s.Load(12)
			require.ErrorContains(t, err, "there is no image 12")
			require.NoError(t, s.Close())
		})
	}
}

func TestFolderOfIDX(t *testing.T) {
	b, labels := idx(count(4), 1, 2, 2), idx([]byte{1}, 1)
	zipped := gzipped(t, b)
	for name, c := range map[string]struct {
		files       map[string][]byte
		train, test string
		err         string
	}{
		"MNIST": {map[string][]byte{"train-images-idx3-ubyte.gz": zipped, "t10k-images-idx3-ubyte.gz": zipped, "train-labels-idx1-ubyte": labels},
			"train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz", ""},
		"plain before gzipped": {map[string][]byte{"t10k-images-idx3-ubyte.gz": zipped, "t10k-images-idx3-ubyte": b, "readme": nil},
			"t10k-images-idx3-ubyte", "t10k-images-idx3-ubyte", ""},
		"test":            {map[string][]byte{"emnist-train-images-idx3-ubyte": b, "emnist-test-images-idx3-ubyte": b}, "emnist-train-images-idx3-ubyte", "emnist-test-images-idx3-ubyte", ""},
		"only train":      {map[string][]byte{"train-images-idx3-ubyte": b}, "train-images-idx3-ubyte", "train-images-idx3-ubyte", ""},
		"pictures first":  {map[string][]byte{"a.png": nil, "train-images-idx3-ubyte": b}, "", "", ""},
		"which one?":      {map[string][]byte{"a-images-idx3-ubyte": b, "b-images-idx3-ubyte": b}, "", "", "it holds a-images-idx3-ubyte, b-images-idx3-ubyte: give one of these files"},
		"only labels":     {map[string][]byte{"t10k-labels-idx1-ubyte": labels}, "", "", "no images found (looked for .jpg"},
		"in a sub-folder": {map[string][]byte{"raw/t10k-images-idx3-ubyte": b}, "", "", "IDX files such as t10k-images-idx3-ubyte.gz); 1 other file was skipped"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folderOf(t, c.files)
			for part, want := range map[Part]string{Train: c.train, Test: c.test} {
				s, err := OpenPart(dir, part)
				if c.err != "" {
					require.ErrorContains(t, err, c.err)
					continue
				}
				require.NoError(t, err)
				require.Equal(t, filepath.Join(dir, want), s.Path())
				require.NoError(t, s.Close())
			}
		})
	}
}

func TestBadIDX(t *testing.T) {
	good := idx(count(24), 4, 2, 3)
	const images, labels = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
	for name, c := range map[string]struct {
		images, labels []byte
		want           string
	}{
		"empty":               {nil, nil, images + ": the file has 0 bytes, which is no IDX file"},
		"cut magic":           {good[:3], nil, "ends within its first 4 bytes"},
		"magic":               {append([]byte{7}, good[1:]...), nil, `begins with "\a\x00\b\x03", expected two zero bytes`},
		"floats":              {append([]byte{0, 0, 13}, good[3:]...), nil, "the IDX type 0x0D; only 0x08"},
		"dimensions":          {idx(nil, 1, 2), nil, "2 dimensions, expected 1 (labels), 3"},
		"cut header":          {good[:15], nil, "ends within its header"},
		"truncated":           {good[:39], nil, "truncated: it has 39 bytes, its header announces 40"},
		"too long":            {append(bytes.Clone(good), 0), nil, "has 41 bytes, its header announces only 40"},
		"no image":            {idx(nil, 0, 2, 3), nil, "its first dimension is 0"},
		"no pixel":            {idx(nil, 3, 0, 3), nil, "an image of it is 3x0 pixels"},
		"huge image":          {idx(nil, 1, 1<<15, 1<<15), nil, "an image of it is 32768x32768 pixels, more than"},
		"huge dimension":      {idx(nil, 1<<31, 2, 2), nil, "dimension 1 is 2147483648"},
		"huge file":           {idx(nil, maxItems, 9999, 9999), nil, "truncated: it has 16 bytes"},
		"colours":             {idx(count(24), 2, 2, 3, 2), nil, "2 colour channels, expected 3"},
		"labels as images":    {idx(count(4), 4), nil, "it holds labels: give the file of the images"},
		"gzip cut":            {gzipped(t, good)[:30], nil, "it ends within its header"},
		"gzip cut in header":  {gzipped(t, good)[:12], nil, "ends within its first 4 bytes: copy it again"},
		"gzip header cut":     {gzipped(t, good)[:5], nil, "the gzip file is truncated"},
		"gzip checksum":       {flipped(gzipped(t, good), -8), nil, "the gzip file is damaged (gzip: invalid checksum)"},
		"gzip end cut":        {gzipped(t, good)[:len(gzipped(t, good))-3], nil, "the gzip file is truncated"},
		"gzip of less":        {gzipped(t, good[:39]), nil, "the gzip file is truncated"},
		"gzip of more":        {gzipped(t, append(bytes.Clone(good), 0)), nil, "has more than the 24 bytes"},
		"gzip of huge":        {gzipped(t, idx(nil, maxItems, 9999, 9999)), nil, "more than the 256 MB"},
		"too many images":     {gzipped(t, idx(nil, maxItems+1, 1, 1)), nil, "dimension 1 is 10000001; up to 10000000 images"},
		"gzip bomb's header":  {gzipped(t, idx(nil, 1<<18, 28, 28)), nil, "cannot hold the 205520896"},
		"gzip of text":        {gzipped(t, []byte("hello")), nil, `it is no IDX file: it begins with "hell"`},
		"too few labels":      {good, idx(count(3), 3), labels + " has 3 labels, but "},
		"labels of images":    {good, good, labels + ": it has 3 dimensions, expected 1"},
		"truncated labels":    {good, idx(count(3), 4), labels + ": the file is truncated"},
		"labels not unsigned": {good, []byte{0, 0, 12, 1, 0, 0, 0, 1, 0, 0, 0, 1}, labels + ": it holds numbers of the IDX type 0x0C"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string][]byte{images: c.images}
			if c.labels != nil {
				files[labels] = c.labels
			}
			dir := folderOf(t, files)
			_, err := Open(filepath.Join(dir, images))
			require.ErrorContains(t, err, "images: "+dir)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// flipped changes all bits of the byte at, counted from the end.
func flipped(b []byte, at int) []byte {
	b[len(b)+at] ^= 255
	return b
}

// No prefix and no changed byte of an IDX file makes Open or Load panic.
func TestDamagedIDXDoesNotPanic(t *testing.T) {
	good := idx(count(24), 4, 2, 3)
	path := filepath.Join(t.TempDir(), "t10k-images-idx3-ubyte")
	for _, b := range [][]byte{good, gzipped(t, good)} {
		for n := range b {
			for _, damaged := range [][]byte{b[:n], flipped(bytes.Clone(b), n-len(b))} {
				require.NoError(t, os.WriteFile(path, damaged, 0o644))
				s, err := Open(path)
				if err != nil {
					continue
				}
				for i := range s.Len() {
					_, err := s.Load(i)
					require.NoError(t, err)
				}
				require.NoError(t, s.Close())
			}
		}
	}
}

// A choice is spread over the classes of an IDX file as over folders.
func TestSampleOfIDX(t *testing.T) {
	classes := make([]byte, 100)
	for i := range classes {
		classes[i] = []byte{0, 2, 7}[i%3]
	}
	dir := folderOf(t, map[string][]byte{"train-images-idx3-ubyte": idx(count(100), 100, 1, 1), "train-labels-idx1-ubyte": idx(classes, 100)})
	s := open(t, dir)
	chosen := map[int]int{}
	for _, i := range s.Sample(30, 1) {
		chosen[s.Item(i).Class]++
	}
	require.Equal(t, map[int]int{0: 10, 2: 10, 7: 10}, chosen)
}

// HEIC and its like are images that cannot be read, whatever their names.
func TestForeignFormats(t *testing.T) {
	files := map[string][]byte{}
	want := map[string]string{
		"a.heic": "\x00\x00\x00\x18ftypheic", "b.HIF": "\x00\x00\x00\x18ftypmif1", "c.avif": "\x00\x00\x00\x18ftypavif",
		"d.jxl": "\xFF\x0A\x00", "e.jpg": "\x00\x00\x00\x18ftypheic", "f.jp2": "\x00\x00\x00\x0CjP  \r\n\x87\n", "g.png": "%PDF-1.4", "h.jpeg": "\x00\x00\x00\x18ftypisom",
	}
	for name, b := range map[string]string{"a": strings.Repeat("a", 257) + "ustar\x00", "b": "Rar!\x1A\x07\x00", "c": "7z\xBC\xAF\x27\x1C"} {
		_, err := open(t, filepath.Join(folderOf(t, map[string][]byte{name: []byte(b)}), name)).Load(0)
		require.ErrorContains(t, err, " archive, and of archives only .zip is read: unpack it")
	}
	for name, b := range want {
		files[name] = []byte(b)
	}
	s := open(t, folderOf(t, files))
	require.Equal(t, len(want), s.Len())
	kinds := []string{"a HEIC picture", "a HEIF picture", "an AVIF picture", "a JPEG XL picture", "a HEIC picture", "a JPEG 2000 picture", "a PDF document", "a video"}
	for i, name := range slices.Sorted(maps.Keys(want)) {
		_, err := s.Load(i)
		require.ErrorContains(t, err, fmt.Sprintf("%s: it is %s, which is not read: save it as JPEG or PNG", name, kinds[i]))
	}
}
