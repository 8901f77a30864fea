package main

import (
	"bytes"
	"encoding/binary"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/images"
	"github.com/libresnext/libresnext/resnext"
)

// idxFiles writes the images of a set as IDX files, labels raised by add.
func idxFiles(t *testing.T, set *images.Set, add byte) (dir string) {
	dir = t.TempDir()
	header := func(magic, n uint32) []byte {
		return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, magic), n)
	}
	pixels := append(header(0x803, uint32(set.Len())), 0, 0, 0, 28, 0, 0, 0, 28)
	labels := header(0x801, uint32(set.Len()))
	for i := range set.Len() {
		m, err := set.Load(i)
		require.NoError(t, err)
		for at := range 28 * 28 {
			pixels = append(pixels, color.GrayModel.Convert(m.At(at%28, at/28)).(color.Gray).Y)
		}
		labels = append(labels, byte(set.Item(i).Class)+add)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "t10k-images-idx3-ubyte"), pixels, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "t10k-labels-idx1-ubyte"), labels, 0o600))
	return dir
}

// TestIDX: the same images as IDX files give the same result.
func TestIDX(t *testing.T) {
	set, err := images.Open(fashion + "test.zip")
	require.NoError(t, err)
	defer set.Close()
	dir := idxFiles(t, set, 0)
	args := []string{"--weights", tiny, "--images", fashion + "calib.zip", "--limit", "16", "--eval-limit", "60", "--eval"}
	want, _, _ := jsonReport(t, append(args, fashion+"test.zip")...)
	for _, path := range []string{dir, filepath.Join(dir, "t10k-images-idx3-ubyte")} {
		got, _, stderr := jsonReport(t, append(args, path)...)
		require.Equal(t, []any{want.Float, want.Int8, want.SQNR, want.Agreement, 60}, []any{got.Float, got.Int8, got.SQNR, got.Agreement, got.ComparedImages})
		require.Contains(t, stderr, "60 of the 1000 of "+filepath.Join(dir, "t10k-images-idx3-ubyte")+", seed 1; labels in t10k-labels-idx1-ubyte")
		require.Contains(t, stderr, "t-shirt, trouser, pullover, ..., from the folders of "+fashion+"calib.zip")
	}
	_, _, stderr := jsonReport(t, "--weights", tiny, "--images", dir, "--limit", "40")
	require.Contains(t, stderr, "28x28 pixels RGB, width x height (the size of the images)")

	for name, c := range map[string]struct {
		dir    string
		remove bool
		want   string
	}{
		"labels of more classes": {idxFiles(t, set, 3), false,
			"t10k-labels-idx1-ubyte: 300 of the 1000 labels are no class of the network, which has 10 classes (0 to 9): the first is 10, of image 700"},
		"no labels": {idxFiles(t, set, 0), true, "t10k-images-idx3-ubyte: there is no file of labels beside it"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.remove {
				require.NoError(t, os.Remove(filepath.Join(c.dir, "t10k-labels-idx1-ubyte")))
			}
			code, _, stderr := invoke(append(args, c.dir, "--out", filepath.Join(t.TempDir(), "m"))...)
			require.Equal(t, cli.Failed, code)
			require.Contains(t, stderr, c.want)
		})
	}
}

// TestFolderClasses: folders of --eval find their classes by the names of --labels, or say what does not fit.
func TestFolderClasses(t *testing.T) {
	labels := []string{"T-shirt", "ankle boot, bootee", "Bag", "crane", "crane"}
	for name, c := range map[string]struct {
		folders string
		want    []int
		err     []string
	}{
		"by name":            {"bag t_shirt ankle-boot", []int{2, 1, 0}, nil}, // sorted: ankle-boot bag t_shirt
		"ImageNet":           {"n01440764 n01443537 n01484850 n01491361 n01494475", nil, nil},
		"numbers":            {"0 1 2 3 4", nil, nil},
		"numbered":           {"0_a 1_ankle-boot 2_b 3_crane 4_crane", nil, nil},
		"numbered otherwise": {"0_bag 1_a 2_b 3_c 4_d", nil, []string{"the folder 0_bag gives its class the number 0", "labels.txt Bag is number 2"}},
		"another name":       {"bag cat", nil, []string{"the folder cat is not among the labels of labels.txt (T-shirt, ankle boot, bootee, Bag, ...)"}},
		"two classes alike":  {"bag crane", nil, []string{"the folder crane may be class 3 or 4 of labels.txt"}},
	} {
		t.Run(name, func(t *testing.T) {
			set := folders(t, strings.Fields(c.folders)...)
			got, err := classesByName(set, labels, "labels.txt")
			if c.err != nil {
				require.ErrorContains(t, err, set.Path())
			}
			for _, want := range c.err {
				require.ErrorContains(t, err, want)
			}
			if c.err == nil {
				require.NoError(t, err)
				if c.want != nil {
					c.want = []int{1, 2, 0}
				}
				require.Equal(t, c.want, got)
			}
		})
	}
}

// TestFolderClassesDecide: images in folders whose order is not the classes' are scored all the same.
func TestFolderClassesDecide(t *testing.T) {
	set, err := images.Open(fashion + "test.zip")
	require.NoError(t, err)
	defer set.Close()
	names := folderLabels(set)
	files := map[string][]byte{}
	for i := 0; i < set.Len(); i += 40 {
		m, err := set.Load(i)
		require.NoError(t, err)
		var b bytes.Buffer
		require.NoError(t, png.Encode(&b, m))
		if set.Item(i).Class != 4 { // not every class needs a folder
			files[names[set.Item(i).Class]+"/"+filepath.Base(set.Item(i).Name)] = b.Bytes()
		}
	}
	labels := write(t, "labels.txt", []byte(strings.ToUpper(strings.Join(names, "\n"))))
	r, _, stderr := jsonReport(t, "--weights", reference, "--images", fashion+"calib.zip", "--limit", "64", "--mean", "0.2860", "--std", "0.3530",
		"--effort", "fast", "--labels", labels, "--eval", archive(t, files))
	require.Greater(t, *r.Float.Top1, 0.8, stderr)

	code, _, stderr := invoke("--weights", reference, "--images", fashion+"calib.zip", "--eval", archive(t, files), "--out", filepath.Join(t.TempDir(), "m"))
	require.Equal(t, cli.Failed, code)
	require.Contains(t, stderr, "it has 9 folders of images, the network has 10 classes")
}

// TestLabelsForTerminals: what a terminal would obey does not get into a model file.
func TestLabelsForTerminals(t *testing.T) {
	labels := []string{"shirt\ttee", "trouser", "pullover", "dress", "coat", "sandal", "\x1b]0;owned\x07", "sneaker", "bag", "boot"}
	path := filepath.Join(t.TempDir(), "labels.txt")
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(labels, "\n")), 0o600))
	_, model, stderr := jsonReport(t, "--weights", tiny, "--images", fashion+"calib.zip", "--limit", "16", "--labels", path)
	require.Contains(t, stderr, "2 labels of "+path+": control characters are replaced")
	m, err := resnext.OpenReaderAt(bytes.NewReader(model), int64(len(model)), "model", resnext.Options{})
	require.NoError(t, err)
	require.Equal(t, "shirt�tee", m.Label(0))
	require.Equal(t, "�]0;owned�", m.Label(6))
}
