package observe

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/libresnext/libresnext/internal/testnet"

	"github.com/stretchr/testify/require"
)

func TestParseObserver(t *testing.T) {
	for _, o := range Observers() {
		got, err := ParseObserver(string(o))
		require.NoError(t, err)
		require.Equal(t, o, got)
	}
	got, err := ParseObserver("MinMax")
	require.NoError(t, err)
	require.Equal(t, MinMax, got)
	for _, bad := range []string{"", "kl", "mse "} {
		_, err = ParseObserver(bad)
		require.ErrorContains(t, err, "expected one of")
	}
}

// lost is the sum of squared errors of quantising the values themselves.
func lost(values []float32, t float64, levels int) float64 {
	step, sum := t/float64(levels), 0.0
	for _, v := range values {
		x := math.Abs(float64(v))
		d := x - step*min(math.RoundToEven(x/step), float64(levels))
		sum += d * d
	}
	return sum
}

func TestMSERangeIsNearTheOptimum(t *testing.T) {
	for _, name := range testnet.Distributions {
		for _, levels := range []int{UnsignedLevels, SignedLevels} {
			t.Run(fmt.Sprint(name, "/", levels), func(t *testing.T) {
				values := testnet.Values(name, 8000)
				h := histogramOf(t, values)
				got := MSE.Choose(h, levels, 0, 0)
				require.LessOrEqual(t, got, float64(h.Max()))
				best, top := math.Inf(1), float64(h.Max())
				for i := range 300 {
					best = min(best, lost(values, top*math.Exp2(-float64(i)/50), levels))
				}
				require.LessOrEqual(t, lost(values, got, levels), best*1.01)
			})
		}
	}
}

func TestSquaredErrorOfUniformValues(t *testing.T) {
	// Uniform on a whole number of bins, nothing clipped: step^2/12 each, but the last half step has an
	// edge at the range, where the error has its period's end as well.
	values := make([]float32, 1<<16)
	for i := range values {
		values[i] = (float32(i) + 0.5) / (1 << 16)
	}
	h := histogramOf(t, values)
	step := 1.0 / 255
	require.InEpsilon(t, step*step/12, squaredError(h, 1, 255)/float64(len(values)), 1e-3)
	// Half of them clipped at 1/2: the mean of x^2 over [0,1/2], for half of the values.
	require.InEpsilon(t, 1.0/24+step*step/96, squaredError(h, 0.5, 255)/float64(len(values)), 1e-3)
}

func TestPercentileRange(t *testing.T) {
	for _, name := range testnet.Distributions {
		for _, percent := range []float64{50, 99, 99.9, 99.99, 100} {
			t.Run(fmt.Sprint(name, "/", percent), func(t *testing.T) {
				values := testnet.Values(name, 20000)
				h := histogramOf(t, values)
				got := Percentile.Choose(h, UnsignedLevels, percent, 0)
				sorted := make([]float64, 0, len(values))
				for _, v := range values {
					sorted = append(sorted, math.Abs(float64(v)))
				}
				slices.Sort(sorted)
				at := func(s []float64) float64 {
					return s[max(0, int(math.Ceil(percent/100*float64(len(s))))-1)]
				}
				want := at(sorted)
				if want == 0 { // the zeros alone make up the share
					want = at(sorted[h.Zeros():])
				}
				require.Positive(t, got)
				require.InDelta(t, want, got, h.binWidth()*1.0001)
				if percent == 100 {
					require.Equal(t, float64(h.Max()), got)
				}
			})
		}
	}
}

func TestMinMaxRange(t *testing.T) {
	require.Equal(t, 8.0, MinMax.Choose(histogramOf(t, []float32{0, -8, 3}), SignedLevels, 0, 0))
}

// slowDivergence is the Kullback-Leibler divergence from its definition, with P and Q written out.
func slowDivergence(counts []int64, n, intervals int) float64 {
	p, q := make([]float64, n), make([]float64, n)
	var total, inside float64
	for i, c := range counts {
		p[min(i, n-1)] += float64(c)
		total += float64(c)
	}
	for k := range intervals {
		mass, filled := 0.0, 0.0
		from, to := k*n/intervals, (k+1)*n/intervals
		for i := from; i < to; i++ {
			mass += float64(counts[i])
			if p[i] > 0 {
				filled++
			}
		}
		for i := from; i < to; i++ {
			if p[i] > 0 {
				q[i] = mass / filled
			}
		}
		inside += mass
	}
	sum := 0.0
	for i := range p {
		if p[i] > 0 {
			sum += p[i] / total * math.Log(p[i]/total/(q[i]/inside))
		}
	}
	return sum
}

func TestEntropyRangeHasTheLeastDivergence(t *testing.T) {
	for _, name := range testnet.Distributions {
		for _, levels := range []int{UnsignedLevels, SignedLevels} {
			t.Run(fmt.Sprint(name, "/", levels), func(t *testing.T) {
				h := histogramOf(t, testnet.Values(name, 20000))
				got := Entropy.Choose(h, levels, 0, 0)
				require.LessOrEqual(t, got, float64(h.Max()))
				n := int(math.Ceil(got / h.binWidth()))
				chosen := slowDivergence(h.used(), n, levels+1)
				require.False(t, math.IsInf(chosen, 0) || math.IsNaN(chosen))
				for m := len(h.used()); m > levels; m -= entropyStride {
					d := slowDivergence(h.used(), m, levels+1)
					require.False(t, d < chosen-1e-9, "%d bins give %v, the chosen %d give %v", m, d, n, chosen)
				}
			})
		}
	}
}

func TestObserversOnFewValues(t *testing.T) {
	for _, o := range Observers() {
		for _, values := range [][]float32{{3}, {0, 0, 3}, {3, 3, 3, 3}, {1e-25}, {math.MaxFloat32}, {1e-20, 1e20}} {
			for _, levels := range []int{UnsignedLevels, SignedLevels} {
				h := histogramOf(t, values)
				got := o.Choose(h, levels, DefaultPercentile, 0)
				require.Positive(t, got, "%s of %v", o, values)
				require.LessOrEqual(t, got, float64(h.Max()), "%s of %v", o, values)
				require.GreaterOrEqual(t, got, float64(h.Max())/2, "%s of %v: nothing speaks for clipping", o, values)
			}
		}
	}
}

func BenchmarkRange(b *testing.B) {
	h := histogramOf(b, testnet.Values("gaussian relu", 1<<18))
	for _, o := range Observers() {
		b.Run(string(o), func(b *testing.B) {
			for b.Loop() {
				o.Choose(h, UnsignedLevels, DefaultPercentile, 0)
			}
		})
	}
}
