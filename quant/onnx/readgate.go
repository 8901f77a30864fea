package onnx

import (
	"fmt"

	"github.com/libresnext/libresnext/quant/match"
)

// across is a convolution over channels, whose weights are list.
func (b *builder) across(n *readNode, made *match.Node, c *constant, list []float32) (*match.Node, error) {
	if c.dims[0] != 1 || c.dims[1] != 1 || c.transposed || c.reshaped || c.repeated || len(list) == 0 {
		return nil, fmt.Errorf("%s: its weights are %v; expected [out,in,kernel,kernel], or [1,1,kernel] over the channels", n.title(), c.dims)
	}
	made.Op, made.Kernel = match.Across, len(list)
	made.Weight = &match.Tensor{Shape: []int{1, len(list), 1, 1}, Data: list}
	n.geometry(made, 1)
	if len(n.in) < 3 || n.in[2] == "" {
		return made, nil
	}
	var err error
	made.Bias, err = b.vector(n, 2, 1, "biases")
	return made, err
}

func (b *builder) sigmoid(n *readNode) (*match.Node, error) { return b.simple(match.Sigmoid, n) }

// softmax is one over the classes.
func (b *builder) softmax(n *readNode) (*match.Node, error) {
	made, err := b.simple(match.Softmax, n)
	if axis := n.attributes["axis"].i; err == nil && axis != 1 && axis != -1 && axis != 0 {
		made.Problem = fmt.Sprintf("is over the axis %d; expected the classes, 1", axis)
	}
	return made, err
}

// multiply is the multiplication of two outputs.
func (b *builder) multiply(n *readNode) (*match.Node, error) {
	made, err := b.other(n)
	if err != nil {
		return nil, err
	}
	made.Op = match.Multiply
	if len(made.In) != 2 || made.In[0] == made.In[1] {
		made.Problem = "multiplies with a constant or with itself; expected a map and its gate"
	}
	return made, nil
}
