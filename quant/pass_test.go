package quant

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
)

// TestPassIsTheNetwork: what the pass carries along is what the int8 network computes, and what the float network
// computes, up to the last bits of the pass's float32.
func TestPassIsTheNetwork(t *testing.T) {
	for name, cfg := range small {
		t.Run(name, func(t *testing.T) {
			net := float.Random(cfg, 9)
			var b *builder
			compared := false
			o := Options{Depth: 4, Progress: func(done, total int) {
				if done == total { // the classifier's input is still there
					requirePassIsTheNetwork(t, b)
					compared = true
				}
			}}
			var err error
			b, err = newBuilder(context.Background(), net, source(cfg, 4), collect(t, net, 4), testPreprocess(), o)
			require.NoError(t, err)
			require.NoError(t, b.build())
			require.True(t, compared)
		})
	}
}

// requirePassIsTheNetwork compares the classifier's input.
func requirePassIsTheNetwork(t *testing.T, b *builder) {
	cfg := b.net.Config
	id := b.program.Head().In
	last := b.program.Maps[id].Name
	slow, runner := naive{q: b.out}, b.net.NewRunner()
	var float []float32
	runner.Observe = func(name string, _, _, _ int, data []float32) {
		if name == last {
			float = append(float[:0], data...)
		}
	}
	most, share := int32(1), 20
	if cfg.Gated() {
		most, share = 4, 2 // a gate spreads an edge over its channel
	}
	unlike := 0 // a step that falls to the other side of a rounding edge early on changes others after it
	for i := range b.pass.Images() {
		slow.run(picture(cfg, b.pass.Chosen(i)))
		runner.Forward(picture(cfg, b.pass.Chosen(i)), testPreprocess())
		other := 0
		values := b.pass.Int8(i, id)
		for j, v := range slow.maps[last] {
			if d := v - int32(values[j]); d != 0 {
				require.LessOrEqual(t, max(d, -d), most)
				other++
			}
		}
		require.LessOrEqual(t, other, len(slow.maps[last])/share)
		unlike += min(other, 1)
		var p observe.Power
		p.Add(float, b.pass.Float(i, id))
		require.Greater(t, float64(p.SQNR()), 70.0)
	}
	require.LessOrEqual(t, unlike, 1)
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
