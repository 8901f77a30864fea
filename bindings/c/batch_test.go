package main

import (
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/pixel"
)

// TestBatch: pictures of any sizes and formats, more than a group of them, give what each gives alone; a series of equal
// ones leaves the collector no work; and of a bad one the error says which.
func TestBatch(t *testing.T) {
	before := runtime.GOMAXPROCS(2)
	defer runtime.GOMAXPROCS(before)
	s, err := newSession(tinyModel(t), 2)
	require.NoError(t, err)
	defer s.infer.Close()
	memory := make([]byte, 60*50*4)
	for i := range memory {
		memory[i] = byte(i * i >> 5)
	}
	const n = 2*groupPictures*2 + 3
	at := func(i int, p *picture) {
		*p = picture{format: int32(pixel.RGB) + int32(i%7), width: uint32(20 + 2*i), height: 50, pixels: unsafe.Pointer(&memory[0])}
	}
	for kind := range answers {
		a := &answers[kind]
		each := a.each(s.of.net)
		var want []float32
		for i := range n {
			var p picture
			at(i, &p)
			rgb, err := s.prepared(&p)
			require.NoError(t, err)
			numbers, err := a.infer(s.infer, rgb)
			require.NoError(t, err)
			want = append(want, numbers...)
		}
		for _, k := range []int{n, 1, 2, 9} {
			got := make([]float32, k*each)
			require.NoError(t, s.runBatch(a, k, at, got))
			require.Equal(t, want[:k*each], got)
		}
		got := make([]float32, n*each)
		same := func(_ int, p *picture) { at(0, p) }
		require.Zero(t, testing.AllocsPerRun(3, func() {
			if err := s.runBatch(a, n, same, got); err != nil {
				t.Error(err)
			}
		}))
		clear(got)
		err := s.runBatch(a, n, func(i int, p *picture) {
			if at(i, p); i == n-1 {
				p.width = 0
			}
		}, got)
		require.ErrorContains(t, err, "picture 18 of the batch: ")
		require.Equal(t, make([]float32, n*each), got, "written before all is known")
		known := (*failure)(nil)
		require.ErrorAs(t, err, &known)
		require.Equal(t, statusInvalid, known.status)
	}
}
