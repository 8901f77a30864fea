package round

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/libresnext/libresnext/internal/testnet"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/observe"
)

// lostWeights is the squared error of a scale, written plainly.
func lostWeights(w []float32, scale float64) float64 {
	sum := 0.0
	for _, v := range w {
		q := min(max(math.RoundToEven(float64(v)/scale), -127), 127)
		d := float64(v) - scale*q
		sum += d * d
	}
	return sum
}

func TestSearchScaleIsNearTheOptimum(t *testing.T) {
	for _, name := range []string{"gaussian", "heavy tail", "uniform", "cauchy", "exponential", "tiny"} {
		for _, n := range []int{4, 36, 576, 5000} {
			t.Run(fmt.Sprint(name, "/", n), func(t *testing.T) {
				w := testnet.Values(name, n)
				top := 0.0
				for _, v := range w {
					top = max(top, math.Abs(float64(v)))
				}
				got := lostWeights(w, plain(w).searchScale())
				require.LessOrEqual(t, got, lostWeights(w, top/maxWeight), "no worse than without clipping")
				best := math.Inf(1)
				for i := range 4000 {
					clip := float64(i+1) / 4000
					best = min(best, lostWeights(w, top*clip/maxWeight))
				}
				if n >= 36 { // of few weights any tiny change of scale rounds all of them otherwise
					require.LessOrEqual(t, got, best*1.15)
				}
			})
		}
	}
}

func TestSearchScaleOfExtremes(t *testing.T) {
	require.Zero(t, plain(nil).searchScale())
	require.Zero(t, plain([]float32{0, 0}).searchScale())
	require.InEpsilon(t, 2.0/127, plain([]float32{0, -2, 2}).searchScale(), 1e-12)
	for _, w := range [][]float32{{math.SmallestNonzeroFloat32}, {math.MaxFloat32, -1}, {1e-40, 0, 1e-40}} {
		s := plain(w).searchScale()
		require.True(t, s > 0 && observe.Finite(s), "%v gives %v", w, s)
		require.InEpsilon(t, float64(w[0]), 127*s, 0.01)
	}
}

func TestQuantiseFilterKeepsItsBounds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 36, 4096, 90000} {
		for _, size := range []float64{0, 1e-44, 1e-12, 0.1, 1e30} {
			for _, bias := range []float64{0, 1e-38, -0.5, -1e9, 1e30} {
				for _, inputs := range []int64{MaxConvInput, math.MaxInt16} {
					w := make([]float32, n)
					for i := range w {
						w[i] = float32(size * (0.5 + 0.5*r.Float64()))
					}
					l := Layer{InputScale: 0.02, MaxInput: inputs, Weight: w, Bias: []float64{bias}}
					q := make([]int8, n)
					for i := range q {
						q[i] = -128 // must be overwritten
					}
					f := l.filter(0, q)
					scale, b, bound := l.finish(f, l.firstScale(f))
					what := fmt.Sprintf("%d weights of %g, bias %g", n, size, bias)
					require.True(t, scale >= 0 && observe.Finite(scale), what)
					sum := abs(int64(b))
					require.LessOrEqual(t, sum, int64(maxBias), what)
					for _, v := range q {
						sum += inputs * abs(int64(v))
					}
					require.NotContains(t, q, int8(-128), what)
					require.Equal(t, bound, sum, what)
					require.LessOrEqual(t, sum, int64(math.MaxInt32), what)
					require.InDelta(t, bias, float64(b)*scale*l.InputScale, 0.5000001*scale*l.InputScale, what)
					for i, v := range q[:min(n, 36)] {
						if abs(int64(v)) < maxWeight { // or it is clipped
							require.InDelta(t, float64(w[i]), float64(v)*scale, 0.5000001*scale, what)
						}
					}
				}
			}
		}
	}
}

func TestDeadFilterKeepsItsBias(t *testing.T) {
	l := Layer{Weight: make([]float32, 12), Bias: []float64{-0.37, 0, 4e-30}, InputScale: 0.02, MaxInput: MaxConvInput}
	q := l.quantise(2)
	require.Equal(t, make([]int8, 12), q.weight)
	for oc, b := range l.Bias {
		require.InDelta(t, b, float64(q.bias[oc])*q.step[oc], math.Abs(b)*1e-6)
	}
	require.Zero(t, q.bias[1])
	require.Zero(t, q.step[1])
	require.InEpsilon(t, 0.37, q.Bound, 1e-6)
}

// plain is a filter without bias, lanes or knowledge of its inputs.
func plain(w []float32) *filter {
	return (&Layer{Weight: w, Bias: []float64{0}}).filter(0, make([]int8, len(w)))
}

func BenchmarkSearchScale(b *testing.B) {
	w := testnet.Values("gaussian", 512)
	b.SetBytes(512)
	for b.Loop() {
		plain(w).searchScale()
	}
}

func abs(x int64) int64 { return max(x, -x) }
