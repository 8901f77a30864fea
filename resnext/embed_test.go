package resnext

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
)

// headless is q without its classifier.
func headless(q *Quantised) *Quantised {
	bare := *q
	bare.Config.Head, bare.Config.Classes = Embedding, 0
	bare.Labels, bare.Classifier = nil, ConvParams{}
	return &bare
}

// answer is what a session gives for an image: logits, or features where there are none.
func answer(t testing.TB, s *Session, image []byte) []float32 {
	t.Helper()
	values := s.Infer
	if s.model.config.Head == Embedding {
		values = s.Embed
	}
	numbers, err := values(image)
	require.NoError(t, err)
	return numbers
}

// TestEmbedIsTheAverage: features are what the last map, seen by an observer, averages to, and the same on every kernel
// set and number of threads, with a classifier behind them and without, and read back from a file.
func TestEmbedIsTheAverage(t *testing.T) {
	for name, cfg := range small() {
		t.Run(name, func(t *testing.T) {
			q := randomQuantised(cfg, 5)
			rgb := randomImage(cfg, 1)
			want := observedAverage(t, q, rgb)
			path := filepath.Join(t.TempDir(), "m.int8.safetensors")
			_, err := headless(q).WriteFile(path)
			require.NoError(t, err)
			for _, kernels := range asm.Available() {
				whole, err := New(q, Options{Kernels: kernels})
				require.NoError(t, err)
				bare, err := OpenWith(path, Options{Kernels: kernels})
				require.NoError(t, err)
				require.Less(t, bare.PackedBytes(), whole.PackedBytes())
				require.Equal(t, whole.SessionBytes(), bare.SessionBytes())
				for _, m := range []*Model{whole, bare} {
					require.Equal(t, len(want), m.Features())
					for _, threads := range []int{1, 2} {
						s, err := m.NewSession(SessionOptions{Threads: threads})
						require.NoError(t, err)
						defer s.Close()
						for range 2 {
							got, err := s.Embed(rgb)
							require.NoError(t, err)
							require.Equal(t, bitsOf(want), bitsOf(got), "%s, %d threads", kernels, threads)
						}
					}
				}
			}
		})
	}
}

// observedAverage computes the features from the last map's values.
func observedAverage(t *testing.T, q *Quantised, rgb []byte) (features []float32) {
	t.Helper()
	m, err := New(q, Options{Kernels: "generic"})
	require.NoError(t, err)
	s, err := m.NewSession(SessionOptions{Threads: 1})
	require.NoError(t, err)
	defer s.Close()
	var last []float32
	scale, channels, pixels := float32(0), 0, 0
	s.Observe = func(name string, h, w, c int, values []float32) {
		if h*w*c > 0 && name != "logits" {
			last, scale, channels, pixels = slices.Clone(values), q.Scale[name], c, h*w
		}
	}
	_, err = s.Infer(rgb)
	require.NoError(t, err)
	for c := range channels {
		sum := 0
		for p := range pixels {
			sum += int(math.Round(float64(last[p*channels+c] / scale)))
		}
		features = append(features, float32(float64(sum)*float64(scale)/float64(pixels)))
	}
	return features
}

// TestEmbedAndInferTakeTurns: neither changes what the other gives.
func TestEmbedAndInferTakeTurns(t *testing.T) {
	cfg := small()["large map"]
	m, err := New(randomQuantised(cfg, 1), Options{})
	require.NoError(t, err)
	s, err := m.NewSession(SessionOptions{})
	require.NoError(t, err)
	defer s.Close()
	rgb := randomImage(cfg, 1)
	logits, err := s.Infer(rgb)
	require.NoError(t, err)
	logits = slices.Clone(logits)
	features, err := s.Embed(rgb)
	require.NoError(t, err)
	features = slices.Clone(features)
	_, err = s.Embed(randomImage(cfg, 2))
	require.NoError(t, err)
	again, err := s.Infer(rgb)
	require.NoError(t, err)
	require.Equal(t, logits, again)
	require.NotEqual(t, features, s.features)
	last, err := s.Embed(rgb)
	require.NoError(t, err)
	require.Equal(t, features, last)
	require.Zero(t, testing.AllocsPerRun(10, func() { _, _ = s.Embed(rgb) }))

	var seen []string
	s.Observe = func(name string, _, _, c int, values []float32) {
		if seen = append(seen, name); name == "features" {
			require.Equal(t, features, values)
		}
	}
	_, err = s.Embed(rgb)
	require.NoError(t, err)
	require.Equal(t, "features", seen[len(seen)-1])
	require.NotContains(t, seen, "logits")
}

// TestHeadlessGivesNoLogits: whoever asks for them is told what to ask for.
func TestHeadlessGivesNoLogits(t *testing.T) {
	q := headless(randomQuantised(small()["8x4d"], 1))
	m, err := New(q, Options{})
	require.NoError(t, err)
	s, err := m.NewSession(SessionOptions{})
	require.NoError(t, err)
	defer s.Close()
	_, err = s.Infer(randomImage(q.Config, 1))
	require.ErrorContains(t, err, "no classifier and gives features alone: use Embed")
	_, err = s.Embed(make([]byte, 5))
	require.ErrorContains(t, err, "5 bytes, expected")
	s.Close()
	_, err = s.Embed(randomImage(q.Config, 1))
	require.ErrorIs(t, err, errClosed)

	q.Labels = []string{"a"}
	_, err = New(q, Options{})
	require.ErrorContains(t, err, "1 labels for 0 classes")
}

// TestFeaturesAreFinite: a scale of which they would not be makes no model.
func TestFeaturesAreFinite(t *testing.T) {
	q := headless(randomQuantised(small()["8x4d"], 1))
	convs := q.Config.Convs()
	last := convs[len(convs)-1].Name
	for _, scale := range []float32{math.MaxFloat32, 1.4e36} {
		q.Scale[last] = scale
		_, err := New(q, Options{})
		require.ErrorIs(t, err, ErrModelFile)
		require.ErrorContains(t, err, last+": the output scale is ")
	}
	q.Scale[last] = 1.3e36
	m, err := New(q, Options{})
	require.NoError(t, err)
	s, err := m.NewSession(SessionOptions{Threads: 1})
	require.NoError(t, err)
	defer s.Close()
	for _, v := range answer(t, s, randomImage(q.Config, 1)) {
		require.False(t, math.IsInf(float64(v), 0) || v < 0)
	}
}

func TestNormalise(t *testing.T) {
	v := []float32{3, 0, -4}
	Normalise(v)
	require.Equal(t, []float32{0.6, 0, -0.8}, v)
	zero := make([]float32, 4)
	Normalise(zero)
	require.Equal(t, make([]float32, 4), zero)
	Normalise(nil)
	huge := []float32{math.MaxFloat32, math.MaxFloat32}
	Normalise(huge)
	require.InDeltaSlice(t, []float32{math.Sqrt2 / 2, math.Sqrt2 / 2}, huge, 1e-7)
	tiny := []float32{math.SmallestNonzeroFloat32, 0}
	Normalise(tiny)
	require.Equal(t, []float32{1, 0}, tiny)
}
