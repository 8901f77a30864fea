package round

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/resnext"
)

// randomHessian is that of k inputs that vary together.
func randomHessian(r *rand.Rand, k int) *hessian {
	const samples = 40
	h := make([]float64, k*k)
	for range samples {
		x, common := make([]float64, k), r.NormFloat64()
		for i := range x {
			x[i] = r.NormFloat64() + 2*common
		}
		for i := range k {
			addScaled(h[i*k:][:k], x[i]/samples, x)
		}
	}
	return newHessian(h, k, 1e-3)
}

// hostileWeights are filters that want to break the limits of lanes.
func hostileWeights(r *rand.Rand, k int) map[string][]float64 {
	w := map[string][]float64{}
	for name, f := range map[string]func(i int) float64{
		"gaussian":     func(int) float64 { return r.NormFloat64() },
		"all equal":    func(int) float64 { return 1 },
		"all negative": func(i int) float64 { return -1 - float64(i)/100 },
		"outlier":      func(i int) float64 { return 0.001 + 100*float64(i/(k-1)) },
		"alternating":  func(i int) float64 { return float64(1-2*(i%2)) * 3 },
		"cauchy":       func(int) float64 { return math.Tan(math.Pi * (r.Float64() - 0.5)) },
		"tiny":         func(int) float64 { return 1e-30 * r.NormFloat64() },
		"huge":         func(int) float64 { return 1e30 * r.NormFloat64() },
		"zero":         func(int) float64 { return 0 },
	} {
		w[name] = make([]float64, k)
		for i := range w[name] {
			w[name][i] = f(i)
		}
	}
	return w
}

// requireLimits checks a rounder's integers and its own account of them.
func requireLimits(t *testing.T, r *rounder) {
	positive, negative := make([]float64, r.lanes.count()), make([]float64, r.lanes.count())
	for i, v := range r.q {
		require.LessOrEqual(t, math.Abs(v), float64(maxWeight))
		require.Equal(t, math.Trunc(v), v)
		positive[r.lane[i]] += max(v, 0)
		negative[r.lane[i]] -= min(v, 0)
	}
	for i := range positive {
		require.LessOrEqual(t, max(positive[i], negative[i]), r.lanes.limit)
	}
	require.Equal(t, positive, r.positive)
	require.Equal(t, negative, r.negative)
}

// TestSweepsKeepLimitsAndNeverLose: after every sweep the lanes are within their limit and the loss, computed from
// scratch, is no larger.
func TestSweepsKeepLimitsAndNeverLose(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	for _, shape := range []resnext.ConvShape{
		{In: 32, Out: 1, Kernel: 1, Stride: 1, Groups: 1, InGroups: 1, OutGroups: 1},
		{In: 8, Out: 8, Kernel: 3, Stride: 1, Groups: 2, InGroups: 2, OutGroups: 2},
		{In: 20, Out: 20, Kernel: 3, Stride: 1, Groups: 2, InGroups: 2, OutGroups: 2},
	} {
		k := shape.Weights() / shape.Out
		h := randomHessian(r, k)
		for _, depth := range []int{0, 2, 4, 8} {
			l := freeLanes(k)
			if depth > 0 {
				l = newLanes(resnext.Lanes(shape, depth))
			}
			for name, w := range hostileWeights(r, k) {
				t.Run(fmt.Sprint(k, "/", depth, "/", name), func(t *testing.T) {
					top := 0.0
					for _, v := range w {
						top = max(top, math.Abs(v))
					}
					scale := max(top, 1e-300) / 100
					d := newRounder(h, l, w)
					d.scale = scale
					gptq([]*rounder{d})
					requireLimits(t, d)
					before, _ := plainLoss(d)
					for range 10 {
						d.coordinateDescent(1)
						requireLimits(t, d)
						after, size := plainLoss(d)
						require.LessOrEqual(t, after, before*(1+1e-9)+1e-9*scale*scale)
						require.InDelta(t, after, d.loss(), 1e-6*size+1e-300)
						before = after
					}
				})
			}
		}
	}
}

// plainLoss is the loss, written plainly, and the sum of its terms' magnitudes, to which the rounding of float32 is in
// proportion.
func plainLoss(r *rounder) (loss, size float64) {
	for i, a := range r.q {
		for j, b := range r.q {
			term := (r.scale*a - r.w[i]) * r.h[i*r.k+j] * (r.scale*b - r.w[j])
			loss += term
			size += math.Abs(term)
		}
	}
	return loss, size
}

// TestRoundingTogetherIsBetter: than rounding every weight for itself, by far where inputs vary together.
func TestRoundingTogetherIsBetter(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	const k = 24
	h := randomHessian(r, k)
	var alone, together float64
	for range 50 {
		w := make([]float64, k)
		for i := range w {
			w[i] = r.NormFloat64()
		}
		d := newRounder(h, freeLanes(k), w)
		d.scale = 1.0 / 8
		for i, v := range w {
			d.set(i, roundWeight(v*8))
		}
		settle([]*rounder{d})
		alone += d.loss()
		gptq([]*rounder{d})
		d.coordinateDescent(10)
		together += d.loss()
	}
	require.Less(t, together, alone/4)
}

// TestGPTQIsNearestPlane compares with the definition: the errors, seen through the factor, are each at
// most half of its diagonal.
func TestGPTQIsNearestPlane(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	h := randomHessian(r, 12)
	w := make([]float64, 12)
	for i := range w {
		w[i] = r.NormFloat64()
	}
	d := newRounder(h, freeLanes(12), w)
	d.scale = 0.05
	gptq([]*rounder{d})
	for i := range h.k {
		sum := 0.0
		for j := i; j < h.k; j++ {
			at := h.order[j]
			sum += float64(h.factor[i*h.k+j]) * (d.q[at] - w[at]/0.05)
		}
		require.LessOrEqual(t, math.Abs(sum), float64(h.factor[i*h.k+i])/2*(1+1e-9))
	}
}

// TestHessianSolves: with damping, and also that of inputs that do not vary at all.
func TestHessianSolves(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	m := randomHessian(r, 9)
	x := make([]float64, 18)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	const damping = 0.3
	y, trace := m.solve(x, 2, damping), 0.0
	for i := range 9 {
		trace += m.h[i*9+i]
	}
	for c := range 2 {
		for i := range 9 {
			sum := damping * trace / 9 * y[i*2+c]
			for j := range 9 {
				sum += m.h[i*9+j] * y[j*2+c]
			}
			require.InDelta(t, x[i*2+c], sum, 1e-9)
		}
	}
	for _, h := range [][]float64{{0, 0, 0, 0}, {1, 1, 1, 1}, {1, 0, 0, 0}, {1e-30, 0, 0, 1e-30}, {1, -1.0000001, -1.0000001, 1}} {
		q := newHessian(h, 2, 1e-3)
		for _, v := range q.solve([]float64{1, 2}, 1, 0.1) {
			require.True(t, observe.Finite(v), "%v", h)
		}
	}
}
