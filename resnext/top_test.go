package resnext

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRank compares with sorting everything, for few and many classes, with many equals.
func TestRank(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 2, 7, 100} {
		logits := make([]float32, n)
		for i := range logits {
			logits[i] = float32(rnd.IntN(20)) - 10
		}
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return int(logits[b] - logits[a]) })
		probabilities := make([]float32, n)
		Softmax(probabilities, logits)
		for k := range n + 2 {
			got := Rank(make([]Ranked, k), logits)
			require.Len(t, got, min(k, n))
			for i, r := range got {
				class := order[i]
				require.Equal(t, Ranked{uint32(class), probabilities[class], logits[class]}, r, "place %d of %d", i, k)
			}
		}
	}
}

// TestRankOfLabels: a model whose labels do not compete orders them as another would, and gives each its own probability.
func TestRankOfLabels(t *testing.T) {
	logits := []float32{-1, 3, 0, 3, -200, 200}
	m := &Model{config: Config{Head: MultiLabel, Classes: len(logits)}}
	own := make([]float32, len(logits))
	Sigmoid(own, logits)
	require.InDeltaSlice(t, []float32{0.26894142, 0.95257413, 0.5, 0.95257413, 0, 1}, own, 1e-7)
	got := m.Rank(make([]Ranked, 9), logits)
	softmax := Rank(make([]Ranked, 9), logits)
	require.Len(t, got, len(logits))
	for i, r := range got {
		require.Equal(t, Ranked{softmax[i].Class, own[r.Class], logits[r.Class]}, r)
	}
	other := &Model{config: Config{Classes: len(logits)}}
	require.Equal(t, softmax, other.Rank(make([]Ranked, 9), logits))

	classes := func(top []Prediction) (all []int) {
		for _, p := range top {
			all = append(all, p.Class)
		}
		return all
	}
	require.Equal(t, []int{5, 1, 3, 2}, classes(m.TopAbove(logits, 9, 0.5)), "at the threshold, too")
	require.Equal(t, []int{5, 1}, classes(m.TopAbove(logits, 2, 0.5)))
	require.Equal(t, []int{5, 1, 3, 2, 0, 4}, classes(m.TopAbove(logits, 9, 0)))
	require.Empty(t, m.TopAbove([]float32{-1, -2}, 9, 0.5))
	require.Zero(t, testing.AllocsPerRun(3, func() { m.Rank(make([]Ranked, 3)[:3:3], logits) }))
	Sigmoid(logits, logits)
	require.Equal(t, own, logits)
}

func TestSoftmax(t *testing.T) {
	same := []float32{1, 2, 3}
	Softmax(same, same)
	require.InDeltaSlice(t, []float32{0.09003057, 0.24472848, 0.66524094}, same, 1e-7)
	large := []float32{math.MaxFloat32, -math.MaxFloat32, math.MaxFloat32}
	Softmax(large, large)
	require.Equal(t, []float32{0.5, 0, 0.5}, large)
	require.Zero(t, testing.AllocsPerRun(3, func() { Rank(make([]Ranked, 3)[:3:3], same) }))
}
