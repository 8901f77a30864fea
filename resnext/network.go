package resnext

import "github.com/libresnext/libresnext/resnext/topology"

// What a network is, see package topology.
type (
	// Config describes one network of the family: a stem, stages of blocks, a classifier.
	Config = topology.Config
	// Stem is what comes before the first block.
	Stem = topology.Stem
	// Stage is a run of blocks of one kind with equal widths.
	Stage = topology.Stage
	// ConvShape is one convolution with everything that its place in the network fixes.
	ConvShape = topology.ConvShape
)

// Ways to halve a map, the kinds of blocks, and what the features become.
const (
	NoPool     = topology.NoPool
	Max3x3     = topology.Max3x3
	Average2x2 = topology.Average2x2
	Blur3x3    = topology.Blur3x3
	MaxBlur    = topology.MaxBlur
	Bottleneck = topology.Bottleneck
	Basic      = topology.Basic
	OneClass   = topology.OneClass
	MultiLabel = topology.MultiLabel
	Embedding  = topology.Embedding
)

// SimpleStem is the stem of one convolution.
func SimpleStem(kernel, stride, width int, pool topology.Pool) Stem {
	return topology.SimpleStem(kernel, stride, width, pool)
}

// ImageNetStem is the 7x7, stride 2 convolution with max pooling.
func ImageNetStem() Stem { return topology.ImageNetStem() }

// CIFARStem is the 3x3, stride 1 convolution without pooling.
func CIFARStem() Stem { return topology.CIFARStem() }

// Uniform gives all stages the same cardinality, and returns them.
func Uniform(cardinality int, stages []Stage) []Stage { return topology.Uniform(cardinality, stages) }

// SameShape reports whether two networks differ at most in name, classes and input size.
func SameShape(a, b Config) bool { return topology.SameShape(a, b) }

// ErrConfig is wrapped by every error about an impossible Config.
var ErrConfig = topology.ErrConfig

// The names of what is not a block's: the first and the last layer in the model file; the stem's max pooling and the
// average before the classifier, which have no numbers.
const (
	StemName       = topology.StemName
	PoolName       = topology.PoolName
	AverageName    = topology.AverageName
	ClassifierName = topology.ClassifierName
)

// Architectures lists the names of published networks, sorted. Named accepts more: any cardinality
// and base width.
func Architectures() []string { return topology.Architectures() }

// Named returns the configuration of a named architecture: "resnet18", "resnext50_32x4d", "wide_resnet50_2",
// "seresnext26d_32x4d", "regnet_y_800mf" and others, by the names of torchvision and timm. They are ImageNet networks
// (1000 classes, 224x224 pixels), but for depths that ImageNet networks do not have: a ResNet of 6n+2 layers and a ResNeXt
// of 9n+2 are the CIFAR form (10 classes, 32x32 pixels). The widen factor of such a ResNeXt is 4 unless the name ends in
// _wN.
func Named(name string) (Config, error) { return topology.Named(name) }
