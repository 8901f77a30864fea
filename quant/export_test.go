package quant

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
)

func TestWeightSQNR(t *testing.T) {
	c := &float.Conv{Weight: []float32{1, 2, 3, -4, 0.5, 0.25}, Bias: make([]float32, 2), Shape: resnext.ConvShape{Name: "x"}}
	q := []int8{10, 20, 30, -80, 10, 5}
	p := testPreprocess()
	require.Greater(t, float64(WeightSQNR(c, q, p)), 150.0) // exact but for float64
	q[2] = 0
	// The best scale of 1, 2, 3 for 10, 20, 0 is 0.1, which loses 9 of 30.3125.
	require.InDelta(t, 10*math.Log10(30.3125/9), float64(WeightSQNR(c, q, p)), 1e-9)
	require.Zero(t, WeightSQNR(c, make([]int8, 6), p)) // all is lost
	c.Shape.Image = true
	p.Std = [3]float32{1, 2, 4}
	for i := range c.Weight {
		c.Weight[i] *= p.Std[i%3]
	}
	q[2] = 30
	require.Greater(t, float64(WeightSQNR(c, q, p)), 120.0)
}

func TestWeightSpread(t *testing.T) {
	for _, c := range []struct {
		weights []float32
		want    float64
	}{
		{[]float32{1, -2, 0, 0, 1, 0, -8, 4}, 4}, // ranges 2, (0), 1, 8: the median is 2
		{[]float32{0, 0, 0, 0}, 1},
		{[]float32{3, -3}, 1},
	} {
		require.Equal(t, c.want, WeightSpread(&float.Conv{Weight: c.weights, Bias: make([]float32, len(c.weights)/2)}))
	}
}

// TestLaneUtilisation: chains that quantisation made provable fill no lane beyond the limit, free weights do.
func TestLaneUtilisation(t *testing.T) {
	net := float.Random(small["cifar 4 groups of 14"], 7)
	free, deepened := quantised(t, net, Options{}), quantised(t, net, Options{Depth: 4})
	over := 0
	for _, s := range net.Config.Convs() {
		mean, largest := LaneUtilisation(s, deepened.Convs[s.Name].Weight, 4)
		require.LessOrEqual(t, largest, 1.0, s.Name)
		require.Greater(t, mean, 0.05, s.Name)
		require.LessOrEqual(t, mean, largest, s.Name)
		if _, largest := LaneUtilisation(s, free.Convs[s.Name].Weight, 4); largest > 1 {
			over++
		}
	}
	require.NotZero(t, over)
	s := resnext.ConvShape{Name: "x", In: 8, Out: 1, Kernel: 1, Stride: 1, Groups: 1, InGroups: 1, OutGroups: 1}
	_, largest := LaneUtilisation(s, []int8{127, 127, 127, 127, -1, -1, -1, -1}, 2)
	require.Equal(t, 254.0/128, largest)
	mean, largest := LaneUtilisation(s, nil, 2)
	require.Zero(t, mean+largest)
}

// TestCompareAnswers: the answers come in the images' order, whatever the threads, and may be kept.
func TestCompareAnswers(t *testing.T) {
	net := float.Random(small["cifar 4 groups of 14"], 7)
	model := packed(t, quantised(t, net, Options{}))
	const n = 12
	load := func(i int) ([]byte, int, error) { return picture(net.Config, 300+i), i%3 - 1, nil }
	run := func(threads int) (answers []Answer, agreement float64) {
		o := CompareOptions{Threads: threads, Answer: func(a Answer) { answers = append(answers, a) }}
		c, err := Compare(context.Background(), net, model, n, load, testPreprocess(), o)
		require.NoError(t, err)
		return answers, c.Agreement
	}
	one, agreement := run(1)
	require.Len(t, one, n)
	same := 0
	runner := net.NewRunner()
	for i, a := range one {
		require.Equal(t, i, a.Image)
		require.Equal(t, i%3-1, a.Label)
		require.Equal(t, runner.Forward(picture(net.Config, 300+i), testPreprocess()), a.Float)
		if Top(a.Float) == Top(a.Int8) {
			same++
		}
	}
	require.InDelta(t, agreement, float64(same)/n, 1e-9)
	three, _ := run(3)
	require.Equal(t, one, three)
}
