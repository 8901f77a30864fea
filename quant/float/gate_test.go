package float

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// TestGates follows each gate of small networks by hand: its map's averages, the layers in it, a sigmoid, the product and
// the add.
func TestGates(t *testing.T) {
	for name, cfg := range testnet.Gated() {
		t.Run(name, func(t *testing.T) {
			n := Random(cfg, 3)
			maps := map[string][]float32{}
			r := n.NewRunner()
			r.Observe = func(name string, _, _, _ int, data []float32) { maps[name] = append([]float32(nil), data...) }
			r.Forward(testnet.Noise(cfg, 1), resnext.CIFARPreprocess())
			p := topology.Lower(cfg)
			met := 0
			for _, s := range p.Steps {
				if s.Op != topology.Gated {
					continue
				}
				met++
				x, c := maps[p.Maps[s.In].Name], p.Maps[s.In].Channels
				gates := naiveGates(n, s, x, c)
				least := 0.0
				if p.Maps[s.Out].Signed {
					least = math.Inf(-1)
				}
				for i, got := range maps[s.Name] {
					want := float64(x[i]) * gates[i%c]
					if s.Add != topology.None {
						want += float64(maps[p.Maps[s.Add].Name][i])
					}
					require.InDelta(t, max(want, least), got, 1e-4)
				}
			}
			require.Positive(t, met)
		})
	}
}

func naiveGates(n *Net, s topology.Step, x []float32, c int) []float64 {
	means := make([]float64, c)
	for i, v := range x {
		means[i%c] += float64(v) / float64(len(x)/c)
	}
	gates := make([]float64, c)
	if s.GateKind == topology.SqueezeExcite {
		squeeze, excite := n.Convs[s.Gate[0].Name], n.Convs[s.Gate[1].Name]
		hidden := make([]float64, s.Gate[0].Out)
		for j := range hidden {
			hidden[j] = float64(squeeze.Bias[j])
			for i, m := range means {
				hidden[j] += float64(squeeze.Weight[j*c+i]) * m
			}
		}
		for i := range gates {
			gates[i] = float64(excite.Bias[i])
			for j, h := range hidden {
				gates[i] += float64(excite.Weight[i*len(hidden)+j]) * max(h, 0)
			}
		}
	} else {
		kernel := n.Convs[s.Gate[0].Name]
		for i := range gates {
			gates[i] = float64(kernel.Bias[0])
			for k, w := range kernel.Weight {
				if at := i + k - len(kernel.Weight)/2; at >= 0 && at < c {
					gates[i] += float64(w) * means[at]
				}
			}
		}
	}
	for i, v := range gates {
		gates[i] = 1 / (1 + math.Exp(-v))
	}
	return gates
}

func TestAveragePool2x2(t *testing.T) {
	x := []float32{1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60, 7, 70, 8, 80, 9, 90} // 3x3 pixels of 2 channels
	y := make([]float32, 8)
	averagePool2x2(x, 3, 3, 2, y)
	require.Equal(t, []float32{3, 30, 4.5, 45, 7.5, 75, 9, 90}, y)
}

func TestBlur(t *testing.T) {
	x := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9} // 3x3 pixels of a channel; beyond the edges 5 is next to 2 and 4
	y := make([]float32, 4)
	blur(x, 3, 3, 1, y)
	require.Equal(t, []float32{3, 4, 6, 7}, y)
	blur([]float32{5}, 1, 1, 1, y)
	require.Equal(t, float32(5), y[0])
	z := make([]float32, 9)
	maxPool(x, 3, 3, 1, 1, z)
	require.Equal(t, []float32{5, 6, 6, 8, 9, 9, 8, 9, 9}, z)
}

// TestPadded: shortcut A moves channels and takes every second pixel.
func TestPadded(t *testing.T) {
	c := Padded(resnext.ConvShape{Name: "x", In: 2, Out: 5, Kernel: 1, Stride: 2, Groups: 1, InH: 3, InW: 2, OutH: 2, OutW: 1}, 1)
	y := make([]float32, 10)
	NewLayer(c).Run([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, y, false)
	require.Equal(t, []float32{0, 1, 2, 0, 0, 0, 9, 10, 0, 0}, y)
}
