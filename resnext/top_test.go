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

func TestSoftmax(t *testing.T) {
	same := []float32{1, 2, 3}
	Softmax(same, same)
	require.InDeltaSlice(t, []float32{0.09003057, 0.24472848, 0.66524094}, same, 1e-7)
	large := []float32{math.MaxFloat32, -math.MaxFloat32, math.MaxFloat32}
	Softmax(large, large)
	require.Equal(t, []float32{0.5, 0, 0.5}, large)
	require.Zero(t, testing.AllocsPerRun(3, func() { Rank(make([]Ranked, 3)[:3:3], same) }))
}
