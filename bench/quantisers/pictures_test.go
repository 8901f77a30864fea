package main

import (
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
