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
	cfg := resnext.Config{Stem: resnext.SimpleStem(stem[2], 1, stem[0], resnext.NoPool), Classes: classifier[0], Height: 32, Width: 32}
	if large := resnext.ImageNetStem(); stem[2] >= large.Convs[0].Kernel {
		cfg.Stem.Convs[0].Stride, cfg.Stem.Pool = 2, large.Pool
		cfg.Height, cfg.Width = 224, 224
	}
	has := func(name string) bool { return c.Tensors[name] != nil }
	for i, blocks := range d.depths(tensors) {
		prefix := d.prefix(i, 0)
		kind, _ := d.kind(has, prefix) // the usual kind where none is whole: what is missing is named below
		branch := kind.Branch()
		stage := resnext.Stage{Kind: kind, Blocks: blocks, Cardinality: 1, Stride: 2}
		for j, l := range branch {
			weight := shape(prefix+d.layers[l.Role].conv+".weight", 4)
			if j == 0 {
				stage.Inner = weight[0]
			}
			if l.Grouped {
				stage.Cardinality = weight[0] / max(1, weight[1])
			}
			stage.Out = weight[0]
		}
		if i == 0 {
			stage.Stride = 1
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
	differ("stem", stemText(named.Stem), stemText(found.Stem))
	differ("number of stages", len(named.Stages), len(found.Stages))
	for i := range min(len(named.Stages), len(found.Stages)) {
		want, got := named.Stages[i], found.Stages[i]
		differ(fmt.Sprintf("blocks of stage %d", i+1), want.Blocks, got.Blocks)
		differ(fmt.Sprintf("kind of the blocks of stage %d", i+1), want.Kind, got.Kind)
		differ(fmt.Sprintf("cardinality of stage %d", i+1), want.Cardinality, got.Cardinality)
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

// stemText describes a stem's convolutions: "7x7, 64 channels".
func stemText(s resnext.Stem) string {
	var convs []string
	for _, c := range s.Convs {
		convs = append(convs, fmt.Sprintf("%dx%d, %d channels", c.Kernel, c.Kernel, c.Width))
	}
	return strings.Join(convs, "; ")
}
