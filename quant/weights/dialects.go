package weights

import (
	"maps"

	"github.com/libresnext/libresnext/resnext/topology"
)

// dialect is one way of naming the tensors of a network.
type dialect struct {
	// title names it in messages.
	title string
	// model is the kind of model whose form a hub's config.json says; empty where there is none.
	model string
	// regNet reports whether the names are a RegNet's: the stem halves the image and has no pooling, every stage halves
	// the map, and gates follow the grouped convolution.
	regNet bool
	// orRegNet reports whether RegNets have these names too: the networks whose stem is one 3x3 convolution and whose blocks
	// are nowhere narrower.
	orRegNet bool
	// first and firstBlock are the numbers of the first stage and of the first block in names; first is anyFirst where the
	// lowest number that is there counts.
	first, firstBlock int
	// block is the prefix of a block's tensors with the stage and the block as arguments 1 and 2; blockPattern finds
	// them.
	block, blockPattern string
	// stems are the convolutions of stems, each in order. The first stem is the usual one.
	stems [][]names
	// stemPool is a convolution that halves the map in place of the stem's pooling.
	stemPool names
	// head is what the classifier is usually called; see headNames.
	head string
	// layers are the modules of each layer of a block by its role. The first that the tensors have counts.
	layers map[topology.Role][]names
}

// names are the modules of one layer: a convolution and its batch normalisation.
type names struct {
	conv, norm string
	// averaged reports whether an average pooling stands before a shortcut's projection.
	averaged bool
}

// one is a layer that has always the same names.
func one(conv, norm string) []names { return []names{{conv: conv, norm: norm}} }

// linear are the names that a linear layer may have.
func linear(all ...string) []names {
	var list []names
	for _, n := range all {
		list = append(list, names{conv: n})
	}
	return list
}

// hubNames is a module of transformers, which calls its parts alike everywhere.
func hubNames(module string) names {
	return names{conv: module + ".convolution", norm: module + ".normalization"}
}

// The stems of ResNets: one convolution, three as timm names them, three as OpenMMLab does.
var (
	plainStem = one("conv1", "bn1")
	timmStem  = []names{{conv: "conv1.0", norm: "conv1.1"}, {conv: "conv1.3", norm: "conv1.4"}, {conv: "conv1.6", norm: "bn1"}}
	mmStem    = []names{{conv: "stem.0", norm: "stem.1"}, {conv: "stem.3", norm: "stem.4"}, {conv: "stem.6", norm: "stem.7"}}
)

// below puts a prefix before all names.
func below(prefix string, list []names) []names {
	var all []names
	for _, n := range list {
		n.conv, n.norm = prefix+n.conv, prefix+n.norm
		all = append(all, n)
	}
	return all
}

// numbered are the convolutions of a block as most call them.
var numbered = map[topology.Role][]names{
	topology.Reduce: one("conv1", "bn1"), topology.Transform: one("conv2", "bn2"), topology.Expand: one("conv3", "bn3"),
	topology.First: one("conv1", "bn1"), topology.Second: one("conv2", "bn2"),
}

// usual are the layers of a block as torchvision and timm call them.
var usual = with(numbered, map[topology.Role][]names{
	topology.Shortcut: {plainShortcut, averagedShortcut, cifarShortcut},
	topology.Squeeze:  linear("se.fc1", "se.fc.0"), topology.Excite: linear("se.fc2", "se.fc.2"),
	topology.Neighbours: linear("se.conv", "eca.conv"),
})

// anyFirst stands for the lowest number that there is.
const anyFirst = -1

// with adds layers to others.
func with(layers, more map[topology.Role][]names) map[topology.Role][]names {
	all := maps.Clone(layers)
	maps.Copy(all, more)
	return all
}

// The projections of ResNets: plain, behind an average pooling, which is a module that has no numbers, and as most code for
// CIFAR names them.
var (
	plainShortcut    = names{conv: "downsample.0", norm: "downsample.1"}
	averagedShortcut = names{conv: "downsample.1", norm: "downsample.2", averaged: true}
	cifarShortcut    = names{conv: "shortcut.0", norm: "shortcut.1"}
)

// dialects: ResNets as torchvision, timm and most others name them; the usual ResNeXt for CIFAR in PyTorch; networks for
// CIFAR-100; OpenMMLab's; Hugging Face's ResNetForImageClassification; RegNets in torchvision, timm and transformers; ResNets
// of which nn.Sequential(*net.children()) was made; and ResNeXts that were converted from Torch7, as Cadene's collection has.
var dialects = []dialect{
	{
		title: "torchvision", head: "fc", first: 1, block: "layer%[1]d.%[2]d.", blockPattern: `layer(\d{1,3})\.(\d{1,3})\.`,
		stems: [][]names{plainStem, timmStem, mmStem}, stemPool: names{conv: "maxpool.0", norm: "maxpool.1"},
		layers: usual,
	},
	{
		title: "CIFAR ResNeXt", head: "classifier", first: 1,
		block: "stage_%[1]d.stage_%[1]d_bottleneck_%[2]d.", blockPattern: `stage_(\d{1,3})\.stage_\d{1,3}_bottleneck_(\d{1,3})\.`,
		stems: [][]names{one("conv_1_3x3", "bn_1")},
		layers: map[topology.Role][]names{
			topology.Reduce: one("conv_reduce", "bn_reduce"), topology.Transform: one("conv_conv", "bn"),
			topology.Expand: one("conv_expand", "bn_expand"), topology.Shortcut: one("shortcut.shortcut_conv", "shortcut.shortcut_bn"),
		},
	},
	{
		title: "CIFAR-100 ResNet", head: "fc", first: 2, block: "conv%[1]d_x.%[2]d.", blockPattern: `conv(\d{1,3})_x\.(\d{1,3})\.`,
		stems: [][]names{one("conv1.0", "conv1.1")},
		layers: map[topology.Role][]names{
			topology.Reduce:    one("residual_function.0", "residual_function.1"),
			topology.Transform: one("residual_function.3", "residual_function.4"),
			topology.Expand:    one("residual_function.6", "residual_function.7"),
			topology.First:     one("residual_function.0", "residual_function.1"),
			topology.Second:    one("residual_function.3", "residual_function.4"),
			topology.Shortcut:  {cifarShortcut},
		},
	},
	{
		title: "OpenMMLab", head: "head.fc", orRegNet: true, first: 1,
		block: "backbone.layer%[1]d.%[2]d.", blockPattern: `backbone\.layer(\d{1,3})\.(\d{1,3})\.`,
		stems: [][]names{below("backbone.", plainStem), below("backbone.", mmStem)},
		layers: with(numbered, map[topology.Role][]names{
			topology.Shortcut: {plainShortcut, averagedShortcut},
			topology.Squeeze:  linear("se_layer.conv1.conv"), topology.Excite: linear("se_layer.conv2.conv"),
		}),
	},
	{
		title: "transformers", head: "classifier.1", model: "resnet",
		block: "resnet.encoder.stages.%[1]d.layers.%[2]d.", blockPattern: `resnet\.encoder\.stages\.(\d{1,3})\.layers\.(\d{1,3})\.`,
		stems: [][]names{{hubNames("resnet.embedder.embedder")}},
		layers: map[topology.Role][]names{
			topology.Reduce:    {hubNames("layer.0")},
			topology.Transform: {hubNames("layer.1")},
			topology.Expand:    {hubNames("layer.2")},
			topology.First:     {hubNames("layer.0")},
			topology.Second:    {hubNames("layer.1")},
			topology.Shortcut:  {hubNames("shortcut")},
		},
	},
	{
		title: "torchvision RegNet", head: "fc", regNet: true, first: 1,
		block: "trunk_output.block%[1]d.block%[1]d-%[2]d.", blockPattern: `trunk_output\.block(\d{1,3})\.block\d{1,3}-(\d{1,3})\.`,
		stems: [][]names{one("stem.0", "stem.1")},
		layers: map[topology.Role][]names{
			topology.Reduce:    one("f.a.0", "f.a.1"),
			topology.Transform: one("f.b.0", "f.b.1"),
			topology.Expand:    one("f.c.0", "f.c.1"),
			topology.Shortcut:  one("proj.0", "proj.1"),
			topology.Squeeze:   linear("f.se.fc1"),
			topology.Excite:    linear("f.se.fc2"),
		},
	},
	{
		title: "timm RegNet", head: "head.fc", regNet: true, first: 1, firstBlock: 1, block: "s%[1]d.b%[2]d.", blockPattern: `s(\d{1,3})\.b(\d{1,3})\.`,
		stems: [][]names{one("stem.conv", "stem.bn")},
		layers: map[topology.Role][]names{
			topology.Reduce:    one("conv1.conv", "conv1.bn"),
			topology.Transform: one("conv2.conv", "conv2.bn"),
			topology.Expand:    one("conv3.conv", "conv3.bn"),
			topology.Shortcut: {
				{conv: "downsample.conv", norm: "downsample.bn"},
				{conv: "downsample.1.conv", norm: "downsample.1.bn", averaged: true},
			},
			topology.Squeeze: linear("se.fc1"),
			topology.Excite:  linear("se.fc2"),
		},
	},
	{
		title: "transformers RegNet", head: "classifier.1", model: "regnet", regNet: true,
		block: "regnet.encoder.stages.%[1]d.layers.%[2]d.", blockPattern: `regnet\.encoder\.stages\.(\d{1,3})\.layers\.(\d{1,3})\.`,
		stems: [][]names{{hubNames("regnet.embedder.embedder")}},
		layers: map[topology.Role][]names{
			topology.Reduce:    {hubNames("layer.0")},
			topology.Transform: {hubNames("layer.1")},
			topology.Expand:    {hubNames("layer.2"), hubNames("layer.3")}, // a gate takes a number
			topology.Shortcut:  {hubNames("shortcut")},
			topology.Squeeze:   linear("layer.2.attention.0"),
			topology.Excite:    linear("layer.2.attention.2"),
		},
	},
	{
		title: "numbered children", head: "fc", first: anyFirst, block: "%[1]d.%[2]d.", blockPattern: `(\d{1,2})\.(\d{1,3})\.`,
		stems:    [][]names{one("0", "1"), {{conv: "0.0", norm: "0.1"}, {conv: "0.3", norm: "0.4"}, {conv: "0.6", norm: "1"}}},
		stemPool: names{conv: "3.0", norm: "3.1"},
		layers:   usual,
	},
	{
		title: "converted from Torch7", head: "last_linear", first: anyFirst, block: "%[1]d.%[2]d.0.", blockPattern: `(\d{1,2})\.(\d{1,3})\.0\.`,
		stems: [][]names{one("0", "1")},
		layers: map[topology.Role][]names{
			topology.Reduce: one("0.0.0", "0.0.1"), topology.Transform: one("0.0.3", "0.0.4"), topology.Expand: one("0.1", "0.2"),
			topology.Shortcut: one("1.0", "1.1"),
		},
	},
}
