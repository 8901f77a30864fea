package quant

import (
	"math"
	"slices"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/resnext/topology"
)

// maxLog2Factor bounds the factors: no channel is scaled by more than 2^maxLog2Factor or less than its inverse.
const maxLog2Factor = 6

// equaliser scales channels of a network.
type equaliser struct {
	net   *float.Net
	stats *Statistics
	// factors are what each map's channels were multiplied with, by the map's name.
	factors map[string][]float32
}

// equalise scales the channels of the maps inside net so that all have the same range: an int8 map has one scale, and
// a channel of smaller range gets fewer of its steps. A positive factor passes through ReLU, pooling, the product with a
// gate and the grouped convolution's groups, and the next layer takes it out again, the first layer of a gate too; along a stage's shortcuts it
// is the same for all blocks. The network computes the same up to rounding.
//
// Channels' ranges are taken from Low and High, which know half of the images. Were it all of them, no value that
// the range of a map is then chosen by would lie outside its channel's range, as some of any new image's do: the range
// would be too narrow, which cost the reference network 0.3 dB with 512 images and 3 to 7 with 32.
func equalise(net *float.Net, stats *Statistics) *equaliser {
	e := &equaliser{net: net.Clone(), stats: stats, factors: make(map[string][]float32)}
	p := topology.Lower(net.Config)
	uses := p.Uses()
	for _, group := range p.ResidualGroups() {
		var g residualGroup
		for _, id := range group {
			name, w := p.Maps[id].Name, p.Steps[uses[id].Writer]
			g.maps = append(g.maps, name)
			if w.Op == topology.Conv {
				g.writers = append(g.writers, e.net.Convs[w.Name])
			}
			if !w.Pools() {
				g.measured = append(g.measured, name)
			}
			for _, r := range uses[id].Readers {
				g.read(e.net, p.Steps[r])
			}
		}
		e.scale(g)
	}
	return e
}

// residualGroup holds maps whose channels share their factors, those of them whose ranges count, the convolutions that
// write them, and the layers that read them.
type residualGroup struct {
	maps, measured   []string
	writers, readers []*float.Conv
	// fixed says that somebody reads the channels as they are and cannot take a factor out again.
	fixed bool
}

// read notes a step that reads one of the maps.
func (g *residualGroup) read(net *float.Net, s topology.Step) {
	switch {
	case s.Op == topology.Conv, s.GateKind == topology.SqueezeExcite:
		g.readers = append(g.readers, net.Convs[s.Layers()[0].Name])
	case s.Op == topology.Classify:
		g.readers = append(g.readers, &net.Classifier)
	case s.Op == topology.Embed, s.Op == topology.Gated: // a gate that mixes neighbouring channels
		g.fixed = true
	}
}

// scale equalises a group. A channel that several maps share is scaled by its largest range in any of them; one that is
// not known to leave 0 in any of them stays as it is. A pooled map does not count.
func (e *equaliser) scale(g residualGroup) {
	if g.fixed {
		return
	}
	factors := make([]float32, len(g.writers[0].Bias))
	ranges := slices.Repeat([]float64{math.Inf(-1)}, len(factors))
	for _, name := range g.measured {
		for c, v := range e.stats.Moments[name].Log2Range(len(ranges)) {
			ranges[c] = max(ranges[c], v)
		}
	}
	for _, name := range g.maps {
		e.factors[name] = factors
	}
	for c, v := range ranges {
		factors[c] = 1
		if observe.Finite(v) {
			factors[c] = float32(math.Exp2(-min(max(v, -maxLog2Factor), maxLog2Factor)))
		}
	}
	for _, w := range g.writers {
		w.ScaleOutputs(factors)
	}
	for _, r := range g.readers {
		r.ScaleInputs(factors)
	}
}

// statistics are those of the scaled network: the same, except for the scaled channels' moments. They have no
// histograms, since those cannot be derived from the ones of the network before.
func (e *equaliser) statistics() *Statistics {
	s := &Statistics{Images: e.stats.Images, Maps: make(map[string]*Histogram), Moments: make(map[string]*Moments)}
	for name, m := range e.stats.Moments {
		s.Moments[name] = m.Scaled(e.factors[name])
	}
	return s
}
