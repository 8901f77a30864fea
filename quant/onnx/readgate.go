package onnx

import (
	"fmt"
	"slices"

	"github.com/libresnext/libresnext/quant/match"
)

// across is a convolution over channels, whose weights are c.
func (b *builder) across(n *readNode, made view, c *constant) (view, error) {
	if c.dims[0] != 1 || c.dims[1] != 1 {
		return view{}, fmt.Errorf("%s: its weights are %v; expected [out,in,kernel,kernel], or [1,1,kernel] over the channels", n.title(), c.dims)
	}
	made.Op, made.Kernel = match.Across, len(c.list)
	made.Weight = &match.Tensor{Shape: []int{1, len(c.list), 1, 1}, Data: c.list}
	n.geometry(made.Node, 1, edges{})
	if len(n.in) < 3 || n.in[2] == "" {
		return made, nil
	}
	var err error
	made.Bias, err = b.vector(n, 2, 1, "biases")
	return made, err
}

// multiply is the multiplication of two outputs, or with a constant.
func (b *builder) multiply(n *readNode) (view, error) {
	if slices.ContainsFunc(n.in, b.isConstant) {
		return b.arithmetic(n)
	}
	made, err := b.join(match.Multiply, n)
	if err == nil && (len(made.In) != 2 || made.In[0] == made.In[1]) {
		made.Problem = "multiplies with itself; expected a map and its gate"
	}
	return made, err
}
