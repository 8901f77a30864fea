package topology

import (
	"errors"
	"fmt"
	"math"
)

// Config describes one network of the family: a stem, stages of blocks, a classifier.
//
// ResNeXt ("Aggregated Residual Transformations for Deep Neural Networks", Xie et al. 2017, section 3)
// is fixed by these few numbers; there is no general graph. ResNet is the case Cardinality = 1.
// A Config is a plain value; it is stored as JSON in the int8 model file.
type Config struct {
	// Name is the architecture's usual name, such as "resnext50_32x4d"; empty if it has none.
	Name string `json:"name"`
	// Cardinality is the number of groups of every 3x3 convolution (C in the paper).
	Cardinality int     `json:"cardinality"`
	Stem        Stem    `json:"stem"`
	Stages      []Stage `json:"stages"`
	// Classes is the number of logits.
	Classes int `json:"classes"`
	// Height and Width are the input image's size in pixels.
	Height int `json:"height"`
	Width  int `json:"width"`
}

// Stem is the first convolution (from RGB, padding Kernel/2, then ReLU), followed by a 3x3 max pooling
// of stride 2 and padding 1 where MaxPool is set.
type Stem struct {
	Kernel  int  `json:"kernel"`
	Stride  int  `json:"stride"`
	Width   int  `json:"width"`
	MaxPool bool `json:"max_pool"`
}

// ImageNetStem is the 7x7, stride 2 convolution with max pooling; CIFARStem the 3x3, stride 1 one without.
var (
	ImageNetStem = Stem{Kernel: 7, Stride: 2, Width: 64, MaxPool: true}
	CIFARStem    = Stem{Kernel: 3, Stride: 1, Width: 64}
)

// Stage is a run of blocks of one kind with equal widths. The first of them has the stride.
type Stage struct {
	Blocks int `json:"blocks"`
	// Inner is the width of the grouped 3x3 convolution over all groups (D in the paper's table 1).
	Inner int `json:"inner"`
	// Out is the number of channels that each block gives.
	Out    int `json:"out"`
	Stride int `json:"stride"`
}

// Bounds that keep a damaged or hostile configuration from asking for absurd memory. The largest
// published network of the family (ResNeXt-101 32x48d) has an inner width of 12288.
const (
	maxWidth   = 1 << 15
	maxBlocks  = 512
	maxStages  = 8
	maxClasses = 1 << 17
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
	case c.Cardinality < 1 || c.Cardinality > maxWidth:
		return bad("cardinality is %d", c.Cardinality)
	case c.Classes < 1 || c.Classes > maxClasses:
		return bad("%d classes", c.Classes)
	case c.Height < 1 || c.Width < 1 || c.Height > MaxSide || c.Width > MaxSide:
		return bad("input of %dx%d pixels, expected 1 to %d each", c.Width, c.Height, MaxSide)
	case c.Stem.Kernel < 1 || c.Stem.Kernel > 15 || c.Stem.Kernel%2 == 0:
		return bad("stem kernel is %d, expected an odd size up to 15", c.Stem.Kernel)
	case c.Stem.Stride < 1 || c.Stem.Stride > 4:
		return bad("stem stride is %d", c.Stem.Stride)
	case c.Stem.Width < 1 || c.Stem.Width > maxWidth:
		return bad("stem width is %d", c.Stem.Width)
	case len(c.Stages) < 1 || len(c.Stages) > maxStages:
		return bad("%d stages", len(c.Stages))
	}
	for i, s := range c.Stages {
		switch {
		case s.Blocks < 1 || s.Blocks > maxBlocks:
			return bad("stage %d has %d blocks", i+1, s.Blocks)
		case s.Inner < 1 || s.Inner > maxWidth || s.Inner%c.Cardinality != 0:
			return bad("stage %d: inner width %d is not a multiple of the cardinality %d", i+1, s.Inner, c.Cardinality)
		case s.Out < 1 || s.Out > maxWidth:
			return bad("stage %d: %d output channels", i+1, s.Out)
		case s.Stride < 1 || s.Stride > 4:
			return bad("stage %d: stride %d", i+1, s.Stride)
		}
	}
	for _, s := range c.Convs() {
		if n := s.weights(); n > maxWeights {
			return bad("%s has %d weights, expected at most %d", s.Name, n, maxWeights)
		}
		if n := int64(s.OutH) * int64(s.OutW) * int64(s.Out); n > maxValues {
			return bad("%s: %dx%d pixels of %d channels are %d values, expected at most %d",
				s.Name, s.OutW, s.OutH, s.Out, n, maxValues)
		}
	}
	if n := int64(c.Features()) * int64(c.Classes); n > maxWeights {
		return bad("%s has %d weights, expected at most %d", ClassifierName, n, maxWeights)
	}
	return nil
}

// Layers is the number of layers with weights, shortcuts not counted: the 50 of ResNeXt-50.
func (c Config) Layers() int {
	n := 2
	for _, s := range c.Stages {
		n += s.Blocks * len(kinds[s.kind()].branch)
	}
	return n
}

// BaseWidth is the width of one group in the first stage (d in "32x4d").
func (c Config) BaseWidth() int { return c.Stages[0].Inner / c.Cardinality }

// CIFAR reports whether the network has the stem without pooling that is usual for small images.
func (c Config) CIFAR() bool { return !c.Stem.MaxPool }

// Features is the number of channels that the pooled map gives to the classifier.
func (c Config) Features() int { return c.Stages[len(c.Stages)-1].Out }
