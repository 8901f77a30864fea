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
		require.Contains(t, stderr, flag+" "+filepath.Join(dir, "m")+": it is also the")
		require.Empty(t, listing(t, dir))
	}
}
