package quant

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// TestPassIsTheNetwork: what the pass carries along is what the int8 network computes, and what the float network
// computes, up to the last bits of the pass's float32.
func TestPassIsTheNetwork(t *testing.T) {
	for name, cfg := range small {
		t.Run(name, func(t *testing.T) {
			net := float.Random(cfg, 9)
			b, err := newBuilder(context.Background(), net, source(cfg, 4), collect(t, net, 4), testPreprocess(), Options{Chains: 4})
			require.NoError(t, err)
			b.pass.uses[topology.Lower(cfg).Classifier().In].Last++ // so that the last map stays
			require.NoError(t, b.build())
			p := topology.Lower(cfg)
			id := p.Classifier().In
			last := p.Maps[id].Name
			slow, runner := naive{q: b.out}, b.net.NewRunner()
			var float []float32
			runner.Observe = func(name string, _, _, _ int, data []float32) {
				if name == last {
					float = append(float[:0], data...)
				}
			}
			unlike := 0 // a step that falls to the other side of a rounding edge early on changes others behind it
			for i, state := range b.pass.images {
				slow.run(picture(cfg, i))
				runner.Forward(picture(cfg, i), testPreprocess())
				other := 0
				for j, v := range slow.maps[last] {
					if d := v - int32(state.maps[id].int8.v[j]); d != 0 {
						require.LessOrEqual(t, max(d, -d), int32(1))
						other++
					}
				}
				require.LessOrEqual(t, other, len(slow.maps[last])/20)
				unlike += min(other, 1)
				real := make([]float32, len(float))
				state.maps[id].float.widen(real)
				var p observe.Power
				p.Add(float, real)
				require.Greater(t, float64(p.SQNR()), 70.0)
			}
			require.LessOrEqual(t, unlike, 1)
		})
	}
}

func TestQuantiseStopsWithItsContext(t *testing.T) {
	cfg := small["wide last map"]
	net := float.Random(cfg, 1)
	stats := collect(t, net, 4)
	for _, effort := range Efforts() {
		ctx, cancel := context.WithCancel(context.Background())
		layers := 0
		o := Options{Effort: effort, Progress: func(done, total int) {
			layers++
			require.Equal(t, layers, done)
			require.Equal(t, len(cfg.Convs())+1, total)
			if done == 3 {
				cancel()
			}
		}}
		_, _, err := Quantise(ctx, net, source(cfg, 4), stats, testPreprocess(), o)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 3, layers)
	}
}

// TestPassNamesTheImage: an image that cannot be read again, and a float network that overflows only now.
func TestPassNamesTheImage(t *testing.T) {
	cfg := small["wide last map"]
	net := float.Random(cfg, 1)
	stats := collect(t, net, 4)
	broken := Images{4, func(i int) ([]byte, error) {
		if i == 2 {
			return nil, errors.New("gone")
		}
		return picture(cfg, i), nil
	}}
	_, _, err := Quantise(context.Background(), net, broken, stats, testPreprocess(), Options{})
	require.EqualError(t, err, "quantisation: image 2: gone")
	for i := range net.Convs["stage1.block1.reduce"].Weight {
		net.Convs["stage1.block1.reduce"].Weight[i] = math.MaxFloat32
	}
	_, _, err = Quantise(context.Background(), net, source(cfg, 4), stats, testPreprocess(), Options{})
	require.ErrorIs(t, err, ErrNotFinite)
	require.ErrorContains(t, err, "stage1.block1.reduce")
}

// TestBudgetBoundsTheImages: however many there are, the maps of those that are carried fit.
func TestBudgetBoundsTheImages(t *testing.T) {
	cfg, err := resnext.Named("resnext50_32x4d")
	require.NoError(t, err)
	p := topology.Lower(cfg)
	for _, n := range []int{1, 3, 100, 1000000} {
		chosen := budgets[Default].pass.images(p, n)
		require.NotEmpty(t, chosen)
		require.LessOrEqual(t, int64(len(chosen))*imageBytes(p), budgets[Default].pass.memory)
		require.LessOrEqual(t, len(chosen), n)
		for i := range chosen {
			require.Less(t, chosen[i], n)
			require.True(t, i == 0 || chosen[i] > chosen[i-1])
		}
	}
	require.Len(t, passBudget{memory: 1}.images(p, 5), 1, "one image always")
	for _, stride := range []int{2, 3, 4} {
		odd := 0
		for _, at := range (passBudget{memory: 10 * imageBytes(p)}).images(p, 10*stride) {
			odd += at % 2
		}
		require.Equal(t, 5, odd, "of the images that Moments.Low knows, and of the others")
	}
}

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
