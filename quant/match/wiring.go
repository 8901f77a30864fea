// Package match finds a network of the family in a graph of operators: what a file holds that stores how
// operators are joined, ONNX or Torch7, and not only tensors by name.
//
// There is no general graph here either. Match walks from the image to the end and takes exactly one form,
// whatever the nodes are called: a stem of convolutions, blocks of the kinds that package topology lists, with
// their shortcuts, poolings and gates, an average over the map and a linear layer, or none. The first node that
// does not fit ends the walk with an error that names it, says what was expected there and what to do.
//
// Nothing here is safe for concurrent use, and nothing needs it.
package match

import "github.com/libresnext/libresnext/resnext"

// Op is what a node does. Readers use their own format's name for every other operator.
type Op string

// The operators of the family. Those that move no number (dropout at inference, identities, other shapes for one
// number a channel) are left out by the readers.
const (
	Input   Op = "input"
	Conv    Op = "convolution"
	Norm    Op = "batch normalisation"
	ReLU    Op = "ReLU"
	MaxPool Op = "max pooling"
	Average Op = "average pooling"
	Linear  Op = "linear layer"
	Add     Op = "addition"
	// Across is a convolution over the channels of one pixel, with zeros beyond the ends.
	Across  Op = "convolution over channels"
	Sigmoid Op = "sigmoid"
	// Softmax is its logarithm too, and ArgMax the class with the largest logit.
	Softmax Op = "softmax"
	ArgMax  Op = "choice of the largest"
	// Multiply is that of two outputs; one of one number a channel counts for every pixel.
	Multiply Op = "multiplication"
	// Subsample takes the first of every Stride pixels in both directions.
	Subsample Op = "subsampling"
	// Pad adds channels of zeros.
	Pad Op = "padding of channels"
	// Flat is what becomes of a map that may have more than one pixel.
	Flat Op = "flattening"
)

// AsMany, for the channels of a Pad, is as many as the map has.
const AsMany = -1

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

	// Kernel, Stride, Pad and Groups are those of Conv, Across and poolings, alike in both directions. An Average
	// has the Kernel 0 if it is over the whole map, whatever its size; a Subsample has 1.
	Kernel, Stride, Pad, Groups int
	// Ceil reports whether an Average has windows for the pixels at an odd edge.
	Ceil bool
	// Before and After are the channels of zeros that a Pad adds before and behind the map's.
	Before, After int
	// Weight is [out][in/groups][kernel][kernel] of a Conv, [out][in] of a Linear, [1][kernel][1][1] of an Across; nil
	// elsewhere.
	Weight *Tensor
	// Bias is [out], or nil for none.
	Bias []float32
	// Stats are those of a Norm.
	Stats *Stats
	// Image is, of an Input, what the file does to the image before anything takes it; nil for nothing.
	Image *Image
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
	// Layers holds the layers that have numbers by the names of Program.Layers.
	Layers map[string]Layer
	// Normalisation is what the graph does to its image before the stem; nil for nothing.
	Normalisation *Normalisation
	// Notes say what of the graph was left out or understood as something else; for people.
	Notes []string
}

// Normalisation is (x - Mean) / Std for each of red, green and blue, where the image's values are from 0 to 1.
type Normalisation struct{ Mean, Std [3]float32 }

// Layer is the weights of one layer, in shape as Program.Layers says.
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
