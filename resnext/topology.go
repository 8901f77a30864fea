package resnext

import (
	"fmt"

	i8 "github.com/libresnext/libresnext/int8"
)

// ConvShape is one convolution with everything that its place in the network fixes. Weights are
// [Out][Kernel][Kernel][In/Groups]; padding is Kernel/2 on every side.
type ConvShape struct {
	// Name is the layer's name in the model file, such as "stage1.block0.transform".
	Name                   string
	In, Out                int
	Kernel, Stride, Groups int
	InH, InW, OutH, OutW   int
	// ReLU tells that the output is rectified: unsigned 8 bits. Without it (a projection shortcut before
	// the add) the output is signed.
	ReLU bool
	// InGroups and OutGroups tell whose groups the channels are padded for in memory: the cardinality on
	// both sides of the grouped convolution, else 1.
	InGroups, OutGroups int
	// inBorder and outBorder are the pixels of 0 that the maps carry on every side in memory, so that the windows of
	// what reads them need no branches.
	inBorder, outBorder int
}

// Weights is the number of weights.
func (s ConvShape) Weights() int { return int(s.weights()) }

// weights is Weights before Validate has bounded it.
func (s ConvShape) weights() int64 {
	return int64(s.Out) * int64(s.Kernel*s.Kernel) * int64(s.In/s.Groups)
}

// MACs is the number of multiply-accumulates for one image.
func (s ConvShape) MACs() int64 { return int64(s.OutH) * int64(s.OutW) * int64(s.Weights()) }

// BlockShape is a bottleneck: y = relu(shortcut(x) + expand(relu(transform(relu(reduce(x)))))).
// Transform is the grouped 3x3 convolution and carries the stride.
type BlockShape struct {
	Name                      string
	Reduce, Transform, Expand ConvShape
	// Shortcut is the 1x1 projection, nil where the shortcut is the identity.
	Shortcut *ConvShape
}

// Convs lists the block's convolutions in the order in which they run: the shortcut comes before
// Expand, whose epilogue adds it.
func (b BlockShape) Convs() []ConvShape {
	if b.Shortcut == nil {
		return []ConvShape{b.Reduce, b.Transform, b.Expand}
	}
	return []ConvShape{*b.Shortcut, b.Reduce, b.Transform, b.Expand}
}

// StemName and ClassifierName are the names of the first and last layers in the model file; PoolName and
// AverageName those of the operators without numbers, the stem's max pooling and the average before the
// classifier.
const (
	StemName       = "stem"
	PoolName       = "pool"
	AverageName    = "average"
	ClassifierName = "classifier"
)

// StemShape is the first convolution.
func (c Config) StemShape() ConvShape {
	s := conv(StemName, 3, c.Stem.Width, c.Stem.Kernel, c.Stem.Stride, 1, c.Height, c.Width)
	if c.Stem.MaxPool {
		s.outBorder = 1
	}
	return s
}

// BodySize is the size of the map that enters the first stage: the stem's output, pooled where the
// network pools.
func (c Config) BodySize() (h, w int) {
	s := c.StemShape()
	if c.Stem.MaxPool {
		return outSize(s.OutH, 3, 2), outSize(s.OutW, 3, 2)
	}
	return s.OutH, s.OutW
}

// Blocks lists every bottleneck in order.
func (c Config) Blocks() []BlockShape {
	var blocks []BlockShape
	in := c.Stem.Width
	h, w := c.BodySize()
	for i, stage := range c.Stages {
		for j := range stage.Blocks {
			stride := 1
			if j == 0 {
				stride = stage.Stride
			}
			name := fmt.Sprintf("stage%d.block%d", i+1, j)
			b := BlockShape{
				Name:      name,
				Reduce:    conv(name+".reduce", in, stage.Inner, 1, 1, 1, h, w),
				Transform: conv(name+".transform", stage.Inner, stage.Inner, 3, stride, c.Cardinality, h, w),
			}
			if stride != 1 || in != stage.Out {
				s := conv(name+".shortcut", in, stage.Out, 1, stride, 1, h, w)
				s.ReLU = false
				b.Shortcut = &s
			}
			h, w = b.Transform.OutH, b.Transform.OutW
			b.Expand = conv(name+".expand", stage.Inner, stage.Out, 1, 1, 1, h, w)
			b.Reduce.OutGroups, b.Expand.InGroups = c.Cardinality, c.Cardinality
			b.Reduce.outBorder, b.Transform.inBorder = 1, 1
			blocks = append(blocks, b)
			in = stage.Out
		}
	}
	return blocks
}

// Convs lists every convolution in the order in which they run; the classifier is not one of them.
func (c Config) Convs() []ConvShape {
	convs := []ConvShape{c.StemShape()}
	for _, b := range c.Blocks() {
		convs = append(convs, b.Convs()...)
	}
	return convs
}

// Features is the number of channels that the pooled map gives to the classifier.
func (c Config) Features() int { return c.Stages[len(c.Stages)-1].Out }

// largestLayer is the largest number of weights of a layer, the classifier included.
func (c Config) largestLayer() int {
	n := c.Features() * c.Classes // bounded by Validate
	for _, s := range c.Convs() {
		n = max(n, s.Weights())
	}
	return n
}

// MACs is the number of multiply-accumulates for one image, classifier included.
func (c Config) MACs() int64 {
	n := int64(c.Features()) * int64(c.Classes)
	for _, s := range c.Convs() {
		n += s.MACs()
	}
	return n
}

// conv is a rectified convolution whose groups reach from its input to its output.
func conv(name string, in, out, kernel, stride, groups, h, w int) ConvShape {
	return ConvShape{
		Name: name, In: in, Out: out, Kernel: kernel, Stride: stride, Groups: groups,
		InH: h, InW: w, OutH: outSize(h, kernel, stride), OutW: outSize(w, kernel, stride),
		ReLU: true, InGroups: groups, OutGroups: groups,
	}
}

// spec is the convolution as the operators know it, but for its numbers.
func (s ConvShape) spec() i8.ConvSpec {
	return i8.ConvSpec{
		In: i8.Grouped(s.In, s.InGroups), Out: i8.Grouped(s.Out, s.OutGroups), Stem: s.Name == StemName,
		Kernel: s.Kernel, Stride: s.Stride, Groups: s.Groups,
	}
}

// inMap and outMap are the convolution's input and output in memory. A stem's input is an Image instead.
func (s ConvShape) inMap() i8.Map {
	return i8.Map{H: s.InH, W: s.InW, Border: s.inBorder, Layout: s.spec().In}
}

func (s ConvShape) outMap() i8.Map {
	return i8.Map{H: s.OutH, W: s.OutW, Border: s.outBorder, Layout: s.spec().Out}
}

// image is the network's input in memory.
func (c Config) image() i8.Image { return i8.Image{H: c.Height, W: c.Width, Border: c.Stem.Kernel / 2} }

// pooledMap is what the stem's max pooling makes.
func (c Config) pooledMap() i8.Map {
	h, w := c.BodySize()
	return i8.Map{H: h, W: w, Layout: c.StemShape().outMap().Layout}
}

// LaneLimit is how large the weights of one sign that share a lane may sum up to, see Lanes.
const LaneLimit = i8.LaneLimit

// Lanes tells which weights of an output channel share a 16-bit lane of the accumulation when chains of that
// many quads (1, 2 or 4) run: for each weight, [Kernel][Kernel][In/Groups], its lane's number, and how many
// lanes there are. Where the weights of each sign in every lane of a channel sum up to at most LaneLimit,
// loading proves the chain and CPUs that profit use it. Results never depend on it.
func (s ConvShape) Lanes(quads int) (lane []int, lanes int) { return s.spec().Lanes(quads) }

// outSize is the output length of a window of odd size k with padding k/2.
func outSize(n, k, stride int) int { return (n+2*(k/2)-k)/stride + 1 }
