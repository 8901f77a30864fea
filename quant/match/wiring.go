// Package wiring finds a network of the family in a graph of operators: what a file holds that stores how
// operators are joined, ONNX or Torch7, and not only tensors by name.
//
// There is no general graph here either. Match walks from the image to the logits and takes exactly one
// form, whatever the nodes are called: a stem, bottlenecks of three convolutions with a grouped 3x3 in the
// middle (Xie et al. 2017, figure 3c; ResNet's, He et al. 2016, with one group), an average over the map
// and a linear layer. The first node that does not fit ends the walk with an error that names it, says what
// was expected there and what to do.
//
// Nothing here is safe for concurrent use, and nothing needs it.
package match

import "github.com/libresnext/libresnext/resnext"

// Op is what a node does. Readers use their own format's name for every other operator.
type Op string

// The operators of the family. Those that move no number (flattening, dropout at inference, identities) are
// left out by the readers.
const (
	Input   Op = "input"
	Conv    Op = "convolution"
	Norm    Op = "batch normalisation"
	ReLU    Op = "ReLU"
	MaxPool Op = "max pooling"
	Average Op = "average pooling"
	Linear  Op = "linear layer"
	Add     Op = "addition"
)

// Node is one operator and what flows into it.
type Node struct {
	Op Op
	// Title names the node in messages, as in: Conv "/layer1/conv1/Conv".
	Title string
	// In are the nodes whose outputs it takes; constants are not among them.
	In []*Node
	// Problem, if not empty, says why the node is none of the family although its operator is: "has
	// dilations [2 2], expected 1".
	Problem string

	// Kernel, Stride, Pad and Groups are those of Conv and MaxPool, alike in both directions. An Average
	// has the Kernel 0 if it is over the whole map, whatever its size.
	Kernel, Stride, Pad, Groups int
	// Weight is [out][in/groups][kernel][kernel] of a Conv, [out][in] of a Linear; nil elsewhere.
	Weight *Tensor
	// Bias is [out], or nil for none.
	Bias []float32
	// Stats are those of a Norm.
	Stats *Stats
}

// Tensor is dense and row-major: len(Data) is the product of Shape, and not 0.
type Tensor struct {
	Shape []int
	Data  []float32
}

// Stats is y = (x - Mean) / sqrt(Variance + Epsilon) * Gain + Shift for each channel; all four lists are as
// long as there are channels.
type Stats struct {
	Title                       string
	Gain, Shift, Mean, Variance []float32
	Epsilon                     float64
}

// Network is a network of the family as a graph holds it.
type Network struct {
	Config resnext.Config
	// Layers holds the convolutions by the names of Config.Convs, and the classifier by its own.
	Layers map[string]Layer
}

// Layer is the weights of one convolution or of the classifier, in shape as Config says.
type Layer struct {
	// Title is the node's, for messages.
	Title string
	// Weight is [out][in/groups][kernel][kernel].
	Weight []float32
	// Bias is [out], or nil for none.
	Bias []float32
	// Norm is nil where the normalisation is part of the weights already.
	Norm *Stats
}
