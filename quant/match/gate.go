package match

import (
	"fmt"

	"github.com/libresnext/libresnext/resnext/topology"
)

// gate is a scaling of channels by numbers that follow from their means.
type gate struct {
	kind topology.GateKind
	mean *Node
	// layers are those of gateRoles, in that order.
	layers []unit
}

// gateRoles are the layers of a gate.
var gateRoles = map[topology.GateKind][]topology.Role{
	topology.SqueezeExcite: {topology.Squeeze, topology.Excite},
	topology.NeighbourGate: {topology.Neighbours},
}

// gate follows the gate of a unit's output over its multiplication, if there is one: two nodes take a map that is
// gated, the average and the multiplication.
func (m *matcher) gate(u *unit) error {
	c := m.consumers[u.last]
	if len(c) != 2 {
		return nil
	}
	mean, product := c[0], c[1]
	if mean.Op != Average {
		mean, product = product, mean
	}
	if mean.Op != Average || product.Op != Multiply {
		return nil
	}
	if mean.Problem != "" {
		return mean.problem()
	}
	g := &gate{mean: mean}
	last, err := m.gateLayers(g)
	if err != nil {
		return err
	}
	if last, err = m.next(Sigmoid, "the sigmoid of a gate (a hard one does not run here)", last); err != nil {
		return err
	}
	end, err := m.next(Multiply, "a multiplication of the gate with its map", last)
	if err != nil {
		return err
	}
	if end != product || len(end.In) != 2 {
		return fmt.Errorf("%s: the gate from %s multiplies another map than that of %s; expected the map that its means are of", end.Title, mean.Title, u.last.Title)
	}
	u.gate, u.last = g, end
	return nil
}

// gateLayers finds the layers of a gate, and gives the last of them.
func (m *matcher) gateLayers(g *gate) (*Node, error) {
	c := m.only(g.mean)
	if c != nil && c.Op == Across {
		g.kind = topology.NeighbourGate
		g.layers = []unit{{conv: c}}
		switch {
		case c.Problem != "":
			return nil, c.problem()
		case c.Kernel%2 == 0 || c.Pad != c.Kernel/2 || c.Stride != 1:
			return nil, fmt.Errorf("%s looks at %d channels with stride %d and padding %d; expected an odd number of them, 1 and half that number", c.Title, c.Kernel, c.Stride, c.Pad)
		}
		return c, nil
	}
	g.kind = topology.SqueezeExcite
	squeeze, err := m.full("the first layer of a gate: a linear layer, a 1x1 convolution or one over the channels", g.mean)
	if err != nil {
		return nil, err
	}
	relu, err := m.next(ReLU, "a ReLU between the layers of a gate", squeeze)
	if err != nil {
		return nil, err
	}
	excite, err := m.full("the second layer of a gate, a linear layer or a 1x1 convolution", relu)
	g.layers = []unit{{conv: squeeze}, {conv: excite}}
	return excite, err
}

// full is the one node that takes n's output, a linear layer or a convolution that is one.
func (m *matcher) full(what string, n *Node) (*Node, error) {
	c := m.only(n)
	if c == nil || c.Op != Linear && c.Op != Conv {
		return nil, m.expected(what, n)
	}
	if c.Problem != "" {
		return nil, c.problem()
	}
	if c.Op == Conv && (c.Kernel != 1 || c.Stride != 1 || c.Groups != 1 || c.Pad != 0) {
		return nil, fmt.Errorf("%s is %dx%d with stride %d, padding %d and %d groups; expected %s", c.Title, c.Kernel, c.Kernel, c.Stride, c.Pad, c.Groups, what)
	}
	return c, nil
}

// config is the gate behind a role's convolution.
func (g *gate) config(after topology.Role) topology.Gate {
	c := topology.Gate{Kind: g.kind, After: after}
	if first := g.layers[0].conv; g.kind == topology.SqueezeExcite {
		c.Hidden = first.out()
	} else {
		c.Kernel = first.Kernel
	}
	return c
}
