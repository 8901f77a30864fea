package onnx

import (
	"fmt"
	"slices"

	"github.com/libresnext/libresnext/quant/match"
)

// gemm is a linear layer: alpha * x * B + beta * C.
func (b *builder) gemm(n *readNode) (view, error) {
	made, err := b.matrix(n, n.attributes["transB"].i != 0)
	if err != nil {
		return view{}, err
	}
	if n.attributes["transA"].i != 0 {
		made.Problem = "transposes its input; expected a linear layer"
	}
	w := made.Weight
	if a, ok := n.attributes["alpha"]; ok && a.f != 1 {
		if err := b.spend(n, len(w.Data)); err != nil {
			return view{}, err
		}
		w.Data = scale(w.Data, a.f)
	}
	if len(n.in) > 2 && n.in[2] != "" {
		if made.Bias, err = b.vector(n, 2, w.Shape[0], "biases"); err != nil {
			return view{}, err
		}
		if beta, ok := n.attributes["beta"]; ok && beta.f != 1 {
			if err := b.spend(n, w.Shape[0]); err != nil {
				return view{}, err
			}
			made.Bias = scale(made.Bias, beta.f)
		}
	}
	return made, nil
}

// matMul is a linear layer whose biases an addition adds.
func (b *builder) matMul(n *readNode) (view, error) {
	if len(n.in) > 1 && !b.isConstant(n.in[1]) {
		return b.other(n)
	}
	return b.matrix(n, false)
}

// matrix reads the weights of a linear layer, which are [out,in] if transposed and else [in,out].
func (b *builder) matrix(n *readNode, transposed bool) (view, error) {
	made, err := b.simple(match.Linear, n)
	if err != nil {
		return view{}, err
	}
	made.axes = ""
	c, err := b.weights(n, 1, "weights")
	if err != nil {
		return view{}, err
	}
	if !c.isWeight(2) {
		return view{}, fmt.Errorf("%s: its weights are %v; expected a matrix, of classes and features for example", n.title(), c.dims)
	}
	made.Weight = c.weight()
	if !transposed {
		if err := b.spend(n, len(c.list)); err != nil {
			return view{}, err
		}
		made.Weight = &match.Tensor{Shape: []int{c.dims[1], c.dims[0]}, Data: transpose(c.list, c.dims[0], c.dims[1])}
	}
	return made, nil
}

// add joins two branches, or adds a constant.
func (b *builder) add(n *readNode) (view, error) {
	if slices.ContainsFunc(n.in, b.isConstant) {
		return b.arithmetic(n)
	}
	return b.join(match.Add, n)
}

// join takes several outputs, whose axes must be in the same order.
func (b *builder) join(op match.Op, n *readNode) (view, error) {
	made, err := b.other(n)
	if err != nil {
		return view{}, err
	}
	made.Op = op
	made.axes = ""
	for i := range n.in {
		x, err := b.at(n, i)
		switch {
		case err != nil:
			return view{}, err
		case x.single():
		case made.single():
			made.axes = x.axes
		case made.axes != x.axes:
			made.Problem = fmt.Sprintf("takes maps whose axes are in the orders %s and %s; expected the same", made.axes, x.axes)
		}
	}
	return made, nil
}

func scale(list []float32, factor float32) []float32 {
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
