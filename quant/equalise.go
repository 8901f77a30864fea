package quant

import (
	"math"

	"github.com/libresnext/libresnext/internal/floatnet"
	"github.com/libresnext/libresnext/resnext"
)

const (
	// evenness is the power of a channel's strength that equalisation takes away: with all of it weak
	// channels, whose errors matter little, would have as fine steps as strong ones.
	evenness = 0.5
	// mostOctaves bounds the factors: no channel is scaled by more than 2^mostOctaves or less than its inverse.
	mostOctaves = 6
)

// equaliser scales channels of a network.
type equaliser struct {
	net   *floatnet.Net
	stats *Statistics
	// factors are what each map's channels were multiplied with, by the map's name.
	factors map[string][]float32
}

// equalise scales the channels of the maps inside net such that their strengths are less uneven: an int8 map has
// one scale, and the weak channels of a map of uneven ones get few of its steps. A positive factor passes
// through ReLU, the max pooling and the grouped convolution's groups, and the layer behind takes it out again;
// along a stage's shortcuts it is the same for all blocks. Factors are powers of two, so that the network
// computes the same bits as before.
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

// scale equalises maps together, which the writers make and the readers read.
func (e *equaliser) scale(maps []string, writers, readers []*floatnet.Conv) {
	octaves := make([]float64, len(writers[0].Bias))
	for _, name := range maps {
		for c, v := range e.stats.Moments[name].octaves(len(octaves)) {
			octaves[c] -= evenness * v / float64(len(maps))
		}
	}
	factors := make([]float32, len(octaves))
	for c, v := range octaves {
		factors[c] = float32(math.Exp2(math.RoundToEven(min(max(v, -mostOctaves), mostOctaves))))
	}
	for _, name := range maps {
		e.factors[name] = factors
	}
	for _, w := range writers {
		w.ScaleOutputs(factors)
	}
	for _, r := range readers {
		r.ScaleInputs(factors)
	}
}

// leastStrength is the share of the channels' mean square that one without any of its own is taken to have.
const leastStrength = 1e-4

// octaves is the binary logarithm of each channel's root mean square over that of the whole map; zeros where
// nothing was counted or everything is zero.
func (m *Moments) octaves(channels int) []float64 {
	octaves := make([]float64, channels)
	if m == nil || m.Count == 0 || len(m.Squares) != channels {
		return octaves
	}
	mean := 0.0
	for _, s := range m.Squares {
		mean += s / float64(channels)
	}
	if !(mean > 0) || !finite(mean) {
		return octaves
	}
	for c, s := range m.Squares {
		octaves[c] = math.Log2(s/mean+leastStrength) / 2
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

// scaled is the moments of the channels multiplied with factors. Their Peak cannot be told.
func (m *Moments) scaled(factors []float32) *Moments {
	if len(factors) != len(m.Sum) {
		return m
	}
	y := &Moments{Count: m.Count, Sum: make([]float64, len(m.Sum)), Squares: make([]float64, len(m.Squares))}
	for c, f := range factors {
		g := float64(f)
		y.Sum[c], y.Squares[c] = m.Sum[c]*g, m.Squares[c]*g*g
	}
	for c, v := range m.Least {
		y.Least = append(y.Least, v*float64(factors[c]))
	}
	return y
}
