package round

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/resnext"
)

// TestLanesAreObeyed: whatever the weights, no lane's sum of one sign passes the limit, and the integers of
// lanes that the limit does not touch are the nearest ones.
func TestLanesAreObeyed(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	for _, shape := range []resnext.ConvShape{
		{Name: "reduce", In: 48, Out: 3, Kernel: 1, Stride: 1, Groups: 1, InGroups: 1, OutGroups: 1},
		{Name: "expand", In: 28, Out: 3, Kernel: 1, Stride: 1, Groups: 1, InGroups: 2, OutGroups: 1},
		{Name: "transform", In: 16, Out: 16, Kernel: 3, Stride: 1, Groups: 4, InGroups: 4, OutGroups: 4},
		{Name: "transform", In: 32, Out: 32, Kernel: 3, Stride: 1, Groups: 2, InGroups: 2, OutGroups: 2},
	} {
		for _, depth := range []int{2, 4, 8} {
			for _, kind := range []string{"gaussian", "heavy tail", "one sign", "equal"} {
				lane, n := resnext.Lanes(shape, depth)
				l := Layer{Weight: make([]float32, shape.Weights()), Bias: make([]float64, shape.Out), InputScale: 0.01,
					MaxInput: MaxConvInput, lanes: newLanes(lane, n), Groups: shape.Groups}
				for i := range l.Weight {
					v := r.NormFloat64()
					switch kind {
					case "heavy tail":
						v = v * v * v
					case "one sign":
						v = -math.Abs(v)
					case "equal":
						v = 0.25
					}
					l.Weight[i] = float32(v)
				}
				q := l.quantise(1)
				size := shape.Weights() / shape.Out
				for oc := range shape.Out {
					sums := make([][2]int, n)
					for i, lane := range lane {
						v := int(q.weight[oc*size+i])
						sums[lane][0] += max(v, 0)
						sums[lane][1] -= min(v, 0)
					}
					largest := 0
					for i, lane := range lane {
						largest = max(largest, sums[lane][0], sums[lane][1])
						if max(sums[lane][0], sums[lane][1]) < resnext.LaneLimit {
							exact := float64(l.Weight[oc*size+i]) / q.step[oc] * l.InputScale
							require.InDelta(t, roundWeight(exact), float64(q.weight[oc*size+i]), 0.5)
						}
					}
					require.LessOrEqual(t, largest, resnext.LaneLimit, "%s %s, depth %d", shape.Name, kind, depth)
					require.Greater(t, largest, resnext.LaneLimit/4, "the precision that there is goes unused")
				}
			}
		}
	}
}

// TestLowerIsBest compares the greedy choice with every other.
func TestLowerIsBest(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	for range 300 {
		w, importance := make([]float64, 3), make([]float64, 3)
		for i := range w {
			w[i], importance[i] = r.Float64()*20-4, 0.1+r.Float64()
		}
		limit := float64(1 + r.IntN(20))
		var got rounding
		e := got.round(w, importance, 1, limit, math.Inf(1))
		most := e * (0.2 + r.Float64())
		var early rounding
		if give := early.round(w, importance, 1, limit, most); most < e {
			require.GreaterOrEqual(t, give, most-1e-9)
		} else {
			require.Equal(t, e, give)
		}
		best := math.Inf(1)
		for a := -4.0; a <= 16; a++ {
			for b := -4.0; b <= 16; b++ {
				for c := -4.0; c <= 16; c++ {
					if max(a, 0)+max(b, 0)+max(c, 0) <= limit && max(-a, 0)+max(-b, 0)+max(-c, 0) <= limit {
						sum := importance[0]*(w[0]-a)*(w[0]-a) + importance[1]*(w[1]-b)*(w[1]-b) + importance[2]*(w[2]-c)*(w[2]-c)
						best = min(best, sum)
					}
				}
			}
		}
		require.InDelta(t, best, e, 1e-9)
	}
}

// TestBiasCorrectsWhatRoundingLoses: at the expected input a filter computes what the float one does.
func TestBiasCorrectsWhatRoundingLoses(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	const out, groups, perGroup = 6, 3, 4
	l := Layer{Weight: make([]float32, out*perGroup), Bias: make([]float64, out), InputScale: 0.01, MaxInput: MaxConvInput,
		Groups: groups, Mean: make([]float64, groups*perGroup), variance: make([]float64, groups*perGroup)}
	for i := range l.Weight {
		l.Weight[i] = float32(r.NormFloat64())
	}
	for i := range l.Mean {
		l.Mean[i], l.variance[i] = r.Float64()*3, r.Float64()
	}
	q := l.quantise(1)
	for oc := range out {
		var want, got float64
		for i := range perGroup {
			x := l.Mean[oc/(out/groups)*perGroup+i]
			want += x * float64(l.Weight[oc*perGroup+i])
			got += x * float64(q.weight[oc*perGroup+i]) * q.step[oc] / l.InputScale
		}
		got += float64(q.bias[oc]) * q.step[oc]
		require.InDelta(t, want, got, 0.51*q.step[oc])
	}
}
