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
	for _, c := range []struct {
		kind     int
		n, count uint64
		want     string
	}{
		{logitsAnswer, 1, 7, "count is 7, expected 6: one logit a class"},
		{featuresAnswer, 1, 6, "count is 6, expected 32: one number a feature"},
		{logitsAnswer, 3, 17, "count is 17, expected 18: one logit a class of 3 pictures"},
		{logitsAnswer, 0, 0, "n is 0, expected 1 to"},
		{logitsAnswer, maxCount + 1, 6, "n is 268435457"},
		{logitsAnswer, maxCount, 6 * maxCount, "count is 1610612736, expected at most"},
		{featuresAnswer, math.MaxUint64, math.MaxUint64, "n is 18446744073709551615"},
	} {
		require.ErrorContains(t, s.checkCount(&answers[c.kind], c.n, c.count), c.want)
	}
	require.NoError(t, s.checkCount(&answers[logitsAnswer], 1, 6))
	require.NoError(t, s.checkCount(&answers[featuresAnswer], 4, 128))
	_, err = s.exact(make([]byte, 5))
	require.ErrorContains(t, err, "length is 5, expected 3072: 32x32 pixels")
	require.NoError(t, s.take())
	require.ErrorContains(t, s.take(), "in use by another thread")
	s.give()
	require.NoError(t, s.take())

	rgb := make([]byte, 32*32*3)
	for i := range rgb {
		rgb[i] = byte(i * i >> 4)
	}
	rgb, err = s.exact(rgb)
	require.NoError(t, err)
	want, err := s.infer.Infer(rgb)
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
			if _, err := s.prepared(p); err != nil {
				t.Error(err)
			}
		}), f)
	}
	require.Len(t, s.rgb, 60*50*3)
	_, err = s.prepared(&picture{})
	require.ErrorContains(t, err, "format is 0")
}
