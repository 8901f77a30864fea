package onnx

import (
	"fmt"
	"math"
	"slices"

	"github.com/libresnext/libresnext/quant/match"
)

func float32Bits(v float32) uint64 { return uint64(math.Float32bits(v)) }

// translations make nodes of the family out of ONNX operators.
var translations map[string]func(*builder, *readNode) (view, error)

func init() { // not in the declaration, which would refer to itself
	translations = map[string]func(*builder, *readNode) (view, error){
		"Conv": (*builder).conv, "BatchNormalization": (*builder).norm, "Relu": (*builder).relu, "Clip": (*builder).clip,
		"MaxPool": (*builder).maxPool, "AveragePool": (*builder).averagePool, "GlobalAveragePool": (*builder).globalAverage,
		"ReduceMean": (*builder).reduceMean, "Gemm": (*builder).gemm, "MatMul": (*builder).matMul,
		"Add": (*builder).add, "Sum": (*builder).add, "Sub": (*builder).arithmetic, "Div": (*builder).arithmetic,
		"Identity": (*builder).same, "Dropout": (*builder).same, "Cast": (*builder).cast,
		"Flatten": (*builder).flat, "Reshape": (*builder).flat, "Squeeze": (*builder).flat, "Unsqueeze": (*builder).flat, "Expand": (*builder).flat,
		"Transpose": (*builder).transpose, "Gather": (*builder).gather, "GatherND": (*builder).gather,
		"Mul": (*builder).multiply, "Sigmoid": (*builder).sigmoid,
		"Softmax": (*builder).softmax, "LogSoftmax": (*builder).softmax, "ArgMax": (*builder).argMax,
		"Slice": (*builder).slice, "Pad": (*builder).pad, "Concat": (*builder).concat,
	}
}

// quantised are operators that only integer models have.
var quantised = []string{"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"}

// operator translates one node.
func (b *builder) operator(n *readNode) (view, error) {
	if slices.Contains(quantised, n.op) {
		return view{}, fmt.Errorf("%s: the model is quantised already; give the float model that it was made from", n.title())
	}
	if translate := translations[n.op]; translate != nil && isStandard(n.domain) {
		return translate(b, n)
	}
	return b.other(n)
}

// other is an operator that the family does not have; the matching refuses it by name.
func (b *builder) other(n *readNode) (view, error) {
	made := view{Node: &match.Node{Op: match.Op(n.op), Title: n.title()}, axes: mapAxes}
	for _, name := range n.in {
		if name == "" || b.isConstant(name) {
			continue
		}
		in, err := b.value(name)
		if err != nil {
			return view{}, err
		}
		if len(made.In) == 0 {
			made.axes = in.axes
		}
		made.In = append(made.In, in.Node)
	}
	return made, nil
}

// same leaves out an operator that moves no number.
func (b *builder) same(n *readNode) (view, error) { return b.at(n, 0) }

// flat leaves out another shape of what is one number a channel, and flattens a map.
func (b *builder) flat(n *readNode) (view, error) {
	x, err := b.at(n, 0)
	if err != nil || x.single() {
		return x, err
	}
	if x.Op == match.Input || n.op == "Expand" {
		return b.other(n)
	}
	made := x.then(match.Flat, n)
	made.axes = ""
	return made, nil
}

// transpose leaves the map as it is and notes the order of its axes.
func (b *builder) transpose(n *readNode) (view, error) {
	x, err := b.at(n, 0)
	if err != nil || x.single() {
		return x, err
	}
	perm, ok := n.permutation(len(x.axes))
	if !ok {
		return b.other(n)
	}
	axes := ""
	for _, axis := range perm {
		axes += x.axes[axis : axis+1]
	}
	x.axes = axes
	return x, nil
}

func (b *builder) relu(n *readNode) (view, error) { return b.simple(match.ReLU, n) }

// clip is a ReLU if it has no upper bound.
func (b *builder) clip(n *readNode) (view, error) {
	low, high := math.Inf(-1), math.Inf(1)
	for i, bound := range []*float64{&low, &high} {
		if a, ok := n.attributes[[]string{"min", "max"}[i]]; ok {
			*bound = float64(a.f)
		}
		if i+1 < len(n.in) && n.in[i+1] != "" {
			v, err := b.vector(n, i+1, 1, "bounds")
			if err != nil {
				return view{}, err
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

func (b *builder) conv(n *readNode) (view, error) {
	x, around, err := b.bordered(n, match.Conv)
	if err != nil {
		return view{}, err
	}
	made := b.mapped(match.Conv, n, x)
	c, err := b.weights(n, 1, "weights")
	if err != nil {
		return view{}, err
	}
	if c.isWeight(3) {
		return b.across(n, made, c)
	}
	if !c.isWeight(4) || c.dims[2] != c.dims[3] {
		return view{}, fmt.Errorf("%s: its weights are %v; expected [out,in,kernel,kernel]", n.title(), c.dims)
	}
	made.Weight = c.weight()
	if len(n.in) > 2 && n.in[2] != "" {
		if made.Bias, err = b.vector(n, 2, made.Weight.Shape[0], "biases"); err != nil {
			return view{}, err
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
	n.geometry(made.Node, 2, around)
	return made, nil
}

// norm is a batch normalisation. That of the image, of a normalised map or of a layer's outputs becomes part of them.
func (b *builder) norm(n *readNode) (view, error) {
	x, err := b.at(n, 0)
	if err != nil {
		return view{}, err
	}
	made := b.mapped(match.Norm, n, x)
	s := &match.Stats{Title: n.title(), Epsilon: 1e-5}
	if e, ok := n.attributes["epsilon"]; ok {
		s.Epsilon = float64(e.f)
	}
	gain, err := b.weights(n, 1, "scales")
	if err != nil {
		return view{}, err
	}
	for i, list := range []*[]float32{&s.Gain, &s.Shift, &s.Mean, &s.Variance} {
		if *list, err = b.vector(n, i+1, len(gain.list), []string{"scales", "biases", "means", "variances"}[i]); err != nil {
			return view{}, err
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
	if made.Problem != "" || x.Op == match.Conv && !x.single() {
		return made, nil
	}
	if err := b.spend(n, 4*len(gain.list)); err != nil {
		return view{}, err
	}
	if part, ok, err := b.apply(n, x, affineOf(s)); ok || err != nil {
		return part, err
	}
	return made, nil
}

func (b *builder) maxPool(n *readNode) (view, error) {
	x, around, err := b.bordered(n, match.MaxPool)
	if err != nil {
		return view{}, err
	}
	made := b.mapped(match.MaxPool, n, x)
	n.poolGeometry(made.Node, around)
	if n.attributes["ceil_mode"].i != 0 && made.Problem == "" {
		made.Problem = "rounds its output's size up (ceil_mode); expected down"
	}
	return made, nil
}
