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
	cfg := resnext.Config{Head: m.head, Height: height, Width: width}
	if m.classifier != nil {
		cfg.Classes = m.classifier.out()
	}
	in := 3
	for _, u := range m.stem {
		c := u.conv
		if got := c.Weight.Shape[1] * c.Groups; c.Groups != 1 || got != in {
			if len(cfg.Stem.Convs) > 0 {
				return cfg, fmt.Errorf("%s: takes %d channels in %d groups; expected %d in one, as the stem's convolution before it gives", c.Title, got, c.Groups, in)
			}
			return cfg, fmt.Errorf("%s: the stem takes %d channels in %d groups; expected 3 channels, RGB, in the order [N,3,height,width]", c.Title, got, c.Groups)
		}
		cfg.Stem.Convs = append(cfg.Stem.Convs, topology.StemConv{Kernel: c.Kernel, Stride: c.Stride, Width: c.out()})
		in = c.out()
	}
	switch {
	case m.pool == nil:
	case m.pool.Op == MaxPool:
		cfg.Stem.Pool = topology.Max3x3
	default:
		cfg.Stem.Pool = topology.Average2x2
	}
	if height == 0 || width == 0 {
		cfg.Height, cfg.Width = 32, 32
		if cfg.Stem.Reduces() {
			cfg.Height, cfg.Width = 224, 224
		}
	}
	made := 0
	for i := range m.blocks {
		b := &m.blocks[i]
		if err := b.checkShortcut(in); err != nil {
			return cfg, err
		}
		if b.shortcut.kind == topology.Padded {
			if err := b.shortcut.project(in, b.last().out(), &made); err != nil {
				return cfg, err
			}
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
	// What only the first block of a stage shows.
	s.Stride, s.StrideOn, s.AntiAlias, s.Shortcut = before.Stride, before.StrideOn, before.AntiAlias, before.Shortcut
	return s != before
}

// checkShortcut wants more than the identity exactly where the shape changes.
func (b *block) checkShortcut(in int) error {
	out, stride := b.last().out(), b.stride()
	changes := in != out || stride != 1
	switch s := b.shortcut; {
	case changes && s.conv.conv == nil && s.kind != topology.Padded:
		return fmt.Errorf("%s: the block goes from %d to %d channels with stride %d and has no projection as its shortcut; expected a 1x1 convolution or channels of zeros (the paper's shortcuts A, B or C)",
			b.last().Title, in, out, stride)
	case !changes && s.conv.conv != nil:
		return fmt.Errorf("%s: a projection in a block whose shape stays the same (%d channels, stride 1); expected the identity as its shortcut (the paper's shortcut B)",
			s.conv.conv.Title, in)
	case !changes && s.kind == topology.Padded:
		return fmt.Errorf("%s: is in the shortcut of a block whose shape stays the same (%d channels, stride 1); expected the identity", s.title(), in)
	}
	return nil
}

// checkMaps compares averages with the maps that they get: those of a fixed size must be over the whole map, and those
// that halve a map must take all of it.
func (m *matcher) checkMaps(cfg resnext.Config) error {
	p := topology.Lower(cfg)
	pools := m.pools()
	for _, s := range p.Steps {
		in, n := p.Maps[s.In], pools[s.Name]
		switch s.Op {
		case topology.AveragePool:
			if !n.Ceil && (in.H%2 != 0 || in.W%2 != 0) {
				return fmt.Errorf("%s: leaves out the edge of a map of %dx%d, which images of %dx%d pixels give; expected even sides: export with such an input size, or with ceil_mode",
					n.Title, in.W, in.H, cfg.Width, cfg.Height)
			}
		case topology.Gated:
			if err := checkAverage(n, in, cfg); err != nil {
				return err
			}
		case topology.Classify, topology.Embed:
			if err := checkAverage(m.mean, in, cfg); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkAverage compares an average of a fixed size with the map that it gets.
func checkAverage(n *Node, in topology.Map, cfg resnext.Config) error {
	if k := n.Kernel; k != 0 && (k != in.H || k != in.W) {
		return fmt.Errorf("%s: averages %dx%d pixels, and images of %dx%d pixels give a map of %dx%d; expected an average over the whole map: export with the input size of training fixed",
			n.Title, k, k, cfg.Width, cfg.Height, in.W, in.H)
	}
	if n.Pad != 0 {
		return fmt.Errorf("%s: has a padding of %d; expected none", n.Title, n.Pad)
	}
	return nil
}

// each visits the blocks with their names.
func (m *matcher) each(visit func(name string, b *block)) {
	stage, index := -1, -1
	for i := range m.blocks {
		index++
		if m.begins(i) {
			stage, index = stage+1, 0
		}
		visit(topology.BlockName(stage, index), &m.blocks[i])
	}
}

// pools gives the poolings and the averages of gates by the names of their steps.
func (m *matcher) pools() map[string]*Node {
	all := map[string]*Node{topology.PoolName: m.pool}
	m.each(func(name string, b *block) {
		all[topology.LayerName(name, topology.ShortcutPoolRole)] = b.shortcut.pool
		for _, u := range b.branch {
			if u.pool != nil {
				all[topology.LayerName(name, topology.AntiAliasRole)] = u.pool
			}
			if u.gate != nil {
				all[topology.LayerName(name, topology.GateRole)] = u.gate.mean
			}
		}
	})
	return all
}

// units gives everything that has numbers by the name of its layer.
func (m *matcher) units() map[string]unit {
	all := map[string]unit{topology.ClassifierName: {conv: m.classifier}}
	for i, u := range m.stem {
		all[topology.StemConvName(i)] = u
	}
	m.each(func(name string, b *block) {
		all[topology.LayerName(name, topology.Shortcut)] = b.shortcut.conv
		for i, l := range b.kind.Branch() {
			u := b.branch[i]
			all[topology.LayerName(name, l.Role)] = u
			if u.gate != nil {
				for j, role := range gateRoles[u.gate.kind] {
					all[topology.LayerName(name, role)] = u.gate.layers[j]
				}
			}
		}
	})
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
func (u unit) layer(s resnext.ConvShape) (Layer, error) {
	c := u.conv
	want := []int{s.Out, s.In / s.Groups, s.Kernel, s.Kernel}
	if c.Op == Linear {
		want = want[:2]
	}
	if !slices.Equal(c.Weight.Shape, want) {
		return Layer{}, fmt.Errorf("%s: its weights are %v, what comes before it needs %v", c.Title, c.Weight.Shape, want)
	}
	if c.Bias != nil && len(c.Bias) != s.Out {
		return Layer{}, fmt.Errorf("%s: has %d biases, expected %d", c.Title, len(c.Bias), s.Out)
	}
	l := Layer{Title: c.Title, Weight: c.Weight.Data, Bias: c.Bias}
	if u.norm != nil {
		l.Norm = u.norm.Stats
	}
	return l, nil
}
