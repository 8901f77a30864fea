package observe

import (
	"math"
	"testing"

	"github.com/libresnext/libresnext/internal/testnet"

	"github.com/stretchr/testify/require"
)

// TestBins: merged bins count every value that is not 0 once, in its place.
func TestBins(t *testing.T) {
	for _, name := range testnet.Distributions {
		for _, n := range []int{1, 7, 72, bins, 2 * bins} {
			values := testnet.Values(name, 3000)
			h := histogramOf(t, values)
			counts, width := h.Bins(n)
			require.LessOrEqual(t, len(counts), n)
			want := make([]int64, len(counts))
			for _, v := range values {
				if v != 0 {
					want[int(math.Abs(float64(v))/width)]++
				}
			}
			require.Equal(t, want, counts, "%s %d", name, n)
			require.NotZero(t, counts[len(counts)-1])
		}
	}
	empty, width := NewHistogram().Bins(5)
	require.Empty(t, empty)
	require.Zero(t, width)
}

// TestLoss compares what a range costs with the errors of the values themselves.
func TestLoss(t *testing.T) {
	for _, name := range testnet.Distributions {
		for _, signed := range []bool{false, true} {
			for _, part := range []float64{0.01, 0.3, 0.9, 1} {
				values := testnet.Values(name, 20000)
				h := histogramOf(t, values)
				limit := part * float64(h.Max())
				step := limit / float64(Levels(signed))
				var rounding, clipping Power
				clipped := int64(0)
				for _, v := range values {
					x := math.Abs(float64(v))
					rounding.Signal, clipping.Signal = rounding.Signal+x*x, clipping.Signal+x*x
					if x > limit {
						clipped++
						clipping.Noise += (x - limit) * (x - limit)
					} else {
						d := x - step*math.RoundToEven(x/step)
						rounding.Noise += d * d
					}
				}
				loss := h.Loss(limit, signed)
				context := []any{"%s signed %v limit %v", name, signed, part}
				require.InDelta(t, clipped, loss.Clipped, 2+0.02*float64(clipped), context...)
				if part == 1 {
					require.Zero(t, loss.Clipped, context...)
					require.True(t, math.IsInf(float64(loss.Clipping), 1), context...)
				} else if clipping.Noise > 0 {
					require.InDelta(t, float64(clipping.SQNR()), float64(loss.Clipping), 0.3, context...)
				}
				if clipping.SQNR() > rounding.SQNR()-20 && rounding.Noise > 0 && clipped < 15000 {
					require.InDelta(t, float64(rounding.SQNR()), float64(loss.Rounding), 1.5, context...)
				}
			}
		}
	}
	dead := histogramOf(t, make([]float32, 9)).Loss(1, false)
	require.Zero(t, dead.Clipped)
	require.True(t, math.IsInf(float64(dead.Rounding), 1))
}
