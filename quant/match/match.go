package match

import (
	"fmt"

	"github.com/libresnext/libresnext/resnext/topology"
)

// Match finds the network whose logits, or features, are output's. height and width are the size of its images in pixels;
// 0 takes the usual one, 224x224 or, where the stem keeps the size of its image, 32x32.
func Match(output *Node, height, width int) (*Network, error) {
	m := &matcher{consumers: make(map[*Node][]*Node), output: output}
	input, err := m.collect()
	if err != nil {
		return nil, err
	}
	x, err := m.findStem(input)
	if err != nil {
		return nil, err
	}
	for !m.atHead(x) {
		if x, err = m.block(x); err != nil {
			return nil, err
		}
		if len(m.blocks) > maxBlocks {
			return nil, fmt.Errorf("more than %d blocks; that is no network of this family", maxBlocks)
		}
	}
	if err := m.findHead(x); err != nil {
		return nil, err
	}
	return m.network(height, width)
}

// maxBlocks bounds the blocks; ResNet-152 has 50.
const maxBlocks = 2048

// matcher is one walk over a graph.
type matcher struct {
	consumers map[*Node][]*Node
	output    *Node

	stem   []unit
	pool   *Node
	blocks []block
	mean   *Node
	// classifier is nil where head is an embedding.
	classifier *Node
	head       topology.Head

	normalisation *Normalisation
	notes         []string
}

// unit is a convolution with what follows it, as far as it does: normalisation, ReLU, the average pooling that
// halves the map in place of a stride, and a gate.
type unit struct {
	conv, norm *Node
	relu       bool
	pool       *Node
	gate       *gate
	last       *Node // the one whose output leaves the unit
}

// stride is by how much the unit shrinks its map.
func (u *unit) stride() int {
	if u.pool != nil {
		return u.conv.Stride * u.pool.Stride
	}
	return u.conv.Stride
}

// block is a block.
type block struct {
	kind     topology.Kind
	branch   []unit
	shortcut shortcut
	gate     topology.Gate
	// strided is the unit that shrinks the map, and strideOn its role; nil if none does.
	strided  *unit
	strideOn topology.Role
	// cardinality is the number of groups; 0 in kinds without.
	cardinality int
}

// collect finds who takes what, and the one input.
func (m *matcher) collect() (*Node, error) {
	var input *Node
	seen := map[*Node]bool{m.output: true}
	queue := []*Node{m.output}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		if n.Op == Input {
			if input != nil && input.sameImage(n) {
				return nil, fmt.Errorf("%s and %s give the image in two ways; expected one preparation, before the stem", input.Title, n.Title)
			}
			if input != nil {
				return nil, fmt.Errorf("the logits depend on two inputs, %s and %s; expected one image [N,3,height,width]: export the network with the image alone", input.Title, n.Title)
			}
			input = n
		}
		for _, in := range n.In {
			m.consumers[in] = append(m.consumers[in], n)
			if !seen[in] {
				seen[in] = true
				queue = append(queue, in)
			}
		}
	}
	if input == nil {
		return nil, fmt.Errorf("the logits (%s) do not depend on any input; expected an image [N,3,height,width]", m.output.Title)
	}
	return input, nil
}

// only is the one node that takes n's output, or nil.
func (m *matcher) only(n *Node) *Node {
	if c := m.consumers[n]; len(c) == 1 {
		return c[0]
	}
	return nil
}

// after describes what takes n's output, for messages.
func (m *matcher) after(n *Node) string {
	c := m.consumers[n]
	switch len(c) {
	case 0:
		return "the end of the graph"
	case 1:
		return c[0].Title
	}
	return fmt.Sprintf("%d nodes, %s and %s among them", len(c), c[0].Title, c[1].Title)
}

// expected reports that n's consumer is not what the family has there.
func (m *matcher) expected(what string, n *Node) error {
	for _, c := range m.consumers[n] {
		if c.Problem != "" {
			return c.problem()
		}
	}
	return fmt.Errorf("after %s: expected %s, found %s; only networks of the ResNet family run here: export the plain network (in eval mode, without pre- and postprocessing)",
		n.Title, what, m.after(n))
}

func (n *Node) problem() error { return fmt.Errorf("%s %s", n.Title, n.Problem) }

// next is the one node of the given operator that takes n's output, fit for use.
func (m *matcher) next(op Op, what string, n *Node) (*Node, error) {
	c := m.only(n)
	if c == nil || c.Op != op {
		return nil, m.expected(what, n)
	}
	if c.Problem != "" {
		return nil, c.problem()
	}
	return c, nil
}

// unit follows a convolution over what belongs to it.
func (m *matcher) unit(conv *Node) (unit, error) {
	u := unit{conv: conv, last: conv}
	if conv.Problem != "" {
		return u, conv.problem()
	}
	if want := conv.Kernel / 2; conv.Pad != want {
		return u, fmt.Errorf("%s has a padding of %d; expected %d for a kernel of %dx%d", conv.Title, conv.Pad, want, conv.Kernel, conv.Kernel)
	}
	if c := m.only(u.last); c != nil && c.Op == Norm {
		if c.Problem != "" {
			return u, c.problem()
		}
		if got, want := len(c.Stats.Gain), conv.Weight.Shape[0]; got != want {
			return u, fmt.Errorf("%s normalises %d channels, %s before it gives %d", c.Title, got, conv.Title, want)
		}
		u.norm, u.last = c, c
	}
	if c := m.only(u.last); c != nil && c.Op == ReLU {
		if c.Problem != "" {
			return u, c.problem()
		}
		u.relu, u.last = true, c
	}
	if c := m.only(u.last); u.relu && c != nil && c.halves() {
		if c.Problem != "" {
			return u, c.problem()
		}
		u.pool, u.last = c, c
	}
	return u, m.gate(&u)
}

// findStem finds the convolutions before the first block, and the pooling if there is one. A 1x1 convolution begins a
// block.
func (m *matcher) findStem(input *Node) (*Node, error) {
	if input.Problem != "" {
		return nil, input.problem()
	}
	conv, err := m.next(Conv, "the stem, a convolution from RGB", input)
	if err != nil {
		return nil, err
	}
	x := input
	for ; conv != nil && conv.Op == Conv && (x == input || conv.Kernel > 1); conv = m.only(x) {
		if m.pool != nil {
			return nil, fmt.Errorf("%s comes before %s; expected the stem's pooling behind its convolutions", m.pool.Title, conv.Title)
		}
		u, err := m.unit(conv)
		if err != nil {
			return nil, err
		}
		if !u.relu {
			return nil, m.expected("a ReLU", u.last)
		}
		if u.gate != nil {
			return nil, fmt.Errorf("%s is in the stem; expected gates in blocks alone", u.last.Title)
		}
		m.stem, m.pool, x = append(m.stem, u), u.pool, u.last
	}
	if err := m.prepare(input); err != nil {
		return nil, err
	}
	if c := m.only(x); c != nil && c.Op == MaxPool {
		if c.Problem != "" {
			return nil, c.problem()
		}
		if c.Kernel != 3 || c.Stride != 2 || c.Pad != 1 {
			return nil, fmt.Errorf("%s is %dx%d with stride %d and padding %d; expected 3x3, 2 and 1", c.Title, c.Kernel, c.Kernel, c.Stride, c.Pad)
		}
		if m.pool != nil {
			return nil, fmt.Errorf("%s follows %s; expected one pooling in the stem", c.Title, m.pool.Title)
		}
		m.pool, x = c, c
	}
	return x, nil
}

// network turns the walk into a configuration, and checks every layer against it.
func (m *matcher) network(height, width int) (*Network, error) {
	cfg, err := m.config(height, width)
	if err != nil {
		return nil, err
	}
	if err := m.checkMaps(cfg); err != nil {
		return nil, err
	}
	if err := m.checkShared(); err != nil {
		return nil, err
	}
	n := &Network{Config: cfg, Layers: make(map[string]Layer), Normalisation: m.normalisation, Notes: m.notes}
	units := m.units()
	for _, s := range topology.Lower(cfg).Layers() {
		if n.Layers[s.Name], err = units[s.Name].layer(s); err != nil {
			return nil, err
		}
	}
	return n, nil
}
