package weights

import (
	"fmt"
	"slices"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/match"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// FromGraph builds the network that was found in a graph of operators. Batch normalisation is folded into
// the convolutions. arch is that of Options. All numbers that are not finite and variances that are
// negative are named in one error.
func FromGraph(g *match.Network, arch string) (*float.Net, error) {
	cfg := g.Config
	if err := float.CheckSize(cfg); err != nil {
		return nil, err
	}
	if arch != "" && arch != "auto" {
		named, err := resnext.Named(arch)
		if err != nil {
			return nil, err
		}
		if err := agree(arch, named, cfg); err != nil {
			return nil, err
		}
	}
	var p problems
	n := &float.Net{Config: cfg, Convs: make(map[string]*float.Conv)}
	for _, s := range topology.Lower(cfg).Layers() {
		layer := fromLayer(s, g.Layers[s.Name], &p)
		if s.Name == resnext.ClassifierName {
			n.Classifier = layer
		} else {
			n.Convs[s.Name] = &layer
		}
	}
	if len(p.lines) > 0 {
		return nil, p.err("the graph is of this family, but its numbers are not sound")
	}
	return n, nil
}

// fromLayer copies the weights of one layer, so that a Net shares no memory with what it was made from.
func fromLayer(s resnext.ConvShape, l match.Layer, p *problems) float.Conv {
	c := float.Conv{Shape: s, Bias: make([]float32, s.Out), Weight: toChannelsLast(l.Weight, s.Out, s.In/s.Groups, s.Kernel*s.Kernel)}
	copy(c.Bias, l.Bias)
	sound := checkFinite(l.Title, "weights", l.Weight, p) && checkFinite(l.Title, "biases", l.Bias, p)
	if !sound || l.Norm == nil {
		return c
	}
	t := l.Norm
	norm := batchNorm{gain: t.Gain, shift: t.Shift, mean: t.Mean, variance: t.Variance, epsilon: t.Epsilon}
	for _, list := range [][]float32{t.Gain, t.Shift, t.Mean, t.Variance} {
		sound = checkFinite(t.Title, "statistics", list, p) && sound
	}
	if i := norm.negative(); i >= 0 {
		p.add("%s: its variance %d is %v, a variance cannot be negative", t.Title, i, t.Variance[i])
		sound = false
	}
	if !sound {
		return c
	}
	norm.fold(&c)
	if firstNonFinite(slices.Concat(c.Weight, c.Bias)) >= 0 {
		p.add("%s: leaves the range of float32 once %s is folded in", l.Title, t.Title)
	}
	return c
}

func checkFinite(title, what string, list []float32, p *problems) bool {
	i := firstNonFinite(list)
	if i >= 0 {
		p.add("%s: number %d of its %s is %v", title, i, what, list[i])
	}
	return i < 0
}

// errorAt puts the file's name before an error.
func errorAt(path string, err error) error { return fmt.Errorf("%s: %w", path, err) }
