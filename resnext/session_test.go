package resnext

import (
	"fmt"
	"image"
	"image/color"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/resnext/topology"
)

// small are networks that meet every kind of layer: stems, kinds of blocks, projections, other shortcuts and identities,
// gates, groups of 4, 5, 7, 8, 14, 16, 24 and 40 channels and none, odd maps.
func small() map[string]Config {
	tiny := func(card, width int, stem Stem, h, w int) Config {
		return Config{Stem: stem, Classes: 7, Height: h, Width: w, Stages: Uniform(card, []Stage{
			{Blocks: 2, Inner: card * width, Out: 32, Stride: 1},
			{Blocks: 1, Inner: card * width * 2, Out: 72, Stride: 2},
		})}
	}
	cifar := SimpleStem(3, 1, 16, NoPool)
	imageNet := SimpleStem(7, 2, 32, Max3x3)
	deep := Stem{Convs: []topology.StemConv{{Kernel: 3, Stride: 2, Width: 8}, {Kernel: 3, Stride: 1, Width: 12}}, Pool: Max3x3}
	aliased := SimpleStem(7, 2, 16, Average2x2)
	return map[string]Config{
		"8x4d":      tiny(8, 4, cifar, 9, 11),
		"4x8d":      tiny(4, 8, imageNet, 40, 33),
		"2x14d":     tiny(2, 14, imageNet, 30, 30),
		"2x24d":     tiny(2, 24, cifar, 8, 8),
		"2x40d":     tiny(2, 40, cifar, 5, 5),
		"1x20d":     tiny(1, 20, imageNet, 32, 32),
		"3x5d":      tiny(3, 5, cifar, 1, 1),
		"large map": tiny(4, 4, cifar, 40, 40), // 20x20 pixels pooled: sums need the 16-bit multiplier

		"basic blocks": with(tiny(1, 20, cifar, 9, 10), func(s *Stage) { s.Kind = Basic }),
		"v1":           with(tiny(2, 10, imageNet, 31, 30), func(s *Stage) { s.StrideOn = topology.Reduce }),
		"averaged":     with(tiny(4, 6, deep, 33, 31), func(s *Stage) { s.Shortcut = topology.AveragedProjection }),
		"padded":       with(tiny(1, 16, cifar, 7, 9), func(s *Stage) { s.Kind, s.Shortcut = Basic, topology.Padded }),
		"anti-aliased": with(tiny(4, 8, aliased, 45, 43), func(s *Stage) { s.AntiAlias = Average2x2 }),
		"blurred":      with(tiny(2, 10, SimpleStem(3, 1, 12, MaxBlur), 21, 18), func(s *Stage) { s.AntiAlias = Blur3x3 }),
		"RegNetX": {Stem: SimpleStem(3, 2, 8, NoPool), Classes: 7, Height: 35, Width: 34, Stages: []Stage{
			{Blocks: 1, Inner: 24, Out: 24, Cardinality: 3, Stride: 2}, {Blocks: 2, Inner: 56, Out: 56, Cardinality: 7, Stride: 2},
		}},
		"RegNetY": with(tiny(3, 5, SimpleStem(3, 2, 8, NoPool), 23, 26), func(s *Stage) {
			s.Gate = topology.Gate{Kind: topology.SqueezeExcite, After: topology.Transform, Hidden: 6}
		}),
		"SE":       with(tiny(8, 4, cifar, 9, 11), func(s *Stage) { s.Gate = se(topology.Expand, 5) }),
		"SE basic": with(tiny(1, 20, imageNet, 36, 35), func(s *Stage) { s.Kind, s.Gate = Basic, se(topology.Second, 40) }),
		"ECA": with(tiny(2, 7, cifar, 14, 13), func(s *Stage) {
			s.Gate = topology.Gate{Kind: topology.NeighbourGate, After: topology.Expand, Kernel: 5}
		}),
	}
}

// with changes all stages of a network.
func with(c Config, change func(s *Stage)) Config {
	for i := range c.Stages {
		change(&c.Stages[i])
	}
	return c
}

func se(after topology.Role, hidden int) topology.Gate {
	return topology.Gate{Kind: topology.SqueezeExcite, After: after, Hidden: hidden}
}

// TestSameEverywhere: every kernel set, thread count and repetition gives the same logits, and so does the
// model read back from a file.
func TestSameEverywhere(t *testing.T) {
	for name, cfg := range small() {
		t.Run(name, func(t *testing.T) {
			q := randomQuantised(cfg, 5)
			path := filepath.Join(t.TempDir(), "m.int8.safetensors")
			_, err := q.WriteFile(path)
			require.NoError(t, err)
			var want [][]float32
			for _, kernels := range append([]string{"generic"}, asm.Available()...) {
				m, err := OpenWith(path, Options{Kernels: kernels})
				require.NoError(t, err)
				for _, threads := range []int{1, 2, 0} {
					s, err := m.NewSession(SessionOptions{Threads: threads})
					require.NoError(t, err)
					defer s.Close()
					for round := range 2 {
						for i := range 3 {
							logits, err := s.Infer(randomImage(cfg, uint64(i)))
							require.NoError(t, err)
							if len(want) == i {
								want = append(want, slices.Clone(logits))
							}
							require.Equal(t, want[i], logits, "%s, %d threads, round %d", kernels, threads, round)
						}
					}
				}
			}
			require.NotEqual(t, want[0], want[1])
		})
	}
}

func TestSessionsShareAModel(t *testing.T) {
	cfg := small()["8x4d"]
	m, err := New(randomQuantised(cfg, 1), Options{})
	require.NoError(t, err)
	reference, err := m.NewSession(SessionOptions{Threads: 1})
	require.NoError(t, err)
	defer reference.Close()
	var wait sync.WaitGroup
	for i := range 4 {
		want, err := reference.Infer(randomImage(cfg, uint64(i)))
		require.NoError(t, err)
		want = slices.Clone(want)
		wait.Go(func() {
			s, err := m.NewSession(SessionOptions{Threads: 2})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			for range 20 {
				got, err := s.Infer(randomImage(cfg, uint64(i)))
				if err != nil || !slices.Equal(want, got) {
					t.Errorf("session %d: %v, %v, want %v", i, err, got, want)
					return
				}
			}
		})
	}
	wait.Wait()
}

func TestInferAllocatesNothing(t *testing.T) {
	cfg := small()["4x8d"]
	m, err := New(randomQuantised(cfg, 1), Options{})
	require.NoError(t, err)
	s, err := m.NewSession(SessionOptions{})
	require.NoError(t, err)
	defer s.Close()
	rgb := randomImage(cfg, 1)
	require.Zero(t, testing.AllocsPerRun(10, func() { _, _ = s.Infer(rgb) }))
}

func TestSessionMisuse(t *testing.T) {
	cfg := small()["8x4d"]
	m, err := New(randomQuantised(cfg, 1), Options{})
	require.NoError(t, err)
	_, err = m.NewSession(SessionOptions{Threads: -1})
	require.ErrorContains(t, err, "-1 threads")
	s, err := m.NewSession(SessionOptions{Threads: 1 << 20})
	require.NoError(t, err)
	_, err = s.Infer(make([]byte, 5))
	require.ErrorContains(t, err, fmt.Sprintf("5 bytes, expected %d: 11x9 pixels of RGB", 9*11*3))
	var inner error
	s.Observe = func(string, int, int, int, []float32) { _, inner = s.Infer(randomImage(cfg, 1)) }
	_, err = s.Infer(randomImage(cfg, 1))
	require.NoError(t, err)
	require.ErrorIs(t, inner, errBusy)
	s.Close()
	s.Close()
	_, err = s.Infer(randomImage(cfg, 1))
	require.ErrorContains(t, err, "the session is closed")
	_, err = s.Classify(nil, 1)
	require.ErrorContains(t, err, "the image is nil")
}

func TestObserve(t *testing.T) {
	cfg := small()["2x14d"]
	m, err := New(randomQuantised(cfg, 1), Options{})
	require.NoError(t, err)
	s, err := m.NewSession(SessionOptions{})
	require.NoError(t, err)
	defer s.Close()
	var names []string
	s.Observe = func(name string, h, w, c int, values []float32) {
		names = append(names, name)
		require.Len(t, values, h*w*c)
	}
	_, err = s.Infer(randomImage(cfg, 1))
	require.NoError(t, err)
	var want []string
	for _, c := range cfg.Convs() {
		want = append(want, c.Name)
	}
	require.Equal(t, append(want, "logits"), names)
}

func TestClassify(t *testing.T) {
	cfg := small()["4x8d"]
	q := randomQuantised(cfg, 1)
	q.Labels = []string{"a", "b", "c", "d", "e", "f", "g"}
	m, err := New(q, Options{})
	require.NoError(t, err)
	s, err := m.NewSession(SessionOptions{})
	require.NoError(t, err)
	defer s.Close()
	img := image.NewNRGBA(image.Rect(3, 4, 60, 90))
	for y := range 90 {
		for x := range 60 {
			img.Set(x, y, color.NRGBA{byte(x * 4), byte(y * 2), byte(x * y), 255})
		}
	}
	top, err := s.Classify(img, 3)
	require.NoError(t, err)
	require.Len(t, top, 3)
	require.GreaterOrEqual(t, top[0].Logit, top[1].Logit)
	all, err := s.Classify(img, 99)
	require.NoError(t, err)
	require.Len(t, all, 7)
	require.Equal(t, top, all[:3])
	var sum float32
	for _, p := range all {
		require.Equal(t, q.Labels[p.Class], p.Label)
		sum += p.Probability
	}
	require.InDelta(t, 1, sum, 1e-5)
	_, err = s.Classify(image.NewGray(image.Rect(0, 0, 0, 0)), 1)
	require.ErrorContains(t, err, "empty")
}

func TestTopBreaksTiesByClass(t *testing.T) {
	m := &Model{}
	top := m.Top([]float32{1, 3, 3, 2, 3}, 4)
	require.Equal(t, []int{1, 2, 4, 3}, []int{top[0].Class, top[1].Class, top[2].Class, top[3].Class})
	require.Equal(t, "class 1", top[0].Label)
	require.Empty(t, m.Top([]float32{1}, 0))
}
