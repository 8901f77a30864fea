package topology

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Config describes one network of the family: a stem, stages of blocks, a classifier.
//
// ResNeXt ("Aggregated Residual Transformations for Deep Neural Networks", Xie et al. 2017, section 3), ResNet and RegNet
// are fixed by these few numbers; there is no general graph. ResNet is the case Cardinality = 1, RegNet the one whose
// cardinality follows from each stage's width. A Config is a value; Clone separates two that share Stages. It is stored as
// JSON in the int8 model file, see Encode.
type Config struct {
	// Name is the architecture's usual name, such as "resnext50_32x4d"; empty if it has none.
	Name   string  `json:"name"`
	Stem   Stem    `json:"stem"`
	Stages []Stage `json:"stages"`
	// Head is what the averaged features become.
	Head Head `json:"head"`
	// Classes is the number of logits; 0 where there are none.
	Classes int `json:"classes"`
	// Height and Width are the input image's size in pixels.
	Height int `json:"height"`
	Width  int `json:"width"`
}

// Stem is what comes before the first block: convolutions, the first of them from RGB, and then a pooling. One
// convolution is usual, three are a deep stem (He et al. 2019, "Bag of Tricks", figure 2b).
type Stem struct {
	Convs []StemConv `json:"convs"`
	Pool  Pool       `json:"pool"`
}

// StemConv is one convolution of a stem, with padding Kernel/2 and a ReLU.
type StemConv struct {
	Kernel int `json:"kernel"`
	Stride int `json:"stride"`
	Width  int `json:"width"`
}

// Pool is a way to halve a map.
type Pool string

const (
	// NoPool leaves the map as it is.
	NoPool Pool = ""
	// Max3x3 is a 3x3 max pooling of stride 2 and padding 1.
	Max3x3 Pool = "max"
	// Average2x2 is a 2x2 average pooling of stride 2. A window at an odd edge averages over the pixels that are there.
	Average2x2 Pool = "average"
	// Blur3x3 is a 3x3 binomial filter of stride 2, whose edges are reflected.
	Blur3x3 Pool = "blur"
	// MaxBlur is a 3x3 max pooling of stride 1 and then Blur3x3.
	MaxBlur Pool = "max_blur"
)

// Head is what the features, the averages of the last map's channels, become.
type Head string

const (
	// OneClass is a linear layer whose logits compete: one class is right.
	OneClass Head = ""
	// MultiLabel is a linear layer with a logit for each of several labels, any of which may be right.
	MultiLabel Head = "multilabel"
	// Embedding gives the features themselves.
	Embedding Head = "embedding"
)

// SimpleStem is the stem of one convolution.
func SimpleStem(kernel, stride, width int, pool Pool) Stem {
	return Stem{Convs: []StemConv{{Kernel: kernel, Stride: stride, Width: width}}, Pool: pool}
}

// ImageNetStem is the 7x7, stride 2 convolution with max pooling.
func ImageNetStem() Stem { return SimpleStem(7, 2, 64, Max3x3) }

// CIFARStem is the 3x3, stride 1 convolution without pooling.
func CIFARStem() Stem { return SimpleStem(3, 1, 64, NoPool) }

// Out is the number of channels that a stem gives.
func (s Stem) Out() int { return s.Convs[len(s.Convs)-1].Width }

// Reduces reports whether the stem's map is smaller than the image.
func (s Stem) Reduces() bool {
	return s.Pool != NoPool || slices.ContainsFunc(s.Convs, func(c StemConv) bool { return c.Stride > 1 })
}

// Stage is a run of blocks of one kind with equal widths. The first of them has the stride.
type Stage struct {
	// Kind is what each block's branch consists of.
	Kind   Kind `json:"kind"`
	Blocks int  `json:"blocks"`
	// Inner is the width of the 3x3 convolution over all groups (D in the paper's table 1).
	Inner int `json:"inner"`
	// Out is the number of channels that each block gives.
	Out int `json:"out"`
	// Cardinality is the number of groups of the 3x3 convolution (C in the paper).
	Cardinality int `json:"cardinality"`
	Stride      int `json:"stride"`
	// StrideOn is the convolution that has the stride, if it is not the kind's usual one: Reduce in ResNets as first
	// published and in what Keras, Caffe and MXNet made of them ("v1").
	StrideOn Role `json:"stride_on"`
	// AntiAlias halves the map behind the convolution that else has the stride 2 (Zhang 2019, "Making Convolutional
	// Networks Shift-Invariant Again"): Average2x2 or Blur3x3.
	AntiAlias Pool `json:"anti_alias"`
	// Shortcut is how the first block's shortcut comes to the shape of its output, where that differs from the input's.
	Shortcut ShortcutKind `json:"shortcut"`
	// Gate scales the channels of each block.
	Gate Gate `json:"gate"`
}

// ShortcutKind is a way to change a shortcut's shape.
type ShortcutKind string

const (
	// Projection is a 1x1 convolution with the stride (shortcut B of He et al. 2016).
	Projection ShortcutKind = ""
	// AveragedProjection is an average pooling by the stride and then a 1x1 convolution (He et al. 2019, "Bag of Tricks",
	// figure 2c: ResNet-D).
	AveragedProjection ShortcutKind = "average"
	// Padded takes every pixel that the stride leaves and pads the channels with zeros (shortcut A of He et al. 2016).
	// It is a projection like another whose weights are 0 and 1, so that nobody else need know of it; only its
	// output, which is never negative, is not signed.
	Padded ShortcutKind = "padded"
)

// Gate multiplies each channel of a map with a number from 0 to 1 that follows from the averages of all channels. The
// zero Gate is none.
type Gate struct {
	Kind GateKind `json:"kind"`
	// After is the convolution whose output is scaled: before the add where it is the branch's last, after the ReLU
	// where it is not.
	After Role `json:"after"`
	// Hidden is the number of channels between the two layers of SqueezeExcite; 0 in others.
	Hidden int `json:"hidden"`
	// Kernel is how many neighbouring channels NeighbourGate looks at, an odd number; 0 in others.
	Kernel int `json:"kernel"`
}

// GateKind is a way to compute the numbers of a gate.
type GateKind string

const (
	// NoGate leaves blocks as they are.
	NoGate GateKind = ""
	// SqueezeExcite is a linear layer, a ReLU, a linear layer and a sigmoid (Hu et al. 2018, "Squeeze-and-Excitation
	// Networks").
	SqueezeExcite GateKind = "se"
	// NeighbourGate is a convolution over neighbouring channels and a sigmoid (Wang et al. 2020, "ECA-Net").
	NeighbourGate GateKind = "eca"
)

// Uniform gives all stages the same cardinality, and returns them.
func Uniform(cardinality int, stages []Stage) []Stage {
	for i := range stages {
		stages[i].Cardinality = cardinality
	}
	return stages
}

// Clone is a deep copy.
func (c Config) Clone() Config {
	c.Stem.Convs, c.Stages = slices.Clone(c.Stem.Convs), slices.Clone(c.Stages)
	return c
}

// Bounds that keep a damaged or hostile configuration from asking for absurd memory. The largest
// published network of the family (ResNeXt-101 32x48d) has an inner width of 12288.
const (
	maxWidth  = 1 << 15
	maxBlocks = 512
	maxStages = 8
	maxStem   = 4
	// maxNeighbours bounds the kernel of a gate; ECA-Net's largest is 9.
	maxNeighbours = 63
	maxClasses    = 1 << 17
	// maxWeights bounds one layer's weights; 32x48d's largest has 25 million.
	maxWeights = 1 << 28
	// maxValues bounds one map.
	maxValues = math.MaxInt32
)

// MaxSide is the largest height and width of an image in pixels.
const MaxSide = 2048

// ErrConfig is wrapped by every error about an impossible Config.
var ErrConfig = errors.New("impossible network configuration")

// Validate reports the first thing that makes c no network of the family.
func (c Config) Validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrConfig, fmt.Sprintf(format, args...))
	}
	switch {
	case c.Head != OneClass && c.Head != MultiLabel && c.Head != Embedding:
		return bad("a head of kind %q, which this program does not know", c.Head)
	case c.Head == Embedding && c.Classes != 0:
		return bad("%d classes of an embedding, which has none", c.Classes)
	case c.Head != Embedding && (c.Classes < 1 || c.Classes > maxClasses):
		return bad("%d classes", c.Classes)
	case c.Height < 1 || c.Width < 1 || c.Height > MaxSide || c.Width > MaxSide:
		return bad("input of %dx%d pixels, expected 1 to %d each", c.Width, c.Height, MaxSide)
	case len(c.Stem.Convs) < 1 || len(c.Stem.Convs) > maxStem:
		return bad("a stem of %d convolutions, expected 1 to %d", len(c.Stem.Convs), maxStem)
	case !slices.Contains([]Pool{NoPool, Max3x3, Average2x2, MaxBlur}, c.Stem.Pool):
		return bad("the stem's pooling is %q, expected %q, %q, %q or none", c.Stem.Pool, Max3x3, Average2x2, MaxBlur)
	case len(c.Stages) < 1 || len(c.Stages) > maxStages:
		return bad("%d stages", len(c.Stages))
	}
	for _, s := range c.Stem.Convs {
		switch {
		case s.Kernel < 1 || s.Kernel > 15 || s.Kernel%2 == 0:
			return bad("stem kernel is %d, expected an odd size up to 15", s.Kernel)
		case s.Stride < 1 || s.Stride > 4:
			return bad("stem stride is %d", s.Stride)
		case s.Width < 1 || s.Width > maxWidth:
			return bad("stem width is %d", s.Width)
		}
	}
	for i, s := range c.Stages {
		if err := s.validate(); err != nil {
			return bad("stage %d: %v", i+1, err)
		}
	}
	for _, s := range Lower(c).Layers() {
		if n := s.weights(); n > maxWeights {
			return bad("%s has %d weights, expected at most %d", s.Name, n, maxWeights)
		}
		if n := int64(s.OutH) * int64(s.OutW) * int64(s.Out); n > maxValues {
			return bad("%s: %dx%d pixels of %d channels are %d values, expected at most %d",
				s.Name, s.OutW, s.OutH, s.Out, n, maxValues)
		}
	}
	return nil
}

func (s Stage) validate() error {
	_, known := kinds[s.Kind]
	switch {
	case !known:
		return fmt.Errorf("a kind of block %q, which this program does not know", s.Kind)
	case s.Blocks < 1 || s.Blocks > maxBlocks:
		return fmt.Errorf("%d blocks", s.Blocks)
	case s.Cardinality < 1 || s.Cardinality > maxWidth:
		return fmt.Errorf("cardinality is %d", s.Cardinality)
	case s.Inner < 1 || s.Inner > maxWidth || s.Inner%s.Cardinality != 0:
		return fmt.Errorf("inner width %d is not a multiple of the cardinality %d", s.Inner, s.Cardinality)
	case s.Out < 1 || s.Out > maxWidth:
		return fmt.Errorf("%d output channels", s.Out)
	case s.Stride < 1 || s.Stride > 4:
		return fmt.Errorf("stride %d", s.Stride)
	case s.Cardinality > 1 && !s.Kind.grouped():
		return fmt.Errorf("cardinality is %d, a %s has no groups", s.Cardinality, s.Kind)
	case s.StrideOn != "" && !s.Kind.has(s.StrideOn):
		return fmt.Errorf("the stride is on %q, which a %s does not have", s.StrideOn, s.Kind)
	case !slices.Contains([]Pool{NoPool, Average2x2, Blur3x3}, s.AntiAlias):
		return fmt.Errorf("the anti-aliased pooling is %q, expected %q, %q or none", s.AntiAlias, Average2x2, Blur3x3)
	case s.AntiAlias != NoPool && s.StrideRole() == s.Kind.Last():
		return fmt.Errorf("the anti-aliased pooling is behind %q, where the shortcut is added", s.StrideRole())
	case s.AntiAlias != NoPool && s.Stride != 1 && s.Stride != 2:
		return fmt.Errorf("stride %d with pooling, expected 1 or 2", s.Stride)
	case s.Shortcut != Projection && s.Shortcut != AveragedProjection && s.Shortcut != Padded:
		return fmt.Errorf("a shortcut of kind %q, which this program does not know", s.Shortcut)
	case s.Shortcut == AveragedProjection && s.Stride != 1 && s.Stride != 2:
		return fmt.Errorf("stride %d with an averaged shortcut, expected 1 or 2", s.Stride)
	}
	return s.Gate.validate(s.Kind)
}

func (g Gate) validate(k Kind) error {
	switch {
	case g.Kind == NoGate && g != Gate{}:
		return errors.New("a gate of no kind with numbers")
	case g.Kind == NoGate:
	case g.Kind != SqueezeExcite && g.Kind != NeighbourGate:
		return fmt.Errorf("a gate of kind %q, which this program does not know", g.Kind)
	case !k.has(g.After):
		return fmt.Errorf("the gate is after %q, which a %s does not have", g.After, k)
	case g.Kind == SqueezeExcite && (g.Hidden < 1 || g.Hidden > maxWidth || g.Kernel != 0):
		return fmt.Errorf("a gate of %d hidden channels and kernel %d, expected 1 to %d and none", g.Hidden, g.Kernel, maxWidth)
	case g.Kind == NeighbourGate && (g.Kernel < 1 || g.Kernel > maxNeighbours || g.Kernel%2 == 0 || g.Hidden != 0):
		return fmt.Errorf("a gate of kernel %d and %d hidden channels, expected an odd kernel up to %d and none", g.Kernel, g.Hidden, maxNeighbours)
	}
	return nil
}

// StrideRole is the convolution that has the stage's stride.
func (s Stage) StrideRole() Role {
	if s.StrideOn != "" {
		return s.StrideOn
	}
	return s.Kind.Stride()
}

// Layers is the number of layers with weights, shortcuts not counted: the 50 of ResNeXt-50. A stem counts as one.
func (c Config) Layers() int {
	n := 2
	for _, s := range c.Stages {
		n += s.Blocks * len(s.Kind.Branch())
	}
	return n
}

// BaseWidth is the width of one group in the first stage (d in "32x4d").
func (c Config) BaseWidth() int { return c.Stages[0].Inner / c.Stages[0].Cardinality }

// CIFAR reports whether the network has the stem that is usual for small images: one that keeps their size.
func (c Config) CIFAR() bool { return !c.Stem.Reduces() }

// Gated reports whether any block has a gate.
func (c Config) Gated() bool {
	return slices.ContainsFunc(c.Stages, func(s Stage) bool { return s.Gate.Kind != NoGate })
}

// Features is the number of channels that the pooled map gives to the classifier.
func (c Config) Features() int { return c.Stages[len(c.Stages)-1].Out }
