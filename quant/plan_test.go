package quant

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
)

// TestPlanIsWhatHappens: as many images are carried at last as the plan says.
func TestPlanIsWhatHappens(t *testing.T) {
	cfg := small["wide last map"]
	net := float.Random(cfg, 1)
	stats := collect(t, net, 6)
	for _, o := range []Options{{Effort: Fast}, {}, {Without: Techniques()}, {Memory: 1}} {
		p, err := NewPlan(cfg, 6, o)
		require.NoError(t, err)
		require.Equal(t, 6, p.Collect)
		require.LessOrEqual(t, p.First, p.Last)
		require.Positive(t, p.Collecting)
		require.Positive(t, p.Quantising)
		_, d, err := Quantise(t.Context(), net, source(cfg, 6), stats, testPreprocess(), o)
		require.NoError(t, err)
		require.Equal(t, d.Images, p.Last)
	}
}

// TestPlanOfManyImages: of a large network more images ask for no more memory and, carried, for no more time; fast looks
// at fewer of them.
func TestPlanOfManyImages(t *testing.T) {
	cfg, err := resnext.Named("resnext50_32x4d")
	require.NoError(t, err)
	for _, e := range Efforts() {
		few, err := NewPlan(cfg, 512, Options{Effort: e})
		require.NoError(t, err)
		many, err := NewPlan(cfg, 100000, Options{Effort: e})
		require.NoError(t, err)
		require.Equal(t, few.Last, many.Last)
		require.Equal(t, few.Quantising, many.Quantising)
		require.Equal(t, e == Fast, few.Collect < 512)
	}
	little, err := NewPlan(cfg, 512, Options{Memory: 400 << 20})
	require.NoError(t, err)
	usual, err := NewPlan(cfg, 512, Options{})
	require.NoError(t, err)
	require.Less(t, little.First, usual.First)
	require.Equal(t, int64(DefaultMemory), usual.Memory)
	least, err := NewPlan(cfg, 512, Options{Memory: 1})
	require.NoError(t, err)
	require.Greater(t, least.Memory, int64(100<<20), "the network's own")
	_, err = NewPlan(cfg, 1, Options{Memory: -1})
	require.ErrorContains(t, err, "memory is -1")
}
