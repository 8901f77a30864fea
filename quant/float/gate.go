package float

import (
	"math"

	"github.com/libresnext/libresnext/resnext/topology"
)

// Gate computes what a gated step multiplies its channels with. Not for concurrent use.
type Gate struct {
	kind   topology.GateKind
	signed bool // the output
	layers []*Conv
	hidden []float32 // behind the ReLU; nil where there is no such layer
	means  []float32
	gates  []float32
}

// NewGate makes the gate of a step; its layers must be part of n.
func (n *Net) NewGate(p *topology.Program, s topology.Step) *Gate {
	channels := p.Maps[s.In].Channels
	g := &Gate{kind: s.GateKind, signed: p.Maps[s.Out].Signed, means: make([]float32, channels), gates: make([]float32, channels)}
	for _, l := range s.Gate {
		g.layers = append(g.layers, n.conv(l))
	}
	if s.GateKind == topology.SqueezeExcite {
		g.hidden = make([]float32, s.Gate[0].Out)
	}
	return g
}

// Of gives the gates of a map x, [pixels][channels], in 0 to 1, and what lies between the two layers of a
// SqueezeExcite. Both are valid until the next call.
func (g *Gate) Of(x []float32) (gates, hidden []float32) {
	c := len(g.means)
	averagePool(x, len(x)/c, c, g.means)
	if g.kind == topology.SqueezeExcite {
		linear(g.layers[0], g.means, g.hidden)
		for i, v := range g.hidden {
			g.hidden[i] = max(v, 0)
		}
		linear(g.layers[1], g.hidden, g.gates)
	} else {
		across(g.layers[0], g.means, g.gates)
	}
	for i, v := range g.gates {
		g.gates[i] = Sigmoid(v)
	}
	return g.gates, g.hidden
}

// Apply computes the step's output y from its input x: x times the gates, plus what y holds where add says so. A ReLU
// follows unless the output is signed.
func (g *Gate) Apply(x, y []float32, add bool) {
	if !add {
		clear(y)
	}
	floor := float32(0)
	if g.signed {
		floor = float32(math.Inf(-1))
	}
	for c := len(g.gates); len(x) > 0; x, y = x[c:], y[c:] {
		for i, gate := range g.gates {
			y[i] = max(y[i]+x[i]*gate, floor)
		}
	}
}

// Sigmoid is 1 / (1 + exp(-x)).
func Sigmoid(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) }

// linear computes a linear layer.
func linear(c *Conv, x, y []float32) {
	for o := range y {
		sum := c.Bias[o]
		for i, v := range c.Weight[o*len(x):][:len(x)] {
			sum += v * x[i]
		}
		y[o] = sum
	}
}

// across computes a convolution over neighbouring channels, with zeros beyond the ends.
func across(c *Conv, x, y []float32) {
	half := len(c.Weight) / 2
	for o := range y {
		sum := c.Bias[0]
		for i, v := range c.Weight {
			if at := o + i - half; at >= 0 && at < len(x) {
				sum += v * x[at]
			}
		}
		y[o] = sum
	}
}
