package resnext

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/resnext/topology"
)

// onThreads lets sessions have so many threads until the test ends, whatever CPUs there are.
func onThreads(t *testing.T, n int) {
	before := runtime.GOMAXPROCS(n)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

func batchOf(cfg Config, n int) (images [][]byte) {
	for i := range n {
		images = append(images, randomImage(cfg, uint64(i)))
	}
	return images
}

// TestBatchIsInfer: batches of any length on any number of threads give the bits of one image after the other.
func TestBatchIsInfer(t *testing.T) {
	onThreads(t, 5)
	for name, cfg := range small() {
		t.Run(name, func(t *testing.T) {
			m, err := New(randomQuantised(cfg, 5), Options{})
			require.NoError(t, err)
			one, err := m.NewSession(SessionOptions{Threads: 1})
			require.NoError(t, err)
			defer one.Close()
			images := batchOf(cfg, 12)
			var logits, features []float32
			for _, rgb := range images {
				l, err := one.Infer(rgb)
				require.NoError(t, err)
				logits = append(logits, l...)
				f, err := one.Embed(rgb)
				require.NoError(t, err)
				features = append(features, f...)
			}
			for _, threads := range []int{1, 2, 3, 5} {
				s, err := m.NewSession(SessionOptions{Threads: threads})
				require.NoError(t, err)
				defer s.Close()
				require.Equal(t, threads, s.Threads())
				for _, n := range []int{12, 0, 1, 2, 3, 4, 7, 12} {
					got := make([]float32, n*cfg.Classes)
					require.NoError(t, s.InferBatch(images[:n], got))
					require.Equal(t, bitsOf(logits[:len(got)]), bitsOf(got), "%d images, %d threads", n, threads)
					got = make([]float32, n*m.Features())
					require.NoError(t, s.EmbedBatch(images[:n], got))
					require.Equal(t, bitsOf(features[:len(got)]), bitsOf(got), "%d images, %d threads", n, threads)
				}
				last, err := s.Infer(images[0])
				require.NoError(t, err)
				require.Equal(t, logits[:cfg.Classes], last, "after batches")
			}
		})
	}
}

// TestWholeImages: what is left over for half of the threads or fewer is split.
func TestWholeImages(t *testing.T) {
	onThreads(t, 8)
	m, err := New(randomQuantised(tinyConfig(), 1), Options{})
	require.NoError(t, err)
	for threads, want := range map[int][]int{ // by the number of images
		1: {0, 0, 0, 0, 0},
		2: {0, 0, 2, 2, 4, 4},
		3: {0, 0, 2, 3, 3, 5, 6},
		8: {0, 0, 0, 0, 0, 5, 6, 7, 8, 8, 8, 8, 8, 13},
	} {
		s, err := m.NewSession(SessionOptions{Threads: threads})
		require.NoError(t, err)
		for n, whole := range want {
			require.Equal(t, whole, s.wholeImages(n), "%d images, %d threads", n, threads)
		}
		s.Close()
	}
}

// TestBatchMemory: it is allocated once, at first or when the session is made, and not at all beyond the limit.
func TestBatchMemory(t *testing.T) {
	onThreads(t, 3)
	cfg := small()["4x8d"]
	q := randomQuantised(cfg, 1)
	images := batchOf(cfg, 7)
	logits := make([]float32, len(images)*cfg.Classes)
	session := func(limit int64, o SessionOptions) *Session {
		m, err := New(q, Options{MemoryLimit: limit})
		require.NoError(t, err)
		o.Threads = 3
		s, err := m.NewSession(o)
		require.NoError(t, err)
		t.Cleanup(s.Close)
		return s
	}
	arena := int(SessionBytes(cfg))
	late := session(0, SessionOptions{})
	require.Equal(t, arena, late.ArenaBytes())
	require.NoError(t, late.InferBatch(images[:1], logits[:cfg.Classes]))
	require.Equal(t, arena, late.ArenaBytes(), "one image wants no more")
	require.NoError(t, late.InferBatch(images, logits))
	require.Equal(t, 3*arena, late.ArenaBytes())
	want := slices.Clone(logits)
	features := make([]float32, len(images)*late.model.Features())

	early := session(0, SessionOptions{Batch: true})
	require.Equal(t, 3*arena, early.ArenaBytes())
	for _, s := range []*Session{late, early} {
		require.Zero(t, testing.AllocsPerRun(5, func() {
			if err := s.InferBatch(images, logits); err != nil {
				t.Error(err)
			}
			if err := s.EmbedBatch(images, features); err != nil {
				t.Error(err)
			}
		}))
		require.Equal(t, want, logits)
	}

	enough := 3*SessionBytes(cfg) + tableBytes(topology.Lower(cfg))
	require.Equal(t, 3*arena, session(enough, SessionOptions{Batch: true}).ArenaBytes())
	poor := session(enough-1, SessionOptions{Batch: true})
	clear(logits)
	require.NoError(t, poor.InferBatch(images, logits))
	require.Equal(t, want, logits)
	require.Equal(t, arena, poor.ArenaBytes())
}

// TestBatchMisuse: errors say which image, and nothing is written.
func TestBatchMisuse(t *testing.T) {
	cfg := small()["8x4d"]
	m, err := New(randomQuantised(cfg, 1), Options{})
	require.NoError(t, err)
	s, err := m.NewSession(SessionOptions{})
	require.NoError(t, err)
	defer s.Close()
	images := batchOf(cfg, 4)
	logits := make([]float32, 4*cfg.Classes)
	fails := func(want string, err error) {
		require.ErrorContains(t, err, want)
		require.Equal(t, make([]float32, len(logits)), logits)
	}
	fails("image 2 of the batch: resnext: the image has 5 bytes, expected", s.InferBatch([][]byte{images[0], images[1], make([]byte, 5)}, logits[:3*7]))
	fails("image 0 of the batch: resnext: the image has 0 bytes", s.EmbedBatch([][]byte{nil}, logits))
	fails(fmt.Sprintf("memory for %d numbers, expected 28: 7 for each of 4 images", 27), s.InferBatch(images, logits[:27]))
	fails("memory for 28 numbers, expected 288: 72 for each", s.EmbedBatch(images, logits))
	fails("memory for 28 numbers, expected 0", s.InferBatch(nil, logits))
	require.NoError(t, s.InferBatch(nil, nil))

	// Who looks on sees each image, one after the other.
	var seen []float32
	var inner error
	s.Observe = func(name string, _, _, _ int, values []float32) {
		inner = s.InferBatch(images, logits)
		if name == "logits" {
			seen = append(seen, values...)
		}
	}
	require.NoError(t, s.InferBatch(images, logits))
	require.Equal(t, seen, logits)
	require.ErrorIs(t, inner, errBusy)
	s.Close()
	require.ErrorIs(t, s.InferBatch(images, logits), errClosed)

	bare, err := New(headless(randomQuantised(cfg, 1)), Options{})
	require.NoError(t, err)
	b, err := bare.NewSession(SessionOptions{})
	require.NoError(t, err)
	defer b.Close()
	require.ErrorIs(t, b.InferBatch(nil, nil), errNoClasses)
	features := slices.Repeat([]float32{float32(math.NaN())}, 4*72)
	require.NoError(t, b.EmbedBatch(images, features))
	require.False(t, slices.ContainsFunc(features, func(v float32) bool { return v != v }))
}
