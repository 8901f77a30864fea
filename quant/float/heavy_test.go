package float

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// TestRandomHeavyIsRandomRescaled: the same answers, from maps whose channels differ by two decades.
func TestRandomHeavyIsRandomRescaled(t *testing.T) {
	cfg, err := resnext.Named("resnext20_8x4d_w2")
	require.NoError(t, err)
	cfg.Height, cfg.Width = 16, 16
	plain, heavy := Random(cfg, 5), RandomHeavy(cfg, 5)
	require.Equal(t, heavy.Convs["stem"], plain.Convs["stem"])
	x := make([]float32, 16*16*3)
	for i := range x {
		x[i] = float32(math.Sin(float64(i)))
	}
	strengths := func(r *Runner) (ranges []float64, logits []float32) {
		r.Observe = func(name string, _, _, c int, data []float32) {
			if name != "stage3.block0.reduce" {
				return
			}
			ranges = make([]float64, c)
			for i, v := range data {
				ranges[i%c] = max(ranges[i%c], float64(v))
			}
		}
		logits = slices.Clone(r.ForwardInput(x))
		slices.Sort(ranges)
		return ranges, logits
	}
	even, want := strengths(plain.NewRunner())
	uneven, got := strengths(heavy.NewRunner())
	for i := range want {
		require.InDelta(t, want[i], got[i], 1e-4*(1+math.Abs(float64(want[i]))))
	}
	last := len(even) - 1
	require.Greater(t, uneven[last]/uneven[last/8], 5*even[last]/even[last/8])
	again := RandomHeavy(cfg, 5)
	require.Equal(t, heavy.Convs, again.Convs)
	for octaves, want := range map[float64]float32{0: 1, 1: 2, -1: 0.5, 3: 8, -3: 0.125, 0.5: 1.5, -0.5: 0.75, 3.33: 8 * 1.33} {
		require.InEpsilon(t, want, powerOfTwo(octaves), 1e-6)
	}
}

// TestLayerIsTheRunners: a layer on its own computes what it does inside a network.
func TestLayerIsTheRunners(t *testing.T) {
	cfg, err := resnext.Named("resnext20_8x4d_w2")
	require.NoError(t, err)
	cfg.Height, cfg.Width = 16, 16
	net := Random(cfg, 6)
	maps := map[string][]float32{}
	r := net.NewRunner()
	r.Observe = func(name string, _, _, _ int, data []float32) { maps[name] = slices.Clone(data) }
	r.ForwardInput(make([]float32, 16*16*3))
	p := topology.Lower(cfg)
	for _, s := range p.Steps {
		if s.Role == topology.Transform {
			layer := NewLayer(net.Convs[s.Name]).Clone()
			y := make([]float32, len(maps[s.Name]))
			layer.Run(maps[p.Maps[s.In].Name], y, false)
			require.Equal(t, maps[s.Name], y)
		}
	}
}
