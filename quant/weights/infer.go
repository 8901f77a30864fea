package weights

import (
	"fmt"
	"strings"

	"github.com/libresnext/libresnext/quant/checkpoint"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// infer reads the network's configuration from names and shapes. What names and shapes do not tell
// follows the family's convention: the first stage keeps the map's size and the others halve it; a stem
// of 7x7 or more has stride 2 and a max pooling (224x224 pixels), a smaller one neither (32x32).
func infer(c *checkpoint.Checkpoint, tensors []string, d *dialect, p *problems) (resnext.Config, bool) {
	shape := func(name string, rank int) []int {
		t := c.Tensors[name]
		if t == nil {
			p.add("%s: missing; the network's form is read from its shape", name)
			return make([]int, rank)
		}
		if len(t.Shape) != rank {
			p.add("%s: shape is %v, expected %d dimensions", name, t.Shape, rank)
			return make([]int, rank)
		}
		return t.Shape
	}
	stem, classifier := shape(d.layers[topology.StemRole].conv+".weight", 4), shape(d.layers[topology.ClassifierRole].conv+".weight", 2)
	cfg := resnext.Config{
		Stem:    resnext.Stem{Kernel: stem[2], Stride: 1, Width: stem[0]},
		Classes: classifier[0], Height: 32, Width: 32,
	}
	if cfg.Stem.Kernel >= resnext.ImageNetStem.Kernel {
		cfg.Stem.Stride, cfg.Stem.MaxPool = 2, true
		cfg.Height, cfg.Width = 224, 224
	}
	for i, blocks := range d.depths(tensors) {
		prefix := d.prefix(i, 0)
		transform, expand := shape(prefix+d.layers[topology.Transform].conv+".weight", 4), shape(prefix+d.layers[topology.Expand].conv+".weight", 4)
		stage := resnext.Stage{Blocks: blocks, Inner: transform[0], Out: expand[0], Stride: 2}
		if i == 0 {
			stage.Stride = 1
			cfg.Cardinality = transform[0] / max(1, transform[1])
		}
		cfg.Stages = append(cfg.Stages, stage)
	}
	if len(p.lines) > 0 {
		return cfg, false
	}
	if err := float.CheckSize(cfg); err != nil {
		p.add("%v", err)
		return cfg, false
	}
	cfg.Name = cfg.CanonicalName()
	return cfg, true
}

// agree reports in what the network that the tensors hold differs from the architecture that the caller
// named. The number of classes and the input size are not part of an architecture.
func agree(arch string, found resnext.Config) error {
	named, err := resnext.Named(arch)
	if err != nil {
		return err
	}
	var diffs []string
	differ := func(what string, want, got any) {
		if want != got {
			diffs = append(diffs, fmt.Sprintf("%s: %s has %v, the tensors have %v", what, arch, want, got))
		}
	}
	differ("cardinality", named.Cardinality, found.Cardinality)
	differ("stem kernel", named.Stem.Kernel, found.Stem.Kernel)
	differ("stem width", named.Stem.Width, found.Stem.Width)
	differ("number of stages", len(named.Stages), len(found.Stages))
	for i := range min(len(named.Stages), len(found.Stages)) {
		want, got := named.Stages[i], found.Stages[i]
		differ(fmt.Sprintf("blocks of stage %d", i+1), want.Blocks, got.Blocks)
		differ(fmt.Sprintf("inner width of stage %d", i+1), want.Inner, got.Inner)
		differ(fmt.Sprintf("output channels of stage %d", i+1), want.Out, got.Out)
	}
	if len(diffs) == 0 {
		return nil
	}
	name := found.Name
	if name == "" {
		name = "a network without a usual name"
	}
	return fmt.Errorf("the tensors are not %s but %s (leave the architecture out to take what they hold):\n  %s",
		arch, name, strings.Join(diffs, "\n  "))
}
