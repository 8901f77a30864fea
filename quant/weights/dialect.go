package weights

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/libresnext/libresnext/quant/hub"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// dialect is one way of naming a ResNeXt's tensors.
type dialect struct {
	// title names it in messages.
	title string
	// first is the number of the first stage in names: 0 or 1.
	first int
	// hub reports whether a hub's config.json says where the strides are.
	hub bool
	// block is the prefix of a block's tensors with the stage (from first on) and the block (from 0) as
	// arguments 1 and 2; blockPattern finds them.
	block, blockPattern string
	// layers are the modules of each layer by its role: without prefix for stem and classifier.
	layers map[topology.Role]names
}

// names are the modules of one layer: a convolution and its batch normalisation.
type names struct{ conv, norm string }

// dialects: torchvision's and timm's names; those of the usual ResNeXt for CIFAR in PyTorch; a third one
// that is common for CIFAR ResNets, which differs from the first in two names; and those of Hugging Face's
// ResNetForImageClassification.
var dialects = []dialect{
	{
		title: "torchvision", first: 1, block: "layer%[1]d.%[2]d.", blockPattern: `layer(\d{1,3})\.(\d{1,3})\.`,
		layers: map[topology.Role]names{
			topology.StemRole: {"conv1", "bn1"}, topology.ClassifierRole: {conv: "fc"},
			topology.Reduce: {"conv1", "bn1"}, topology.Transform: {"conv2", "bn2"}, topology.Expand: {"conv3", "bn3"},
			topology.First: {"conv1", "bn1"}, topology.Second: {"conv2", "bn2"},
			topology.Shortcut: {"downsample.0", "downsample.1"},
		},
	},
	{
		title: "CIFAR ResNeXt", first: 1,
		block: "stage_%[1]d.stage_%[1]d_bottleneck_%[2]d.", blockPattern: `stage_(\d{1,3})\.stage_\d{1,3}_bottleneck_(\d{1,3})\.`,
		layers: map[topology.Role]names{
			topology.StemRole: {"conv_1_3x3", "bn_1"}, topology.ClassifierRole: {conv: "classifier"},
			topology.Reduce: {"conv_reduce", "bn_reduce"}, topology.Transform: {"conv_conv", "bn"},
			topology.Expand: {"conv_expand", "bn_expand"}, topology.Shortcut: {"shortcut.shortcut_conv", "shortcut.shortcut_bn"},
		},
	},
	{
		title: "CIFAR ResNet", first: 1, block: "layer%[1]d.%[2]d.", blockPattern: `layer(\d{1,3})\.(\d{1,3})\.`,
		layers: map[topology.Role]names{
			topology.StemRole: {"conv1", "bn1"}, topology.ClassifierRole: {conv: "linear"},
			topology.Reduce: {"conv1", "bn1"}, topology.Transform: {"conv2", "bn2"}, topology.Expand: {"conv3", "bn3"},
			topology.First: {"conv1", "bn1"}, topology.Second: {"conv2", "bn2"},
			topology.Shortcut: {"shortcut.0", "shortcut.1"},
		},
	},
	{
		title: "transformers", hub: true,
		block: "resnet.encoder.stages.%[1]d.layers.%[2]d.", blockPattern: `resnet\.encoder\.stages\.(\d{1,3})\.layers\.(\d{1,3})\.`,
		layers: map[topology.Role]names{
			topology.StemRole: hubNames("resnet.embedder.embedder"), topology.ClassifierRole: {conv: "classifier.1"},
			topology.Reduce: hubNames("layer.0"), topology.Transform: hubNames("layer.1"), topology.Expand: hubNames("layer.2"),
			topology.First: hubNames("layer.0"), topology.Second: hubNames("layer.1"),
			topology.Shortcut: hubNames("shortcut"),
		},
	},
}

// hubNames is a module of transformers, which calls its parts alike everywhere.
func hubNames(module string) names { return names{module + ".convolution", module + ".normalization"} }

// prefix is that of all tensors of a block, both numbers from 0 on.
func (d *dialect) prefix(stage, block int) string { return fmt.Sprintf(d.block, d.first+stage, block) }

// checkForm refuses what a hub says of the network and names and shapes do not show.
func (d *dialect) checkForm(form *hub.ResNet) error {
	switch {
	case !d.hub || form == nil:
		return nil
	case form.Activation != "" && form.Activation != "relu":
		return fmt.Errorf("config.json beside it has the activation %q; only networks with relu run here", form.Activation)
	}
	return nil
}

// modules gives the names of every convolution of a network, and of its classifier, by the layer's name.
func (d *dialect) modules(cfg resnext.Config) map[string]names {
	all := map[string]names{}
	for _, s := range topology.Lower(cfg).Steps {
		prefix, n := "", d.layers[s.Role]
		if s.Block != "" {
			prefix = d.prefix(s.Stage, s.Index)
		}
		all[s.Name] = names{prefix + n.conv, prefix + n.norm}
	}
	return all
}

// depths finds the number of blocks of every stage: one more than the highest index in a name.
func (d *dialect) depths(tensors []string) []int {
	pattern := regexp.MustCompile("^" + d.blockPattern)
	var blocks []int
	for _, t := range tensors {
		m := pattern.FindStringSubmatch(t)
		if m == nil {
			continue
		}
		number, _ := strconv.Atoi(m[1]) // at most three digits
		block, _ := strconv.Atoi(m[2])
		stage := number - d.first
		for len(blocks) <= stage {
			blocks = append(blocks, 0)
		}
		if stage >= 0 {
			blocks[stage] = max(blocks[stage], block+1)
		}
	}
	return blocks
}

// recognise finds the dialect that most of the tensors follow, or nil if none is that of a network of blocks.
func recognise(tensors []string) *dialect {
	var best *dialect
	bestCount := 0
	for i := range dialects {
		d := &dialects[i]
		if count := d.count(tensors); count > bestCount {
			best, bestCount = d, count
		}
	}
	return best
}

// count is the number of tensors whose names belong to d; 0 without the last convolution of any block.
func (d *dialect) count(tensors []string) int {
	var inner, outer []string
	for role, n := range d.layers {
		quoted := []string{regexp.QuoteMeta(n.conv)}
		if n.norm != "" {
			quoted = append(quoted, regexp.QuoteMeta(n.norm))
		}
		if topology.InBlock(role) {
			inner = append(inner, quoted...)
		} else {
			outer = append(outer, quoted...)
		}
	}
	known := regexp.MustCompile(fmt.Sprintf(`^(?:%s(?:%s)|%s)\.\w+$`, d.blockPattern, strings.Join(inner, "|"), strings.Join(outer, "|")))
	last := regexp.MustCompile(fmt.Sprintf(`^%s(?:%s)\.weight$`, d.blockPattern, strings.Join(d.lasts(), "|")))
	count, found := 0, false
	for _, t := range tensors {
		if known.MatchString(t) {
			count++
		}
		found = found || last.MatchString(t)
	}
	if !found {
		return 0
	}
	return count
}

// lasts are the last convolutions of all kinds of blocks that the dialect has names for, as patterns.
func (d *dialect) lasts() []string {
	var all []string
	for _, k := range topology.Kinds() {
		branch := k.Branch()
		if n, ok := d.layers[branch[len(branch)-1].Role]; ok {
			all = append(all, regexp.QuoteMeta(n.conv))
		}
	}
	return all
}

// kind finds the kind of the block with a prefix: the one with the longest branch whose convolutions are all there.
func (d *dialect) kind(has func(tensor string) bool, prefix string) (topology.Kind, bool) {
	for _, k := range topology.Kinds() {
		all := true
		for _, l := range k.Branch() {
			n, named := d.layers[l.Role]
			all = all && named && has(prefix+n.conv+".weight")
		}
		if all {
			return k, true
		}
	}
	return "", false
}
