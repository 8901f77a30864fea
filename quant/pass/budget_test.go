package pass

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// TestBudgetBoundsTheImages: however many there are, the maps of those that are carried fit in every step; none leaves
// on the way; and they are as many as have use, in the bounds of the work.
func TestBudgetBoundsTheImages(t *testing.T) {
	cfg, err := resnext.Named("resnext50_32x4d")
	require.NoError(t, err)
	p := topology.Lower(cfg)
	last := len(p.Steps) - 1
	for _, memory := range []int64{1, 150 << 20, 300 << 20, 1 << 40} {
		budget := Budget{Memory: memory, Hessian: 2304, Samples: 8192, Fewest: 64, Work: 400 << 30}
		for _, n := range []int{1, 3, 100, 1000000} {
			before := 0
			for step := range p.Steps {
				m := budget.Images(p, step, n)
				require.GreaterOrEqual(t, m, max(1, before))
				require.LessOrEqual(t, m, n)
				if m > 1 {
					require.LessOrEqual(t, int64(m), budget.fits(p, step))
					require.LessOrEqual(t, int64(m)*cfg.MACs(), int64(400<<30))
				}
				before = m
			}
		}
	}
	resnet18, err := resnext.Named("resnet18")
	require.NoError(t, err)
	require.Greater(t, Budget{Memory: 300 << 20, Hessian: 2304, Samples: 8192, Fewest: 64}.Images(topology.Lower(resnet18), 0, 512), 32,
		"what is too large for a Hessian takes no memory")
	early := Budget{Memory: 300 << 20, Hessian: 2304, Samples: 8192, Fewest: 64, Work: 400 << 30}.Images(p, 5, 512)
	require.Less(t, early, 64, "not all fit where maps are large")
	wide := Budget{Memory: 1 << 40, Samples: 8192, Fewest: 64, Work: 500 * cfg.MACs() * 101 / 100}
	require.Equal(t, 64, wide.Images(p, 0, 512), "the stem's many pixels need no more")
	require.Equal(t, 168, wide.Images(p, last-1, 512), "8192 pixels in maps of 7x7")
	require.Equal(t, 505, wide.Images(p, last, 512), "the classifier sees each image once")
	small := Budget{Memory: 1 << 40, Samples: 8192, Fewest: 64, Work: 1 << 60}
	require.Equal(t, 512, small.Images(p, 0, 512), "all, where they cost next to nothing")
	require.Equal(t, 64, Budget{Memory: 1 << 40, Samples: 8192, Fewest: 64}.Images(p, last, 512), "no work beyond the fewest")
}

// TestChosenImagesAreSpread: in the order of the images where all join at once; else so that the first of them are spread
// over all, and half of any are those that Moments.Low knows.
func TestChosenImagesAreSpread(t *testing.T) {
	require.Equal(t, []int{0, 3, 4}, choose(3, 6, true))
	for _, n := range []int{1, 2, 7, 64, 100, 511, 512, 1000000} {
		for _, m := range []int{1, 2, 5, 64, 100, 512} {
			if m > n {
				continue
			}
			chosen := choose(m, n, false)
			seen := map[int]bool{}
			for j, at := range chosen {
				require.True(t, at >= 0 && at < n && !seen[at], "%d of %d", m, n)
				seen[at] = true
				if n >= 3*m {
					require.Equal(t, j%2, at%2)
				}
			}
			if m < 64 {
				continue
			}
			var part [4]int
			for _, at := range chosen[:32] {
				part[at*4/n]++
			}
			for _, k := range part {
				require.InDelta(t, 8, k, 2, "of the first 32 in each quarter")
			}
		}
	}
}
