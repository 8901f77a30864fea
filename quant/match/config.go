package match

import (
	"fmt"
	"maps"
	"slices"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// config is the configuration of the blocks that were found.
func (m *matcher) config(height, width int) (resnext.Config, error) {
	stem := m.first.conv
	cfg := resnext.Config{
		Stem: resnext.SimpleStem(stem.Kernel, stem.Stride, stem.out(), resnext.NoPool), Classes: m.classifier.out(), Height: height, Width: width,
	}
	if m.pool != nil {
		cfg.Stem.Pool = resnext.Max3x3
	}
	if height == 0 || width == 0 {
		cfg.Height, cfg.Width = 32, 32
		if cfg.Stem.Reduces() {
			cfg.Height, cfg.Width = 224, 224
		}
	}
	if stem.Groups != 1 || stem.Weight.Shape[1] != 3 {
		return cfg, fmt.Errorf("%s: the stem takes %d channels in %d groups; expected 3 channels, RGB, in the order [N,3,height,width]",
			stem.Title, stem.Weight.Shape[1]*stem.Groups, stem.Groups)
	}
	in := stem.out()
	for i := range m.blocks {
		b := &m.blocks[i]
		if err := b.checkShortcut(in); err != nil {
			return cfg, err
		}
		in = b.last().out()
		if m.begins(i) {
			cfg.Stages = append(cfg.Stages, b.stage())
		} else {
			cfg.Stages[len(cfg.Stages)-1].Blocks++
		}
	}
	if err := cfg.Validate(); err != nil {
		return cfg, err
	}
	cfg.Name = cfg.CanonicalName()
	return cfg, nil
}

// begins reports whether block i is the first of a stage: where the map shrinks, or the block is not as the one before.
func (m *matcher) begins(i int) bool {
	if i == 0 || m.blocks[i].stride() != 1 {
		return true
	}
	s, before := m.blocks[i].stage(), m.blocks[i-1].stage()
	s.Stride, s.StrideOn = before.Stride, before.StrideOn
	return s != before
}

// checkShortcut wants a projection exactly where the shape changes.
func (b *block) checkShortcut(in int) error {
	out, stride := b.last().out(), b.stride()
	changes := in != out || stride != 1
	switch has := b.shortcut.conv != nil; {
	case changes && !has:
		return fmt.Errorf("%s: the block goes from %d to %d channels with stride %d and has no projection as its shortcut; expected a 1x1 convolution (the paper's shortcuts B or C)",
			b.last().Title, in, out, stride)
	case !changes && has:
		return fmt.Errorf("%s: a projection in a block whose shape stays the same (%d channels, stride 1); expected the identity as its shortcut (the paper's shortcut B)",
			b.shortcut.conv.Title, in)
	}
	return nil
}

// checkAverage compares an average of a fixed size with the map that it gets.
func (m *matcher) checkAverage(cfg resnext.Config) error {
	p := topology.Lower(cfg)
	last := p.Maps[p.Head().In]
	if k := m.average.Kernel; k != 0 && (k != last.H || k != last.W) {
		return fmt.Errorf("%s: averages %dx%d pixels, and images of %dx%d pixels give a map of %dx%d; expected an average over the whole map: export with the input size of training fixed",
			m.average.Title, k, k, cfg.Width, cfg.Height, last.W, last.H)
	}
	if m.average.Pad != 0 {
		return fmt.Errorf("%s: has a padding of %d; expected none", m.average.Title, m.average.Pad)
	}
	return nil
}

// units gives every convolution that was found by the name of its layer.
func (m *matcher) units() map[string]unit {
	all := map[string]unit{topology.StemName: m.first}
	stage, index := -1, -1
	for i := range m.blocks {
		b := &m.blocks[i]
		index++
		if m.begins(i) {
			stage, index = stage+1, 0
		}
		name := topology.BlockName(stage, index)
		all[topology.LayerName(name, topology.Shortcut)] = b.shortcut
		for j, l := range b.kind.Branch() {
			all[topology.LayerName(name, l.Role)] = b.branch[j]
		}
	}
	return all
}

// out is the number of channels that a convolution or linear layer gives.
func (n *Node) out() int { return n.Weight.Shape[0] }

// checkShared wants weights of its own for every layer; a small file could ask for much memory otherwise.
func (m *matcher) checkShared() error {
	owners := map[*float32]*Node{}
	units := m.units()
	for _, name := range slices.Sorted(maps.Keys(units)) {
		if c := units[name].conv; c != nil {
			if other := owners[&c.Weight.Data[0]]; other != nil {
				return fmt.Errorf("%s and %s share their weights; expected weights of its own for each layer", other.Title, c.Title)
			}
			owners[&c.Weight.Data[0]] = c
		}
	}
	return nil
}

// layer gives the weights of a unit whose shape must be as the configuration says.
func (u unit) layer(want []int) (Layer, error) {
	c := u.conv
	if !slices.Equal(c.Weight.Shape, want) {
		return Layer{}, fmt.Errorf("%s: its weights are %v, what comes before it needs %v", c.Title, c.Weight.Shape, want)
	}
	if c.Bias != nil && len(c.Bias) != want[0] {
		return Layer{}, fmt.Errorf("%s: has %d biases, expected %d", c.Title, len(c.Bias), want[0])
	}
	l := Layer{Title: c.Title, Weight: c.Weight.Data, Bias: c.Bias}
	if u.norm != nil {
		l.Norm = u.norm.Stats
	}
	return l, nil
}
