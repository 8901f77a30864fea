package main

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/images"
	"github.com/libresnext/libresnext/resnext"
)

// TestReadSet: of MNIST's folder calib calibrates on the training pictures, and so must the others.
func TestReadSet(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"train-images-idx3-ubyte", "t10k-images-idx3-ubyte"} {
		idx := []byte{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, byte(10 * (i + 1))}
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), idx, 0o600))
	}
	for part, want := range map[images.Part]byte{images.Train: 10, images.Test: 20} {
		all, labels, err := readSet(dir, part, 0, 1, resnext.Config{Width: 1, Height: 1}, resnext.CIFARPreprocess())
		require.NoError(t, err)
		require.Equal(t, [][]byte{{want, want, want}}, all)
		require.Nil(t, labels)
	}
}

// TestLabels: labels that cannot be meant are errors, and not dropped.
func TestLabels(t *testing.T) {
	idx := func(labels ...byte) string {
		dir := t.TempDir()
		n := byte(len(labels))
		put(t, filepath.Join(dir, "t10k-images-idx3-ubyte"), append([]byte{0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, 1, 0, 0, 0, 1}, make([]byte, n)...))
		put(t, filepath.Join(dir, "t10k-labels-idx1-ubyte"), append([]byte{0, 0, 8, 1, 0, 0, 0, n}, labels...))
		return dir
	}
	cfg := resnext.Config{Width: 1, Height: 1, Classes: 3}
	all, labels, err := readSet(idx(0, 2), images.Test, 0, 1, cfg, resnext.CIFARPreprocess())
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, []int{0, 2}, labels)
	_, _, err = readSet(idx(0, 3), images.Test, 0, 1, cfg, resnext.CIFARPreprocess())
	require.ErrorContains(t, err, "its label is 3, the network has 3 classes (0 to 2)")
	_, _, err = readSet(idx(0, 3), images.Train, 0, 1, cfg, resnext.CIFARPreprocess())
	require.NoError(t, err, "those of calibration pictures mean nothing")

	dir := t.TempDir()
	for _, name := range []string{"a/1.png", "b/1.png"} {
		put(t, filepath.Join(dir, name), dot(t))
	}
	_, _, err = readSet(dir, images.Test, 0, 1, cfg, resnext.CIFARPreprocess())
	require.ErrorContains(t, err, "it has 2 folders of images, the network has 3 classes")
	put(t, filepath.Join(dir, "c", "1.png"), dot(t))
	put(t, filepath.Join(dir, "stray.png"), dot(t))
	_, _, err = readSet(dir, images.Test, 0, 1, cfg, resnext.CIFARPreprocess())
	require.ErrorContains(t, err, "stray.png: it is in no class's folder")
}

// TestBadPictures are skipped, their labels too, but for more than half.
func TestBadPictures(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"0/1.png", "1/1.png"} {
		put(t, filepath.Join(dir, name), dot(t))
	}
	put(t, filepath.Join(dir, "0/0.png"), []byte("no picture"))
	cfg := resnext.Config{Width: 1, Height: 1, Classes: 2}
	all, labels, err := readSet(dir, images.Test, 0, 1, cfg, resnext.CIFARPreprocess())
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, []int{0, 1}, labels)
	for _, name := range []string{"0/2.png", "0/3.png"} {
		put(t, filepath.Join(dir, name), nil)
	}
	_, _, err = readSet(dir, images.Test, 0, 1, cfg, resnext.CIFARPreprocess())
	require.ErrorContains(t, err, "3 of 5 images cannot be read, more than half")
	require.ErrorContains(t, err, "0.png")
}

func put(t *testing.T, path string, content []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, content, 0o600))
}

func dot(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))))
	return b.Bytes()
}

// TestReadFloat makes up the networks that calib does.
func TestReadFloat(t *testing.T) {
	named, err := resnext.Named("resnext11_2x4d_w1")
	require.NoError(t, err)
	even, err := readFloat("random:"+named.Name, named)
	require.NoError(t, err)
	uneven, err := readFloat("random-outliers:"+named.Name, named)
	require.NoError(t, err)
	require.Equal(t, even.Config, uneven.Config)
	require.NotEqual(t, even.Convs["stage1.block0.reduce"].Weight, uneven.Convs["stage1.block0.reduce"].Weight)
	_, err = readFloat("random-outliers:nothing", named)
	require.ErrorContains(t, err, "nothing")
}
