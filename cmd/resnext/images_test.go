package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
)

// TestIDXImages: images of an IDX file are named by its path and their numbers, the file itself or its
// folder being given.
func TestIDXImages(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "t10k-images-idx3-ubyte")
	header := []byte{0, 0, 8, 3, 0, 0, 0, 11, 0, 0, 0, 5, 0, 0, 0, 4}
	require.NoError(t, os.WriteFile(file, append(header, make([]byte, 11*5*4)...), 0o600))
	for _, arg := range []string{file, dir, dir + "/"} {
		all, failed := openInputs([]string{arg}, nil)
		require.Empty(t, failed)
		require.Equal(t, 11, all[0].count())
		require.Equal(t, file+"/07", all[0].name(7))
		m, err := all[0].load(10)
		require.NoError(t, err)
		require.Equal(t, 4, m.Bounds().Dx())
		closeInputs(all)
	}
}

// TestUnreadFormats: phones' images are refused in a sentence that says what to do.
func TestUnreadFormats(t *testing.T) {
	path := write(t, "IMG_0001.HEIC", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"))
	for _, arg := range []string{path, filepath.Dir(path)} {
		code, stdout, stderr := invoke("classify", testModel(t), arg)
		require.Equal(t, cli.Failed, code)
		require.Empty(t, stdout)
		require.Contains(t, stderr, "resnext: "+path+": it is a HEIC picture, which is not read: save it as JPEG or PNG\n")
		require.Equal(t, 1, strings.Count(stderr, "\n"))
	}
}
