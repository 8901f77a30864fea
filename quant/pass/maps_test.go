package pass

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/observe"
)

func TestU16MapsLoseLittle(t *testing.T) {
	for _, x := range [][]float32{{0}, {3, 3, 3}, {0, 1e-40}, {-5, 0.001, 7}, {0, 1e30}, {-1e-20, 1e-20}} {
		got := make([]float32, len(x))
		f := newU16Map(x)
		f.widen(got)
		for i, v := range x {
			require.InDelta(t, v, got[i], float64(f.step)*0.51+observe.SmallestNormal)
		}
	}
}
