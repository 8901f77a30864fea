package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
)

func TestSameFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	require.NoError(t, os.Mkdir("a", 0o700))
	require.NoError(t, os.Symlink("a", "b"))
	try := func() {
		for _, other := range []string{"a/m", "./a/../a/m", filepath.Join(dir, "a", "m"), "b/m"} {
			require.True(t, sameFile("a/m", other), other)
		}
		for _, other := range []string{"m", "a/n", "none/m", filepath.Join(dir, "m")} {
			require.False(t, sameFile("a/m", other), other)
		}
	}
	try()
	require.NoError(t, os.WriteFile("a/m", nil, 0o600))
	try()
	require.NoError(t, os.Symlink("m", "a/link"))
	require.True(t, sameFile("a/m", "a/link"))
}

// TestOutputsApart: the model is not overwritten by what is written after it, whatever the path is called.
func TestOutputsApart(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, flag := range []string{"--report", "--export-onnx"} {
		code, _, stderr := invoke("--weights", tiny, "--limit", "3", "--out", "m", flag, filepath.Join(dir, "m"))
		require.Equal(t, cli.Misuse, code, stderr)
		require.Contains(t, stderr, flag+" "+filepath.Join(dir, "m")+": it is also the file of --out")
		require.Empty(t, listing(t, dir))
	}
}

// TestInputsStay: nothing that is read is replaced, and what is no file is refused before the work.
func TestInputsStay(t *testing.T) {
	dir := t.TempDir()
	from, err := filepath.Abs(exports)
	require.NoError(t, err)
	t.Chdir(dir)
	for _, folder := range []string{"images/a", "test", "net"} {
		require.NoError(t, os.MkdirAll(folder, 0o700))
	}
	put := func(path string, content []byte) { require.NoError(t, os.WriteFile(path, content, 0o600)) }
	put("images/a/x.png", pngImage(t, 40, 40))
	put("test/t10k-images-idx3-ubyte", append([]byte{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}, 7))
	put("test/t10k-labels-idx1-ubyte", []byte{0, 0, 8, 1, 0, 0, 0, 1, 0})
	for _, name := range []string{"dynamo.onnx", "dynamo.onnx.data"} {
		put("net/"+name, read(t, filepath.Join(from, name)))
	}
	put("net/config.json", []byte("{}"))
	require.NoError(t, os.Symlink("images/a/x.png", "link"))
	for path, want := range map[string]string{
		"images/a/x.png":              "it is there already and among the files of --images",
		"link":                        "among the files of --images",
		"test/t10k-labels-idx1-ubyte": "among the files of --eval",
		"net/dynamo.onnx.data":        "it is also an input",
		"net/config.json":             "it is also an input",
		"net/dynamo.onnx":             "it is also an input",
		os.DevNull:                    "it is not a regular file",
	} {
		for _, flag := range []string{"--out", "--report", "--export-onnx"} {
			code, _, stderr := invoke("--weights", "net/dynamo.onnx", "--images", "images", "--eval", "test", "--effort", "fast", "--out", "m", flag, path)
			require.Equal(t, cli.Failed, code, stderr)
			require.Contains(t, stderr, flag+" "+path+": ")
			require.Contains(t, stderr, want)
			require.NotContains(t, stderr, "calibrating")
		}
	}
	require.NoFileExists(t, "m")
}

// TestSingleImage: one image is no set of labelled ones.
func TestSingleImage(t *testing.T) {
	path := write(t, "one.png", pngImage(t, 40, 40))
	code, _, stderr := invoke("--weights", reference, "--images", path, "--eval", path, "--out", filepath.Join(t.TempDir(), "m"))
	require.Equal(t, cli.Failed, code)
	require.Contains(t, stderr, path+": it is a single image, which has no label")
}

// TestUnusedFilesBesideTheWeights are told by file and field.
func TestUnusedFilesBesideTheWeights(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"model.safetensors", "config.json"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), read(t, exports+"transformers/"+name), 0o600))
	}
	preprocessor := filepath.Join(dir, "preprocessor_config.json")
	require.NoError(t, os.WriteFile(preprocessor, []byte(`{"resample": 2, "rescale_factor": 1}`), 0o600))
	code, _, stderr := invoke("--weights", dir, "--images", fashion+"calib.zip", "--limit", "2", "--effort", "fast", "--out", filepath.Join(t.TempDir(), "m"))
	require.Equal(t, cli.Done, code, stderr)
	require.Contains(t, stderr, "warning: "+preprocessor+": rescale_factor is 1; expected 1/255")
}
