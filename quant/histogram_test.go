package quant

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// sample draws n values of a distribution by name, with a fixed seed.
func sample(name string, n int) []float32 {
	r := rand.New(rand.NewPCG(3, 5))
	draw := map[string]func() float64{
		"gaussian relu": func() float64 { return max(0, r.NormFloat64()) },
		"gaussian":      r.NormFloat64,
		"uniform":       func() float64 { return 7 * r.Float64() },
		"exponential":   func() float64 { return 1e-6 * r.ExpFloat64() },
		"heavy tail":    func() float64 { return math.Exp(1.2 * r.NormFloat64()) },
		"cauchy":        func() float64 { return math.Abs(r.NormFloat64() / (0.02 + math.Abs(r.NormFloat64()))) },
		"two heaps": func() float64 {
			if r.IntN(1000) == 0 {
				return 900 + r.Float64()
			}
			return max(0, r.NormFloat64())
		},
		"sparse": func() float64 {
			if r.IntN(5000) == 0 {
				return 1 + r.Float64()
			}
			return 0
		},
		"tiny":     func() float64 { return 1e-28 * r.Float64() },
		"enormous": func() float64 { return 3e38 * r.Float64() },
	}[name]
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(draw())
	}
	return values
}

var distributions = []string{"gaussian relu", "gaussian", "uniform", "exponential", "heavy tail", "cauchy", "two heaps", "sparse", "tiny", "enormous"}

func histogramOf(t testing.TB, values []float32) *Histogram {
	h := NewHistogram()
	require.True(t, h.Add(values))
	return h
}

func TestHistogramCountsExactly(t *testing.T) {
	for _, name := range distributions {
		t.Run(name, func(t *testing.T) {
			values := sample(name, 20000)
			h := histogramOf(t, values)
			var top float64
			var zeros int64
			want := make([]int64, bins)
			for _, v := range values {
				x := math.Abs(float64(v))
				top = max(top, x)
				if x == 0 {
					zeros++
				} else {
					want[int(x/h.binWidth())]++
				}
			}
			require.Equal(t, want, h.counts)
			require.Equal(t, zeros, h.Zeros())
			require.Equal(t, int64(len(values)), h.Count())
			require.Equal(t, top, float64(h.Max()))
			require.Greater(t, len(h.used()), bins/2)
			require.Positive(t, h.used()[len(h.used())-1], "the last used bin holds the largest value")
		})
	}
}

func TestHistogramIsIndependentOfOrder(t *testing.T) {
	for _, name := range distributions {
		t.Run(name, func(t *testing.T) {
			values := sample(name, 5000)
			want := histogramOf(t, values)
			r := rand.New(rand.NewPCG(8, 9))
			for range 5 {
				r.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
				parts := []*Histogram{NewHistogram(), NewHistogram(), NewHistogram(), NewHistogram()}
				for _, v := range values {
					require.True(t, parts[r.IntN(3)].Add([]float32{v})) // the fourth stays empty
				}
				r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
				got := NewHistogram()
				for _, p := range parts {
					got.Merge(p)
				}
				require.Equal(t, want, got)
			}
		})
	}
}

func TestHistogramOfExtremes(t *testing.T) {
	h := histogramOf(t, []float32{0, float32(math.Copysign(0, -1)), math.SmallestNonzeroFloat32, -1e-40})
	require.EqualValues(t, 2, h.Zeros())
	require.EqualValues(t, 4, h.Count())
	require.True(t, h.dead())
	require.True(t, h.Add([]float32{-math.MaxFloat32, 1, -1}))
	require.False(t, h.dead())
	require.Equal(t, float32(math.MaxFloat32), h.Max())
	require.EqualValues(t, 7, h.Count())
	require.EqualValues(t, 1, h.counts[bins-1])
	require.True(t, h.Add(nil))
	before := *h
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		require.False(t, h.Add([]float32{1, float32(bad), 2}))
	}
	require.Equal(t, before, *h)
	require.EqualValues(t, 7, h.Count())
}

func BenchmarkHistogram(b *testing.B) {
	values := sample("gaussian relu", 1<<16)
	h := NewHistogram()
	b.SetBytes(int64(len(values)) * 4)
	for b.Loop() {
		h.Add(values)
	}
}
