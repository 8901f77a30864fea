package onnx

import (
	"fmt"

	"github.com/libresnext/libresnext/quant/match"
)

// builder turns an ONNX graph into operators of the family, from the logits back to the image, so that what
// does not lead to the logits is never looked at.
type builder struct {
	m         *readModel
	files     *dataFiles
	producers map[string]*readNode
	values    map[string]*match.Node
	underway  map[string]bool // values that are being made: one that is met again is part of a cycle
	floats    map[*readTensor][]float32
	repeated  int // numbers that were made of single ones
	// linear are the weights of linear layers, single what is one number a channel, not a map, subsampled how many rows
	// and columns a slicing goes on by.
	linear     map[*readTensor]bool
	single     map[*match.Node]bool
	subsampled map[*match.Node][2]int
	folding    int // operators on whole numbers that were evaluated

	height, width int // of the image, 0 if the file leaves them open
}

func newBuilder(m *readModel, files *dataFiles) (*builder, error) {
	b := &builder{
		m: m, files: files, producers: make(map[string]*readNode), values: make(map[string]*match.Node),
		underway: make(map[string]bool), floats: make(map[*readTensor][]float32),
		linear: make(map[*readTensor]bool), single: make(map[*match.Node]bool), subsampled: make(map[*match.Node][2]int),
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

// value gives the node whose output has a name.
func (b *builder) value(name string) (*match.Node, error) {
	if n := b.values[name]; n != nil {
		return n, nil
	}
	if b.underway[name] {
		return nil, fmt.Errorf("the graph runs in a circle through the value %.200q; the file is damaged", name)
	}
	b.underway[name] = true
	n, err := b.make(name)
	delete(b.underway, name)
	b.values[name] = n
	return n, err
}

func (b *builder) make(name string) (*match.Node, error) {
	if p := b.producers[name]; p != nil {
		if len(p.out) > 0 && p.out[0] != name {
			return nil, fmt.Errorf("%s: its output %.200q is used; expected only its first one, as in eval mode: call model.eval() before the export", p.title(), name)
		}
		return b.operator(p)
	}
	if b.m.constants[name] != nil {
		return nil, fmt.Errorf("the constant %.200q is used where the image or a map was expected", name)
	}
	for _, in := range b.m.inputs {
		if in.name == name {
			return b.input(in)
		}
	}
	return nil, fmt.Errorf("the value %.200q is used and never made; the file is damaged", name)
}

// input is the image.
func (b *builder) input(v readValue) (*match.Node, error) {
	n := &match.Node{Op: match.Input, Title: fmt.Sprintf("the input %.200q", v.name)}
	if v.elem != 0 && floatNames[v.elem] == "" {
		return nil, fmt.Errorf("%s is of type number %d; expected float32 (1), the normalised image: export the network without its preprocessing", n.Title, v.elem)
	}
	if v.dims != nil && len(v.dims) != 4 {
		return nil, fmt.Errorf("%s has %d dimensions; expected an image [N,3,height,width]", n.Title, len(v.dims))
	}
	if v.dims != nil && v.dims[2] > 0 && v.dims[3] > 0 {
		const most = 1 << 16 // the exact limit is the configuration's
		if v.dims[2] > most || v.dims[3] > most {
			return nil, fmt.Errorf("%s is %v; that is no size of an image", n.Title, v.dims)
		}
		b.height, b.width = int(v.dims[2]), int(v.dims[3])
	}
	return n, nil
}

// at gives the node of an operator's input i.
func (b *builder) at(n *readNode, i int) (*match.Node, error) {
	if i >= len(n.in) || n.in[i] == "" {
		return nil, fmt.Errorf("%s: its input %d is missing; the file is damaged", n.title(), i)
	}
	return b.value(n.in[i])
}

// constant is a tensor of the file, and what is done to it on the way to its use.
type constant struct {
	*readTensor
	transposed bool
	// reshaped reports whether the tensor's own shape is not that of its use.
	reshaped bool
	// repeated reports whether one element is to be repeated to the size wanted.
	repeated bool
}

// maxConstantSteps bounds the operators between a tensor and its use; exporters write up to four.
const maxConstantSteps = 32

// constant follows a name to the tensor behind it, over the operators that leave its numbers as they are;
// nil if there is none.
func (b *builder) constant(name string) *constant {
	var c constant
	for range maxConstantSteps {
		if t := b.m.constants[name]; t != nil {
			c.readTensor = t
			return &c
		}
		n := b.producers[name]
		if n == nil || !isStandard(n.domain) {
			return nil
		}
		switch n.op {
		case "Constant":
			return b.constantNode(n, &c)
		case "Identity", "CastLike":
		case "Cast":
			if to := dataType(n.attributes["to"].i); floatNames[to] == "" && to != int64Type && to != int32Type {
				return nil
			}
		case "Reshape", "Squeeze", "Unsqueeze", "Flatten":
			c.reshaped = true
		case "Expand":
			c.repeated = true
		case "Transpose":
			if p := n.attributes["perm"].ints; len(p) != 0 && (len(p) != 2 || p[0] != 1 || p[1] != 0) {
				return nil
			}
			c.transposed = !c.transposed
		default:
			return nil
		}
		if len(n.in) == 0 {
			return nil
		}
		name = n.in[0]
	}
	return nil
}

// constantNode is the tensor of a Constant node, which has one of several forms.
func (b *builder) constantNode(n *readNode, c *constant) *constant {
	if t := n.attributes["value"].tensor; t != nil {
		c.readTensor = t
		return c
	}
	t := &readTensor{name: n.title(), kind: int64Type, field: tensorInt64Data}
	if list, ok := n.attributes["value_ints"]; ok {
		t.dims = []int64{int64(len(list.ints))}
		for _, v := range list.ints {
			t.loose = append(t.loose, uint64(v))
		}
		c.readTensor = t
		return c
	}
	if v, ok := n.attributes["value_int"]; ok {
		t.loose = []uint64{uint64(v.i)}
		c.readTensor = t
		return c
	}
	if v, ok := n.attributes["value_float"]; ok {
		t.kind, t.field, t.loose = float32Type, tensorFloatData, []uint64{float32Bits(v.f)}
		c.readTensor = t
		return c
	}
	return nil
}

// weights reads the constant at an operator's input i.
func (b *builder) weights(n *readNode, i int, what string) (*constant, []float32, error) {
	if i >= len(n.in) || n.in[i] == "" {
		return nil, nil, fmt.Errorf("%s: its %s are missing; expected them as input %d", n.title(), what, i)
	}
	c := b.constant(n.in[i])
	if c == nil {
		return nil, nil, fmt.Errorf("%s: its %s, %.200q, are no constant; expected numbers in the file: export with the parameters (export_params=True) and constant folding", n.title(), what, n.in[i])
	}
	list, ok := b.floats[c.readTensor]
	if !ok {
		var err error
		if list, err = c.floats(b.m, b.files); err != nil {
			return nil, nil, fmt.Errorf("%s: its %s, tensor %.200q: %w", n.title(), what, c.name, err)
		}
		b.floats[c.readTensor] = list
	}
	return c, list, nil
}

// vector reads the constant at input i as one number for each of count channels.
func (b *builder) vector(n *readNode, i, count int, what string) ([]float32, error) {
	c, list, err := b.weights(n, i, what)
	if err != nil {
		return nil, err
	}
	if len(list) == 1 && count != 1 && (c.repeated || len(c.dims) == 0) {
		if b.repeated += count; b.repeated > maxRepeated {
			return nil, fmt.Errorf("%s: its %s are one number repeated %d times, and so are others: more than %d; that is no network of this family", n.title(), what, count, maxRepeated)
		}
		all := make([]float32, count)
		for k := range all {
			all[k] = list[0]
		}
		return all, nil
	}
	if len(list) != count {
		return nil, fmt.Errorf("%s: its %s, tensor %.200q, are %d numbers; expected %d", n.title(), what, c.name, len(list), count)
	}
	return list, nil
}

// maxRepeated bounds what is made of single numbers; the channels of ResNet-152 are 150,000 together.
const maxRepeated = 1 << 22
