package quant

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/resnext"
)

// TestChainsAreProved: every layer for which chains were asked is proved by the loader, at every effort; and what
// the details say is what the weights are.
func TestChainsAreProved(t *testing.T) {
	for name, cfg := range small {
		net := float.RandomHeavy(cfg, 4)
		stats := collect(t, net, 4)
		for _, effort := range []Effort{Fast, Default} {
			for _, depth := range []int{DepthAuto, 0, 2, 4, 8} {
				q, d, err := Quantise(context.Background(), net, source(cfg, 4), stats, testPreprocess(), Options{Effort: effort, Depth: depth})
				require.NoError(t, err)
				require.Len(t, d.Layers, len(cfg.Convs())+1)
				total := 0.0
				for _, share := range d.DepthShares {
					total += share
				}
				require.InDelta(t, 1, total, 1e-9)
				require.LessOrEqual(t, float64(d.DepthLoss), AutoLoss)
				for i, s := range cfg.Convs() {
					l := d.Layers[i]
					require.Equal(t, s.Name, l.Name)
					require.Equal(t, s.MACs(), l.MACs)
					if depth != DepthAuto {
						require.Equal(t, depth, l.Depth)
					}
					if l.Depth > 0 {
						requireLanes(t, s, q.Convs[s.Name].Weight, l, name)
					}
					require.Greater(t, float64(l.SQNR), 15.0, l.Name)
					require.InEpsilon(t, l.Range, l.Scale*float64(observe.Levels(!s.ReLU)), 1e-6)
				}
			}
		}
	}
}

// requireLanes adds up the weights of each lane.
func requireLanes(t *testing.T, s resnext.ConvShape, w []int8, l LayerDiagnostics, what string) {
	lane, n := resnext.Lanes(s, l.Depth)
	size, full := len(w)/s.Out, 0
	for oc := range s.Out {
		positive, negative := make([]int, n), make([]int, n)
		for i, v := range w[oc*size:][:size] {
			positive[lane[i]] += max(int(v), 0)
			negative[lane[i]] -= min(int(v), 0)
		}
		for i := range n {
			most := max(positive[i], negative[i])
			require.LessOrEqual(t, most, resnext.LaneLimit, "%s: %s", what, l.Name)
			if most == resnext.LaneLimit {
				full++
			}
		}
	}
	require.InDelta(t, float64(full)/float64(n*s.Out), l.SaturatedLanes, 1e-9)
}
