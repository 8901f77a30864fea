package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/bindings/c/internal/tinynet"
	"github.com/libresnext/libresnext/internal/pixel"
	"github.com/libresnext/libresnext/resnext"
)

func tinyModel(t *testing.T) *model {
	path := filepath.Join(t.TempDir(), "tiny.safetensors")
	_, err := tinynet.New().WriteFile(path)
	require.NoError(t, err)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	m, err := openMemory(data, resnext.Options{})
	require.NoError(t, err)
	same, err := openPath(path, resnext.Options{Kernels: "generic"})
	require.NoError(t, err)
	same.release()
	require.Nil(t, same.net)
	t.Cleanup(m.release)
	return m
}

func TestSession(t *testing.T) {
	m := tinyModel(t)
	s, err := newSession(m, math.MaxUint32)
	require.NoError(t, err)
	defer s.infer.Close()
	require.NoError(t, s.checkLogits(6))
	require.ErrorContains(t, s.checkLogits(7), "count is 7, expected 6")
	_, err = s.run(make([]byte, 5))
	require.ErrorContains(t, err, "length is 5, expected 3072: 32x32 pixels")
	require.NoError(t, s.take())
	require.ErrorContains(t, s.take(), "in use by another thread")
	s.give()
	require.NoError(t, s.take())

	rgb := make([]byte, 32*32*3)
	for i := range rgb {
		rgb[i] = byte(i * i >> 4)
	}
	want, err := s.run(rgb)
	require.NoError(t, err)
	want = append([]float32(nil), want...)
	require.NoError(t, checkFinite(want))
	require.ErrorContains(t, checkFinite([]float32{1, float32(math.Inf(-1))}), "logit 1 is -Inf")
	require.NotEqual(t, want[0], want[1])
}

// TestPicturesAllocateNothing: a stream of pictures of one size, in whatever format, leaves the collector no work.
func TestPicturesAllocateNothing(t *testing.T) {
	m := tinyModel(t)
	s, err := newSession(m, 1)
	require.NoError(t, err)
	defer s.infer.Close()
	memory := make([]byte, 60*50*4)
	for f := pixel.RGB; f <= lastFormat; f++ {
		p := &picture{format: int32(f), width: 60, height: 50, pixels: unsafe.Pointer(&memory[0])}
		require.Zero(t, testing.AllocsPerRun(3, func() {
			if _, err := s.runPicture(p); err != nil {
				t.Error(err)
			}
		}), f)
	}
	require.Len(t, s.rgb, 60*50*3)
	_, err = s.runPicture(&picture{})
	require.ErrorContains(t, err, "format is 0")
}
