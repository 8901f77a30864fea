package onnx

import (
	"fmt"
	"math"
	"slices"

	"github.com/libresnext/libresnext/quant/match"
)

func float32Bits(v float32) uint64 { return uint64(math.Float32bits(v)) }

// translations make nodes of the family out of ONNX operators.
var translations map[string]func(*builder, *readNode) (*match.Node, error)

func init() { // not in the declaration, which would refer to itself
	translations = map[string]func(*builder, *readNode) (*match.Node, error){
		"Conv": (*builder).conv, "BatchNormalization": (*builder).norm, "Relu": (*builder).relu, "Clip": (*builder).clip,
		"MaxPool": (*builder).maxPool, "AveragePool": (*builder).averagePool, "GlobalAveragePool": (*builder).globalAverage,
		"ReduceMean": (*builder).reduceMean, "Gemm": (*builder).gemm, "MatMul": (*builder).matMul,
		"Add": (*builder).add, "Sum": (*builder).add,
		"Identity": (*builder).same, "Dropout": (*builder).same, "Cast": (*builder).same,
		"Flatten": (*builder).flat, "Reshape": (*builder).flat, "Squeeze": (*builder).flat, "Unsqueeze": (*builder).flat,
		"Transpose": (*builder).flat, "Expand": (*builder).flat,
		"Gather": (*builder).gather,
		"Mul":    (*builder).multiply, "Sigmoid": (*builder).sigmoid, "Softmax": (*builder).softmax, "LogSoftmax": (*builder).softmax,
		"Slice": (*builder).slice, "Pad": (*builder).pad, "Concat": (*builder).concat,
	}
}

// quantised are operators that only integer models have.
var quantised = []string{"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"}

// operator translates one node.
func (b *builder) operator(n *readNode) (*match.Node, error) {
	if slices.Contains(quantised, n.op) {
		return nil, fmt.Errorf("%s: the model is quantised already; give the float model that it was made from", n.title())
	}
	if translate := translations[n.op]; translate != nil && isStandard(n.domain) {
		return translate(b, n)
	}
	return b.other(n)
}

// other is an operator that the family does not have; the matching refuses it by name.
func (b *builder) other(n *readNode) (*match.Node, error) {
	made := &match.Node{Op: match.Op(n.op), Title: n.title()}
	for _, name := range n.in {
		if name == "" || b.constant(name) != nil {
			continue
		}
		in, err := b.value(name)
		if err != nil {
			return nil, err
		}
		made.In = append(made.In, in)
	}
	return made, nil
}

// simple is a node of one input.
func (b *builder) simple(op match.Op, n *readNode) (*match.Node, error) {
	x, err := b.at(n, 0)
	if err != nil {
		return nil, err
	}
	made := &match.Node{Op: op, Title: n.title(), In: []*match.Node{x}}
	b.single[made] = b.single[x]
	return made, nil
}

// same leaves out an operator that moves no number.
func (b *builder) same(n *readNode) (*match.Node, error) {
	if to := dataType(n.attributes["to"].i); n.op == "Cast" && floatNames[to] == "" {
		return b.other(n)
	}
	return b.at(n, 0)
}

// flat leaves out another shape of what is one number a channel: their order stays. Whoever takes it, a linear layer, a
// convolution or a multiplication with a map, wants as many as there are channels where it looks, so that no other shape
// is possible.
func (b *builder) flat(n *readNode) (*match.Node, error) {
	x, err := b.at(n, 0)
	if err != nil || b.single[x] || x.Op == match.Flat {
		return x, err
	}
	op := match.Op(n.op)
	if x.Op == match.Average { // of a window that may be the whole map
		op = match.Flat
	}
	return &match.Node{Op: op, Title: n.title(), In: []*match.Node{x}}, nil
}

// gather leaves out a choice of all of what is one number a channel, in order: as_strided, as PyTorch writes a flattening.
func (b *builder) gather(n *readNode) (*match.Node, error) {
	x, err := b.at(n, 0)
	if err != nil || !b.single[x] && x.Op != match.Flat || len(n.in) < 2 || n.attributes["axis"].i != 0 {
		return b.other(n)
	}
	c := b.constant(n.in[1])
	if c == nil {
		return b.other(n)
	}
	const mostFeatures = 1 << 15
	at, err := c.integers(b.m.wire, mostFeatures)
	if err != nil {
		return nil, fmt.Errorf("%s: its indices: %w", n.title(), err)
	}
	for i, v := range at {
		if v != int64(i) {
			return b.other(n)
		}
	}
	return x, nil
}

func (b *builder) relu(n *readNode) (*match.Node, error) { return b.simple(match.ReLU, n) }

// clip is a ReLU if it has no upper bound.
func (b *builder) clip(n *readNode) (*match.Node, error) {
	low, high := math.Inf(-1), math.Inf(1)
	for i, bound := range []*float64{&low, &high} {
		if a, ok := n.attributes[[]string{"min", "max"}[i]]; ok {
			*bound = float64(a.f)
		}
		if i+1 < len(n.in) && n.in[i+1] != "" {
			v, err := b.vector(n, i+1, 1, "bounds")
			if err != nil {
				return nil, err
			}
			*bound = float64(v[0])
		}
	}
	made, err := b.simple(match.ReLU, n)
	if err == nil && (low != 0 || high < math.MaxFloat32) {
		made.Problem = fmt.Sprintf("clips to %v..%v; expected a ReLU, 0 without an upper bound: networks with ReLU6 and the like do not run here", low, high)
	}
	return made, err
}

func (b *builder) conv(n *readNode) (*match.Node, error) {
	made, err := b.simple(match.Conv, n)
	if err != nil {
		return nil, err
	}
	c, list, err := b.weights(n, 1, "weights")
	if err != nil {
		return nil, err
	}
	if len(c.dims) == 3 {
		return b.across(n, made, c, list)
	}
	if len(c.dims) != 4 || c.dims[2] != c.dims[3] || c.transposed || c.reshaped || c.repeated || len(list) == 0 {
		return nil, fmt.Errorf("%s: its weights are %v; expected [out,in,kernel,kernel]", n.title(), c.dims)
	}
	made.Weight = &match.Tensor{Shape: toInts(c.dims), Data: list}
	if len(n.in) > 2 && n.in[2] != "" {
		if made.Bias, err = b.vector(n, 2, made.Weight.Shape[0], "biases"); err != nil {
			return nil, err
		}
	}
	made.Groups = 1
	if g, ok := n.attributes["group"]; ok {
		made.Groups = int(min(max(g.i, 0), math.MaxInt32))
	}
	if made.Groups == 0 {
		made.Problem = "has no groups; the file is damaged"
	}
	made.Kernel = made.Weight.Shape[2]
	n.geometry(made, 2)
	return made, nil
}

func (b *builder) norm(n *readNode) (*match.Node, error) {
	made, err := b.simple(match.Norm, n)
	if err != nil {
		return nil, err
	}
	s := &match.Stats{Title: n.title(), Epsilon: 1e-5}
	if e, ok := n.attributes["epsilon"]; ok {
		s.Epsilon = float64(e.f)
	}
	_, gain, err := b.weights(n, 1, "scales")
	if err != nil {
		return nil, err
	}
	channels := len(gain)
	for i, list := range []*[]float32{&s.Gain, &s.Shift, &s.Mean, &s.Variance} {
		if *list, err = b.vector(n, i+1, channels, []string{"scales", "biases", "means", "variances"}[i]); err != nil {
			return nil, err
		}
	}
	if !(s.Epsilon >= 0 && s.Epsilon <= 1) {
		made.Problem = fmt.Sprintf("has an epsilon of %v; expected a small positive number", s.Epsilon)
	}
	// Before opset 14 the training mode shows in further outputs.
	more := slices.ContainsFunc(n.out[min(1, len(n.out)):], func(name string) bool { return name != "" })
	if n.attributes["training_mode"].i != 0 || more {
		made.Problem = "is in training mode; call model.eval() before the export"
	}
	made.Stats = s
	return made, nil
}

func (b *builder) maxPool(n *readNode) (*match.Node, error) {
	made, err := b.simple(match.MaxPool, n)
	if err != nil {
		return nil, err
	}
	n.poolGeometry(made)
	if n.attributes["ceil_mode"].i != 0 && made.Problem == "" {
		made.Problem = "rounds its output's size up (ceil_mode); expected down"
	}
	return made, nil
}

func (b *builder) averagePool(n *readNode) (*match.Node, error) {
	made, err := b.simple(match.Average, n)
	if err != nil {
		return nil, err
	}
	n.poolGeometry(made)
	if made.Pad != 0 && made.Problem == "" {
		made.Problem = fmt.Sprintf("has a padding of %d; expected none", made.Pad)
	}
	made.Ceil = n.attributes["ceil_mode"].i != 0
	b.single[made] = made.Kernel > 2 // smaller ones halve maps, larger ones must be over the whole map
	return made, nil
}

func (b *builder) globalAverage(n *readNode) (*match.Node, error) {
	made, err := b.simple(match.Average, n)
	b.single[made] = true
	return made, err
}

// reduceMean is an average over the map if it is over height and width.
func (b *builder) reduceMean(n *readNode) (*match.Node, error) {
	made, err := b.simple(match.Average, n)
	if err != nil {
		return nil, err
	}
	axes := n.attributes["axes"].ints
	if len(n.in) > 1 && n.in[1] != "" {
		c := b.constant(n.in[1])
		if c == nil {
			return nil, fmt.Errorf("%s: its axes, %.200q, are no constant; export with constant folding", n.title(), n.in[1])
		}
		if axes, err = c.ints(b.m.wire); err != nil {
			return nil, fmt.Errorf("%s: its axes: %w", n.title(), err)
		}
	}
	sorted := make([]int64, len(axes))
	for i, a := range axes {
		if a < 0 {
			a += 4 // of [N,channels,height,width]
		}
		sorted[i] = a
	}
	slices.Sort(sorted)
	if !slices.Equal(sorted, []int64{2, 3}) {
		made.Problem = fmt.Sprintf("averages over the axes %v; expected height and width, [2 3]", axes)
	}
	b.single[made] = true
	return made, nil
}
