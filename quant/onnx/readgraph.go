package onnx

import (
	"fmt"

	"github.com/libresnext/libresnext/quant/match"
)

// builder turns an ONNX graph into operators of the family, from the logits back to the image, so that what
// does not lead to the logits is never looked at. On the way it brings what exporters write in many ways into one: orders
// of axes, borders, means, arithmetic with constants and what is done to the image. The matching sees only that.
type builder struct {
	m         *readModel
	files     *dataFiles
	producers map[string]*readNode
	values    map[string]view
	underway  map[string]bool // values that are being made: one that is met again is part of a cycle
	// constants are those that were computed, steps how many operators lie between a name and the tensors of the file.
	constants map[string]*constant
	steps     map[string]int
	floats    map[*readTensor][]float32
	read      int // numbers of tensors
	made      int // numbers that were made of others
	// subsampled is how many rows and columns a slicing goes on by.
	subsampled map[*match.Node][2]int
	folding    int // operators on whole numbers that were evaluated

	height, width int // of the image, 0 if the file leaves them open
}

func newBuilder(m *readModel, files *dataFiles) (*builder, error) {
	b := &builder{
		m: m, files: files, producers: make(map[string]*readNode), values: make(map[string]view), underway: make(map[string]bool),
		constants: make(map[string]*constant), steps: make(map[string]int), floats: make(map[*readTensor][]float32),
		subsampled: make(map[*match.Node][2]int),
	}
	for _, n := range m.nodes {
		for _, out := range n.out {
			if out == "" {
				continue
			}
			if b.producers[out] != nil || m.constants[out] != nil {
				return nil, fmt.Errorf("the value %.200q is made twice, once by %s; the file is damaged", out, n.title())
			}
			b.producers[out] = n
		}
	}
	return b, nil
}

// view is a node's output as the file has it.
type view struct {
	*match.Node
	// axes names the file's axes in their order: N, C, H and W, and 1 for one that was averaged. It is empty where each
	// channel is one number, whose order is the same in any shape: whoever takes it, a linear layer, a convolution or a
	// multiplication with a map, wants as many as there are channels where it looks.
	axes string
	// border and row are set where pixels were added around a map, or its rows averaged but not yet its columns. Node is
	// then what no network of the family has; who knows what to make of it takes the map before it from there.
	border *border
	row    *match.Node
}

// mapAxes are the axes of a map as operators take it.
const mapAxes = "NCHW"

// single reports whether each channel is one number.
func (v view) single() bool { return v.axes == "" }

// axis names an axis that the file counts from the begin, or from the end if negative; 0 for none.
func (v view) axis(i int64) byte {
	if i < 0 {
		i += int64(len(v.axes))
	}
	if i < 0 || i >= int64(len(v.axes)) {
		return 0
	}
	return v.axes[i]
}

// then is a node of that takes v's output and leaves the order of its axes.
func (v view) then(op match.Op, n *readNode) view {
	return view{Node: &match.Node{Op: op, Title: n.title(), In: []*match.Node{v.Node}}, axes: v.axes}
}

// value gives the output that has a name.
func (b *builder) value(name string) (view, error) {
	if v, ok := b.values[name]; ok {
		return v, nil
	}
	if b.underway[name] {
		return view{}, fmt.Errorf("the graph runs in a circle through the value %.200q; the file is damaged", name)
	}
	b.underway[name] = true
	v, err := b.make(name)
	delete(b.underway, name)
	if err == nil {
		b.values[name] = v
	}
	return v, err
}

func (b *builder) make(name string) (view, error) {
	if p := b.producers[name]; p != nil {
		if p.op == "Split" && isStandard(p.domain) {
			return b.split(p, name)
		}
		if len(p.out) > 0 && p.out[0] != name {
			return view{}, fmt.Errorf("%s: its output %.200q is used; expected only its first one, as in eval mode: call model.eval() before the export", p.title(), name)
		}
		return b.operator(p)
	}
	if b.m.constants[name] != nil {
		return view{}, fmt.Errorf("the constant %.200q is used where the image or a map was expected", name)
	}
	for _, in := range b.m.inputs {
		if in.name == name {
			return b.input(in)
		}
	}
	return view{}, fmt.Errorf("the value %.200q is used and never made; the file is damaged", name)
}

// at gives an operator's input i.
func (b *builder) at(n *readNode, i int) (view, error) {
	if i >= len(n.in) || n.in[i] == "" {
		return view{}, fmt.Errorf("%s: its input %d is missing; the file is damaged", n.title(), i)
	}
	return b.value(n.in[i])
}

// simple is a node of one input.
func (b *builder) simple(op match.Op, n *readNode) (view, error) {
	x, err := b.at(n, 0)
	if err != nil {
		return view{}, err
	}
	return x.then(op, n), nil
}

// mapped is a node of one input whose axes it takes to be in the order of ONNX.
func (b *builder) mapped(op match.Op, n *readNode, x view) view {
	made := x.then(op, n)
	if !x.single() && x.axes != mapAxes {
		made.Problem = fmt.Sprintf("takes a map whose axes are in the order %s; expected %s", x.axes, mapAxes)
	}
	return made
}
