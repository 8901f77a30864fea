package quant

import (
	"math"
	"slices"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext/topology"
)

// mostOctaves bounds the factors: no channel is scaled by more than 2^mostOctaves or less than its inverse.
const mostOctaves = 6

// equaliser scales channels of a network.
type equaliser struct {
	net   *float.Net
	stats *Statistics
	// factors are what each map's channels were multiplied with, by the map's name.
	factors map[string][]float32
}

// equalise scales the channels of the maps inside net such that they all reach as far: an int8 map has one scale, and
// a channel that reaches less far than others gets fewer of its steps. A positive factor passes through ReLU, the max
// pooling and the grouped convolution's groups, and the layer behind takes it out again; along a stage's shortcuts it
// is the same for all blocks. The network computes the same up to rounding.
//
// How far channels reach is taken from Low and High, which know half of the images. Were it all of them, no value that
// the range of a map is then chosen by would lie beyond its channel's reach, as some of any new image's do: the range
// would be too narrow, which cost the reference network 0.3 dB with 512 images and 3 to 7 with 32.
func equalise(net *float.Net, stats *Statistics) *equaliser {
	e := &equaliser{net: net.Clone(), stats: stats, factors: make(map[string][]float32)}
	p := topology.Lower(net.Config)
	uses := p.Uses()
	for _, group := range p.ResidualGroups() {
		var g sharing
		for _, id := range group {
			g.maps = append(g.maps, p.Maps[id].Name)
			if w := p.Steps[uses[id].Writer]; w.Op == topology.Conv {
				g.writers = append(g.writers, e.net.Convs[w.Name])
			}
			for _, r := range uses[id].Readers {
				switch s := p.Steps[r]; s.Op {
				case topology.Conv:
					g.readers = append(g.readers, e.net.Convs[s.Name])
				case topology.Classify:
					g.readers = append(g.readers, &e.net.Classifier)
				}
			}
		}
		e.scale(g)
	}
	return e
}

// sharing are maps whose channels have the same factors, the convolutions that write them, and those that read them.
type sharing struct {
	maps             []string
	writers, readers []*float.Conv
}

// scale equalises maps together. A channel that several maps share goes by the one that it fills most; one that is not
// known to leave 0 in any of them stays as it is. What max pooling makes of a map does not count beside it.
func (e *equaliser) scale(g sharing) {
	factors := make([]float32, len(g.writers[0].Bias))
	octaves := slices.Repeat([]float64{math.Inf(-1)}, len(factors))
	for _, w := range g.writers {
		for c, v := range e.stats.Moments[w.Shape.Name].octaves(len(octaves)) {
			octaves[c] = max(octaves[c], v)
		}
	}
	for _, name := range g.maps {
		e.factors[name] = factors
	}
	for c, v := range octaves {
		factors[c] = 1
		if finite(v) {
			factors[c] = float32(math.Exp2(-min(max(v, -mostOctaves), mostOctaves)))
		}
	}
	for _, w := range g.writers {
		w.ScaleOutputs(factors)
	}
	for _, r := range g.readers {
		r.ScaleInputs(factors)
	}
}

// octaves is the binary logarithm of how far each channel reaches, over the root mean square of all channels';
// nothing if that is not known.
func (m *Moments) octaves(channels int) []float64 {
	if m == nil || len(m.Low) != channels {
		return nil
	}
	octaves, mean := make([]float64, channels), 0.0
	for c, low := range m.Low {
		octaves[c] = max(m.High[c], -low)
		mean += octaves[c] * octaves[c] / float64(channels)
	}
	if !(mean > 0) {
		return nil
	}
	for c, reach := range octaves {
		octaves[c] = math.Log2(reach / math.Sqrt(mean))
	}
	return octaves
}

// statistics are those of the scaled network: the same, but for the scaled channels' moments. Its histograms are
// nil, since they cannot be told from those of the network before.
func (e *equaliser) statistics() *Statistics {
	s := &Statistics{Images: e.stats.Images, Maps: make(map[string]*Histogram), Moments: make(map[string]*Moments)}
	for name, m := range e.stats.Moments {
		s.Moments[name] = m.scaled(e.factors[name])
	}
	return s
}
