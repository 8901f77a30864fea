package quant

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

const highTransform = "stage1.block0.transform"

// highBiases is a network in which two channels never come down to zero, and one has no weights.
func highBiases(name string) *float.Net {
	net := float.Random(small[name], 9)
	c := net.Convs[highTransform]
	size := len(c.Weight) / len(c.Bias)
	c.Bias[1] += 12
	c.Bias[4] += 20
	clear(c.Weight[2*size:][:size])
	c.Bias[2] = 5
	return net
}

// TestAbsorbedNetworkIsTheSame: its logits and the maps that others read, up to rounding; and its statistics are
// what it says.
func TestAbsorbedNetworkIsTheSame(t *testing.T) {
	for name, cfg := range small {
		if first := cfg.Stages[0]; first.Kind != resnext.Bottleneck || first.Gate.After == topology.Transform {
			continue // no transform whose constants a convolution sees
		}
		t.Run(name, func(t *testing.T) {
			net := highBiases(name)
			before := net.Clone()
			stats := collect(t, net, fewestImages)
			moved, told, n := absorb(net, stats)
			require.GreaterOrEqual(t, n, 3)
			require.Equal(t, before.Convs, net.Convs, "the network given is not changed")
			a, b := net.Convs[highTransform].Bias, moved.Convs[highTransform].Bias
			for _, c := range []int{1, 4} {
				v := a[c] - b[c]
				require.GreaterOrEqual(t, float64(v), absorbedShare*stats.Moments[highTransform].Least[c]-1e-5)
				require.LessOrEqual(t, float64(v), stats.Moments[highTransform].Least[c]+1e-5)
			}
			require.Zero(t, b[2])
			for _, s := range topology.Lower(net.Config).Steps {
				if s.Op != topology.Conv || s.Add == topology.None {
					continue // what is added behind a gate has no bias that could take a constant over
				}
				shortcut := topology.Lower(net.Config).Writer(s.Add)
				if shortcut.Role != topology.Shortcut {
					continue
				}
				m := told.Moments[shortcut.Name]
				for c, low := range m.Low {
					require.InDelta(t, 0, m.High[c]+low, 2*leastAbsorbed*(m.High[c]-low), "%s: its middle", shortcut.Name)
				}
			}
			require.Equal(t, net.Convs["stage1.block0.reduce"], moved.Convs["stage1.block0.reduce"])
			x, y := net.NewRunner(), moved.NewRunner()
			for i := range fewestImages {
				rgb := picture(net.Config, i)
				want := append([]float32(nil), x.Forward(rgb, testPreprocess())...)
				require.InDeltaSlice(t, want, y.Forward(rgb, testPreprocess()), 1e-3)
			}
			again := collect(t, moved, fewestImages)
			for name, m := range told.Moments {
				require.InDeltaSlice(t, again.Moments[name].Low, m.Low, 1e-4, name)
				require.InDeltaSlice(t, again.Moments[name].High, m.High, 1e-4, name)
				require.InDeltaSlice(t, again.Moments[name].Mean(), m.Mean(), 1e-4, name)
				require.InDeltaSlice(t, again.Moments[name].Least, m.Least, 1e-4, name)
			}
		})
	}
}

// TestAbsorptionHelps: the range of the map shrinks to what varies.
func TestAbsorptionHelps(t *testing.T) {
	net := highBiases("cifar 4 groups of 14")
	for _, s := range topology.Lower(net.Config).Steps {
		if s.Role == topology.Transform {
			for c, bias := range net.Convs[s.Name].Bias {
				net.Convs[s.Name].Bias[c] = bias + 10 + 3*float32(c%5)
			}
		}
	}
	stats := collect(t, net, 40)
	q := func(without ...Technique) (Decibel, *Diagnostics) {
		q, d, err := Quantise(t.Context(), net, source(net.Config, 40), stats, testPreprocess(), Options{Without: without})
		require.NoError(t, err)
		return logitsSQNR(net, q), d
	}
	with, told := q()
	without, plain := q(Absorption)
	t.Log(with, without)
	require.Greater(t, float64(with), float64(without)+0.5)
	require.GreaterOrEqual(t, told.Absorbed, 3)
	require.Zero(t, plain.Absorbed)
	require.Less(t, told.Layer(highTransform).Range, plain.Layer(highTransform).Range)
}

// TestNothingToAbsorb: networks, statistics and images that give no constant worth taking are left alone.
func TestNothingToAbsorb(t *testing.T) {
	net := highBiases("wide last map")
	change := func(f func(m *Moments)) *Statistics {
		s := collect(t, net, fewestImages)
		clear(s.Moments["stage1.block1.transform"].Least)
		f(s.Moments[highTransform])
		return s
	}
	few := collect(t, net, fewestImages-1)
	_, _, n := absorb(net, few)
	require.Equal(t, 1, n, "of few images only what has no weights")
	for name, s := range map[string]*Statistics{
		"none":       {Images: 100},
		"no minimum": change(func(m *Moments) { m.Least = nil }),
		"no values":  change(func(m *Moments) { m.Count = 0 }),
		"zeros":      change(func(m *Moments) { clear(m.Least) }),
		"tiny":       change(func(m *Moments) { clear(m.Least); m.Least[1], m.Least[4], m.Least[2] = 1e-3, 1e-3, 1e-40 }),
		"not finite": change(func(m *Moments) { m.Least[1] = math.Inf(1) }),
	} {
		got, same, n := absorb(net, s)
		require.Zero(t, n, name)
		require.Same(t, net, got, name)
		require.Same(t, s, same, name)
	}
}
