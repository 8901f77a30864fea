package quant

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/resnext/topology"
)

// TestEqualisedNetworkIsTheSame: up to rounding, while its maps are scaled by what it says.
func TestEqualisedNetworkIsTheSame(t *testing.T) {
	for name, cfg := range small {
		t.Run(name, func(t *testing.T) {
			net := float.RandomHeavy(cfg, 2)
			stats := collect(t, net, 6)
			e := equalise(net, stats)
			first := topology.LayerName(topology.BlockName(0, 0), cfg.Stages[0].Kind.Branch()[0].Role) // whose map one layer reads
			require.NotEqual(t, net.Convs[first].Weight, e.net.Convs[first].Weight)
			maps := map[string][]float32{}
			before, after := net.NewRunner(), e.net.NewRunner()
			before.Observe = func(name string, _, _, c int, data []float32) { maps[name] = append([]float32(nil), data...) }
			after.Observe = func(name string, _, _, c int, data []float32) {
				if factors := e.factors[name]; factors != nil {
					want := maps[name]
					for i := range want {
						want[i] *= factors[i%c]
					}
					scale := observe.Peak(want)
					require.InDeltaSlice(t, want, data, 1e-5*scale, name)
				}
			}
			for i := range 3 {
				rgb := picture(cfg, 70+i)
				want := append([]float32(nil), before.Forward(rgb, testPreprocess())...)
				require.InDeltaSlice(t, want, after.Forward(rgb, testPreprocess()), 1e-5*observe.Peak(want))
			}
			high := e.statistics().Moments[first].High
			for c, octaves := range stats.Moments[first].Log2Range(len(high)) {
				if octaves > -maxLog2Factor {
					require.InEpsilon(t, slices.Max(high), high[c], 1e-5, "all have one range")
				}
			}
			again := collect(t, e.net, 6)
			told := e.statistics()
			for map_, m := range again.Moments {
				require.InEpsilonSlice(t, positive(m.Squares), positive(told.Moments[map_].Squares), 1e-4, map_)
				tolerance := 1e-4 * max(slices.Max(m.High), -slices.Min(m.Low))
				require.InDeltaSlice(t, m.Low, told.Moments[map_].Low, tolerance, map_)
				require.InDeltaSlice(t, m.High, told.Moments[map_].High, tolerance, map_)
			}
		})
	}
}

// positive are numbers that a relative difference can be taken of.
func positive(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = v + 1e-30 + 1e-5*slices.Max(x) // what is nearly nothing has no exact figures
	}
	return y
}

// TestEqualisationHelpsUnevenChannels: where one scale for all channels of a map fits few of them.
func TestEqualisationHelpsUnevenChannels(t *testing.T) {
	cfg := small["cifar 4 groups of 14"]
	net := float.RandomHeavy(cfg, 3)
	with := logitsSQNR(net, quantised(t, net, Options{Depth: 4}))
	without := logitsSQNR(net, quantised(t, net, Options{Depth: 4, Without: []Technique{Equalisation}}))
	plain := logitsSQNR(net, quantised(t, net, Options{Depth: 4, Effort: Fast}))
	t.Log(with, without, plain)
	require.Greater(t, float64(with), float64(without)+0.5)
	require.Greater(t, float64(with), float64(plain)+1)
}

// TestEqualisationAlone: it works without the techniques that learn from the images.
func TestEqualisationAlone(t *testing.T) {
	cfg := small["cifar 4 groups of 14"]
	net := float.RandomHeavy(cfg, 3)
	stats := collect(t, net, 16)
	ratio := func(with ...Technique) Decibel {
		without := slices.DeleteFunc(Techniques(), func(t Technique) bool { return slices.Contains(with, t) })
		q, d, err := Quantise(t.Context(), net, source(cfg, 16), stats, testPreprocess(), Options{Without: without})
		require.NoError(t, err)
		for _, l := range d.Layers {
			require.ElementsMatch(t, with, l.Techniques, l.Name)
		}
		return logitsSQNR(net, q)
	}
	alone, none := ratio(Equalisation), ratio()
	t.Log(alone, none)
	require.Greater(t, float64(alone), float64(none)+1)
}
