package observe

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMovingAverage: by hand, from PyTorch's formula.
func TestMovingAverage(t *testing.T) {
	var a MovingAverage
	require.Zero(t, a.Value)
	for i, want := range []float64{4, 4 + 0.01*(8-4), 4.04 + 0.01*(0-4.04), 3.9996 + 0.01*(100-3.9996)} {
		a.Add([]float64{4, 8, 0, 100}[i])
		require.InDelta(t, want, a.Value, 1e-12)
		require.Equal(t, i+1, a.Count)
	}
}

func TestMovingAverageMerges(t *testing.T) {
	values := []float64{3, 0, 7, 1e-3, 12, 12, 5, 1e6}
	var whole MovingAverage
	for _, v := range values {
		whole.Add(v)
	}
	for cut := range len(values) + 1 {
		var a, b MovingAverage
		for i, v := range values {
			if i < cut {
				a.Add(v)
			} else {
				b.Add(v)
			}
		}
		a.merge(b)
		require.Equal(t, len(values), a.Count)
		require.InEpsilon(t, whole.Value, a.Value, 1e-12)
	}
}

func TestPeak(t *testing.T) {
	require.Equal(t, 3.0, Peak([]float32{1, -3, 2}))
	require.Equal(t, 2.0, Peak([]float32{2, 0}))
	require.Zero(t, Peak(nil))
}

// TestAverageRange: positive and never beyond what was seen, however little is known.
func TestAverageRange(t *testing.T) {
	h := histogramOf(t, []float32{0, -8, 3})
	for peak, want := range map[float64]float64{5: 5, 9: 8, 0: 8, 1e-40: 8, math.Inf(1): 8} {
		require.Equal(t, want, Average.Choose(h, SignedLevels, 0, peak))
	}
}
