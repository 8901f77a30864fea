package observe

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/libresnext/libresnext/internal/testnet"

	"github.com/stretchr/testify/require"
)

func histogramOf(t testing.TB, values []float32) *Histogram {
	h := NewHistogram()
	require.True(t, h.Add(values))
	return h
}

func TestHistogramCountsExactly(t *testing.T) {
	for _, name := range testnet.Distributions {
		t.Run(name, func(t *testing.T) {
			values := testnet.Values(name, 20000)
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
	for _, name := range testnet.Distributions {
		t.Run(name, func(t *testing.T) {
			values := testnet.Values(name, 5000)
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
	require.True(t, h.Dead())
	require.True(t, h.Add([]float32{-math.MaxFloat32, 1, -1}))
	require.False(t, h.Dead())
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
	values := testnet.Values("gaussian relu", 1<<16)
	h := NewHistogram()
	b.SetBytes(int64(len(values)) * 4)
	for b.Loop() {
		h.Add(values)
	}
}
