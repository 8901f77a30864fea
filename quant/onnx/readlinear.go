package onnx

import (
	"fmt"

	"github.com/libresnext/libresnext/quant/match"
)

// gemm is a linear layer: alpha * x * B + beta * C.
func (b *builder) gemm(n *readNode) (*match.Node, error) {
	made, err := b.matrix(n, n.attributes["transB"].i != 0)
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
	return b.matrix(n, false)
}

// matrix reads the weights of a linear layer, which are [out,in] if transposed and else [in,out].
func (b *builder) matrix(n *readNode, transposed bool) (*match.Node, error) {
	made, err := b.simple(match.Linear, n)
	if err != nil {
		return nil, err
	}
	c, list, err := b.weights(n, 1, "weights")
	if err != nil {
		return nil, err
	}
	if b.linear[c.readTensor] { // each is copied, which a small file could ask for many times
		return nil, fmt.Errorf("%s: another linear layer has its weights too, tensor %.200q; expected weights of its own for each layer", n.title(), c.name)
	}
	b.linear[c.readTensor], b.single[made] = true, true
	if len(c.dims) != 2 || c.reshaped || c.repeated || len(list) == 0 {
		return nil, fmt.Errorf("%s: its weights are %v; expected a matrix, of classes and features for example", n.title(), c.dims)
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
	b.single[&linear] = true
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
