package weights

import (
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// inference reads a network's configuration from names and shapes. What they do not tell follows the family's convention:
//
//   - A stem of one convolution of 7x7 or more, or of several convolutions, has stride 2 in the first and a max pooling, or
//     a convolution of stride 2 in its place (224x224 pixels). A smaller one has neither (32x32).
//   - The first stage keeps the map's size and the others halve it, on the kind's usual convolution.
//   - In a RegNet the stem has stride 2 and no pooling, and all stages halve the map (224x224).
//   - A gate follows the last convolution of a block, in a RegNet the grouped one.
//   - Where basic blocks for small images change the shape and have no projection, their shortcut is padded.
//
// So anti-aliased networks are taken for plain ones, and those with the stride on the first 1x1 for those with it on the 3x3,
// unless the caller names the architecture.
type inference struct {
	v        *view
	d        *dialect
	problems *problems
	regNet   bool
}

func newInference(v *view, d *dialect, p *problems) *inference {
	f := &inference{v: v, d: d, problems: p, regNet: d.regNet}
	if d.orRegNet {
		stem := d.stem(v.has)
		weight, s := v.tensors[stem[0].conv+".weight"], f.stage(place{})
		f.regNet = len(stem) == 1 && weight != nil && len(weight.Shape) == 4 && weight.Shape[2] == 3 && s.Kind == topology.Bottleneck && s.Inner == s.Out
	}
	return f
}

// network is the configuration, and where in the file its stages are.
func (f *inference) network() (cfg resnext.Config, where []place, ok bool) {
	cfg = resnext.Config{Stem: f.stem(), Height: 32, Width: 32}
	if cfg.Stem.Reduces() {
		cfg.Height, cfg.Width = 224, 224
	}
	in, projections := cfg.Stem.Out(), 0
	for i, blocks := range f.d.depths(f.v.order) {
		s := f.stage(place{stage: i})
		if i == 0 && !f.regNet {
			s.Stride = 1
		}
		if _, there := f.d.layer(f.v.has, f.d.prefix(place{stage: i}), topology.Shortcut); there {
			projections++
		}
		s.Shortcut = f.shortcut(&cfg, place{stage: i}, s, in)
		in = s.Out
		// Where gates differ within a stage of the file, another one begins.
		for j := range blocks {
			if j > 0 && s.Gate.Kind != topology.NoGate {
				if gate := f.gate(place{i, j}, s.Kind); gate != s.Gate {
					cfg.Stages = append(cfg.Stages, s)
					s.Blocks, s.Stride, s.Shortcut, s.Gate = 0, 1, topology.Projection, gate
				}
			}
			if s.Blocks == 0 {
				where = append(where, place{i, j})
			}
			s.Blocks++
		}
		cfg.Stages = append(cfg.Stages, s)
	}
	if f.regNet && projections == 0 {
		f.problems.add("no block has a projection: a RegNetZ, or another network without them, does not run here; expected a RegNetX or RegNetY")
	}
	if len(f.problems.lines) > 0 {
		return cfg, where, false
	}
	cfg.Head = topology.Embedding // until a classifier is found
	if err := float.CheckSize(cfg); err != nil {
		f.problems.add("%v", err)
		return cfg, where, false
	}
	cfg.Name = cfg.CanonicalName()
	return cfg, where, true
}

// shape is that of a tensor, which must have so many dimensions; zeros after noting what is wrong.
func (f *inference) shape(name string, rank int) []int {
	t := f.v.tensors[name]
	if t == nil {
		f.problems.add("%s: missing; the network's form is read from its shape", name)
		return make([]int, rank)
	}
	if len(t.Shape) != rank {
		f.problems.add("%s: shape is %v, expected %d dimensions", name, t.Shape, rank)
		return make([]int, rank)
	}
	return t.Shape
}

func (f *inference) stem() resnext.Stem {
	var s resnext.Stem
	for i, n := range f.d.stem(f.v.has) {
		weight := f.shape(n.conv+".weight", 4)
		if channels := weight[1]; i == 0 && channels > 3 {
			f.problems.add("%s.weight: takes images of %d channels; expected 3, red, green and blue, or 1, gray", n.conv, channels)
		}
		s.Convs = append(s.Convs, topology.StemConv{Kernel: weight[2], Stride: 1, Width: weight[0]})
	}
	large := resnext.ImageNetStem()
	switch deep := len(s.Convs) > 1; {
	case f.regNet:
		s.Convs[0].Stride = 2
	case f.d.poolsByConv(f.v.has):
		s.Convs[0].Stride, s.Convs[len(s.Convs)-1].Stride = 2, 2
	case deep || s.Convs[0].Kernel >= large.Convs[0].Kernel:
		s.Convs[0].Stride, s.Pool = 2, large.Pool
	}
	return s
}

// stage reads the form of a stage off its first block.
func (f *inference) stage(p place) resnext.Stage {
	prefix := f.d.prefix(p)
	s := resnext.Stage{Kind: f.d.kind(f.v.has, prefix), Cardinality: 1, Stride: 2}
	s.Gate = f.gate(p, s.Kind)
	for i, l := range s.Kind.Branch() {
		n, _ := f.d.layer(f.v.has, prefix, l.Role)
		weight := f.shape(n.conv+".weight", 4)
		if i == 0 {
			s.Inner = weight[0]
			f.refusePreActivation(n, weight)
		}
		if l.Grouped {
			s.Cardinality = s.Inner / max(1, weight[1])
		}
		s.Out = weight[0]
	}
	return s
}

// refusePreActivation refuses blocks in which normalisation comes before the first convolution, which shows where it has
// another width than behind.
func (f *inference) refusePreActivation(first names, weight []int) {
	t := f.v.tensors[first.norm+".weight"]
	if t != nil && len(t.Shape) == 1 && t.Shape[0] == weight[1] && weight[0] != weight[1] {
		f.problems.add("%s.weight: is as long as the input of %s has channels; normalisation before convolutions (pre-activation, ResNetV2) does not run here",
			first.norm, first.conv)
	}
}

// gate finds the gate of a block.
func (f *inference) gate(p place, k topology.Kind) topology.Gate {
	after := k.Last()
	if f.regNet {
		after = topology.Transform
	}
	prefix := f.d.prefix(p)
	if n, ok := f.d.layer(f.v.has, prefix, topology.Squeeze); ok {
		name := n.conv + ".weight"
		rank := 4 // a 1x1 convolution
		if len(f.v.tensors[name].Shape) == 2 {
			rank = 2 // a linear layer
		}
		return topology.Gate{Kind: topology.SqueezeExcite, After: after, Hidden: f.shape(name, rank)[0]}
	}
	if n, ok := f.d.layer(f.v.has, prefix, topology.Neighbours); ok {
		return topology.Gate{Kind: topology.NeighbourGate, After: after, Kernel: f.shape(n.conv+".weight", 3)[2]}
	}
	return topology.Gate{}
}

// shortcut finds how the first block of a stage changes its shortcut's shape.
func (f *inference) shortcut(cfg *resnext.Config, p place, s resnext.Stage, in int) topology.ShortcutKind {
	n, there := f.d.layer(f.v.has, f.d.prefix(p), topology.Shortcut)
	switch {
	case there && n.averaged && s.Stride != 1:
		return topology.AveragedProjection
	case !there && cfg.CIFAR() && s.Kind == topology.Basic && s.Inner == s.Out && (s.Stride != 1 || s.Out != in):
		// With these widths the file holds more numbers in the block's first convolution than padding needs.
		return topology.Padded
	}
	return topology.Projection
}
