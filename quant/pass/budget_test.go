package pass

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// TestBudgetBoundsTheImages: however many there are, the maps of those that are carried fit.
func TestBudgetBoundsTheImages(t *testing.T) {
	cfg, err := resnext.Named("resnext50_32x4d")
	require.NoError(t, err)
	p := topology.Lower(cfg)
	budget := Budget{Memory: 768 << 20}
	for _, n := range []int{1, 3, 100, 1000000} {
		chosen := budget.images(p, n)
		require.NotEmpty(t, chosen)
		require.LessOrEqual(t, int64(len(chosen))*imageBytes(p), budget.Memory)
		require.LessOrEqual(t, len(chosen), n)
		for i := range chosen {
			require.Less(t, chosen[i], n)
			require.True(t, i == 0 || chosen[i] > chosen[i-1])
		}
	}
	require.Len(t, Budget{Memory: 1}.images(p, 5), 1, "one image always")
	for _, stride := range []int{2, 3, 4} {
		odd := 0
		for _, at := range (Budget{Memory: 10 * imageBytes(p)}).images(p, 10*stride) {
			odd += at % 2
		}
		require.Equal(t, 5, odd, "of the images that Moments.Low knows, and of the others")
	}
}
