package resnext

import "fmt"

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
}

// Weights is the number of weights.
func (s ConvShape) Weights() int { return s.Out * s.Kernel * s.Kernel * (s.In / s.Groups) }

// MACs is the number of multiply-accumulates for one image.
func (s ConvShape) MACs() int { return s.OutH * s.OutW * s.Weights() }

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

// StemName and ClassifierName are the names of the first and last layers in the model file.
const (
	StemName       = "stem"
	ClassifierName = "classifier"
)

// StemShape is the first convolution.
func (c Config) StemShape() ConvShape {
	return c.conv(StemName, 3, c.Stem.Width, c.Stem.Kernel, c.Stem.Stride, 1, c.Height, c.Width, true)
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
				Reduce:    c.conv(name+".reduce", in, stage.Inner, 1, 1, 1, h, w, true),
				Transform: c.conv(name+".transform", stage.Inner, stage.Inner, 3, stride, c.Cardinality, h, w, true),
			}
			if stride != 1 || in != stage.Out {
				s := c.conv(name+".shortcut", in, stage.Out, 1, stride, 1, h, w, false)
				b.Shortcut = &s
			}
			h, w = b.Transform.OutH, b.Transform.OutW
			b.Expand = c.conv(name+".expand", stage.Inner, stage.Out, 1, 1, 1, h, w, true)
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

// MACs is the number of multiply-accumulates for one image, classifier included.
func (c Config) MACs() int {
	n := c.Features() * c.Classes
	for _, s := range c.Convs() {
		n += s.MACs()
	}
	return n
}

func (c Config) conv(name string, in, out, kernel, stride, groups, h, w int, relu bool) ConvShape {
	return ConvShape{
		Name: name, In: in, Out: out, Kernel: kernel, Stride: stride, Groups: groups,
		InH: h, InW: w, OutH: outSize(h, kernel, stride), OutW: outSize(w, kernel, stride), ReLU: relu,
	}
}

// outSize is the output length of a window of odd size k with padding k/2.
func outSize(n, k, stride int) int { return (n+2*(k/2)-k)/stride + 1 }
