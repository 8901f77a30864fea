package onnx

import (
	"fmt"
	"math"

	"github.com/libresnext/libresnext/quant/match"
)

// gemm is a linear layer: alpha * x * B + beta * C.
func (b *builder) gemm(n *readNode) (*match.Node, error) {
	made, err := b.linear(n, n.attributes["transB"].i != 0)
	if err != nil {
		return nil, err
	}
	if n.attributes["transA"].i != 0 {
		made.Problem = "transposes its input; expected a linear layer"
	}
	if a, ok := n.attributes["alpha"]; ok {
		made.Weight.Data = scale(made.Weight.Data, a.f)
	}
	if len(n.in) > 2 && n.in[2] != "" {
		if made.Bias, err = b.vector(n, 2, made.Weight.Shape[0], "biases"); err != nil {
			return nil, err
		}
		if beta, ok := n.attributes["beta"]; ok {
			made.Bias = scale(made.Bias, beta.f)
		}
	}
	return made, nil
}

// matMul is a linear layer whose biases an addition adds.
func (b *builder) matMul(n *readNode) (*match.Node, error) {
	if len(n.in) > 1 && b.constant(n.in[1]) == nil {
		return b.other(n)
	}
	return b.linear(n, false)
}

// linear reads the weights of a linear layer, which are [out,in] if transposed and else [in,out].
func (b *builder) linear(n *readNode, transposed bool) (*match.Node, error) {
	made, err := b.simple(match.Linear, n)
	if err != nil {
		return nil, err
	}
	if b.linears++; b.linears > 1 {
		return nil, fmt.Errorf("%s: the graph has more than one linear layer; expected one, the classifier", n.title())
	}
	c, list, err := b.weights(n, 1, "weights")
	if err != nil {
		return nil, err
	}
	if len(c.dims) != 2 || c.reshaped || c.repeated || len(list) == 0 {
		return nil, fmt.Errorf("%s: its weights are %v; expected a matrix of classes and features", n.title(), c.dims)
	}
	shape := toInts(c.dims)
	if transposed == c.transposed { // the file's order is [in,out]
		list = transpose(list, shape[0], shape[1])
		shape[0], shape[1] = shape[1], shape[0]
	}
	made.Weight = &match.Tensor{Shape: shape, Data: list}
	return made, nil
}

// add joins two branches, or adds the biases of a linear layer.
func (b *builder) add(n *readNode) (*match.Node, error) {
	made := &match.Node{Op: match.Add, Title: n.title()}
	constants := 0
	at := 0
	for i, name := range n.in {
		if b.constant(name) != nil {
			constants, at = constants+1, i
			continue
		}
		in, err := b.at(n, i)
		if err != nil {
			return nil, err
		}
		made.In = append(made.In, in)
	}
	if constants == 0 {
		return made, nil
	}
	if constants > 1 || len(made.In) != 1 || made.In[0].Op != match.Linear || made.In[0].Bias != nil {
		made.Problem = "adds a constant; expected an addition of two branches, or of a linear layer's biases"
		return made, nil
	}
	linear := *made.In[0]
	var err error
	linear.Bias, err = b.vector(n, at, linear.Weight.Shape[0], "biases")
	return &linear, err
}

func scale(list []float32, factor float32) []float32 {
	if factor == 1 {
		return list
	}
	scaled := make([]float32, len(list))
	for i, v := range list {
		scaled[i] = v * factor
	}
	return scaled
}

// transpose brings [rows][columns] to [columns][rows].
func transpose(list []float32, rows, columns int) []float32 {
	t := make([]float32, len(list))
	for r := range rows {
		for c := range columns {
			t[c*rows+r] = list[r*columns+c]
		}
	}
	return t
}

// toInts converts dimensions that were checked against the file's size.
func toInts(dims []int64) []int {
	list := make([]int, len(dims))
	for i, d := range dims {
		list[i] = int(d)
	}
	return list
}

// poolGeometry is geometry for a pooling, whose window is an attribute.
func (n *readNode) poolGeometry(made *match.Node) {
	k := n.attributes["kernel_shape"].ints
	if len(k) != 2 || k[0] != k[1] || k[0] < 1 || k[0] > math.MaxInt16 {
		made.Problem = fmt.Sprintf("has the kernel %v; expected two equal numbers", k)
		return
	}
	made.Kernel = int(k[0])
	n.geometry(made)
}

// geometry reads how a window of made.Kernel moves over the map, alike in both directions.
func (n *readNode) geometry(made *match.Node) {
	same := func(name string, count int, missing int64) int {
		list := n.attributes[name].ints
		if len(list) == 0 {
			return int(missing)
		}
		for _, v := range list {
			if len(list) != count || v != list[0] || v < 0 || v > math.MaxInt16 {
				made.Problem = fmt.Sprintf("has the %s %v; expected %d equal numbers: export with symmetric, explicit padding", name, list, count)
				return 0
			}
		}
		return int(list[0])
	}
	made.Stride, made.Pad = same("strides", 2, 1), same("pads", 4, 0)
	if d := same("dilations", 2, 1); d != 1 && made.Problem == "" {
		made.Problem = fmt.Sprintf("has dilations of %d; expected 1: dilated networks do not run here", d)
	}
	if k := n.attributes["kernel_shape"].ints; len(k) > 0 && (len(k) != 2 || k[0] != int64(made.Kernel) || k[1] != int64(made.Kernel)) {
		made.Problem = fmt.Sprintf("has the kernel_shape %v and weights of %dx%d; the file is damaged", k, made.Kernel, made.Kernel)
	}
	switch mode := n.attributes["auto_pad"].s; {
	case mode == "" || mode == "NOTSET":
	case mode == "VALID":
		made.Pad = 0
	case made.Stride == 1 || made.Kernel == 1:
		made.Pad = made.Kernel / 2
	default:
		made.Problem = fmt.Sprintf("has the automatic padding %s with stride %d; expected explicit padding of %d on every side", mode, made.Stride, made.Kernel/2)
	}
}
