package quant

import (
	"math"
	"slices"

	"github.com/libresnext/libresnext/internal/floatnet"
	"github.com/libresnext/libresnext/resnext"
)

// mostOctaves bounds the factors: no channel is scaled by more than 2^mostOctaves or less than its inverse.
const mostOctaves = 6

// equaliser scales channels of a network.
type equaliser struct {
	net   *floatnet.Net
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
func equalise(net *floatnet.Net, stats *Statistics) *equaliser {
	e := &equaliser{net: net.Clone(), stats: stats, factors: make(map[string][]float32)}
	convs, blocks := e.net.Convs, e.net.Config.Blocks()
	stem := resnext.StemName
	run := trunk{maps: []string{stem}, writers: []*floatnet.Conv{convs[stem]}}
	for _, b := range blocks {
		reduce, transform, expand := convs[b.Reduce.Name], convs[b.Transform.Name], convs[b.Expand.Name]
		e.scale([]string{b.Reduce.Name}, []*floatnet.Conv{reduce}, []*floatnet.Conv{transform})
		e.scale([]string{b.Transform.Name}, []*floatnet.Conv{transform}, []*floatnet.Conv{expand})
		run.readers = append(run.readers, reduce)
		if b.Shortcut != nil {
			shortcut := convs[b.Shortcut.Name]
			run.readers = append(run.readers, shortcut)
			e.scale(run.maps, run.writers, run.readers)
			run = trunk{maps: []string{b.Shortcut.Name}, writers: []*floatnet.Conv{shortcut}}
		}
		run.maps, run.writers = append(run.maps, b.Expand.Name), append(run.writers, expand)
	}
	e.scale(run.maps, run.writers, append(run.readers, &e.net.Classifier))
	return e
}

// trunk is a run of blocks whose shortcuts are identities: their outputs are added up, so they have the same
// factors.
type trunk struct {
	maps             []string
	writers, readers []*floatnet.Conv
}

// scale equalises maps together, which the writers make and the readers read. A channel that several maps share goes
// by the one that it fills most; one that is not known to leave 0 in any of them stays as it is.
func (e *equaliser) scale(maps []string, writers, readers []*floatnet.Conv) {
	factors := make([]float32, len(writers[0].Bias))
	octaves := slices.Repeat([]float64{math.Inf(-1)}, len(factors))
	for _, name := range maps {
		for c, v := range e.stats.Moments[name].octaves(len(octaves)) {
			octaves[c] = max(octaves[c], v)
		}
		e.factors[name] = factors
	}
	for c, v := range octaves {
		factors[c] = 1
		if finite(v) {
			factors[c] = float32(math.Exp2(-min(max(v, -mostOctaves), mostOctaves)))
		}
	}
	for _, w := range writers {
		w.ScaleOutputs(factors)
	}
	for _, r := range readers {
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
		factors := e.factors[name]
		if name == resnext.PoolName {
			factors = e.factors[resnext.StemName]
		}
		s.Moments[name] = m.scaled(factors)
	}
	return s
}
