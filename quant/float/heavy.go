package float

import (
	"math/rand/v2"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// heavyOctaves bounds the scales of RandomHeavy's channels, in octaves up and down: two decades between the
// weakest and the strongest.
const heavyOctaves = 3.33

// outlierShare is the share of channels that are as strong as any; the rest are bell-shaped between.
const outlierShare = 64

// RandomHeavy is Random with uneven channels: it
// computes the same logits but for rounding, while the strengths of the channels inside each bottleneck spread
// over two decades, with a few outliers, so that a map's one scale fits few of them. Equal cfg and seed give
// equal weights on every machine. RandomHeavy panics if cfg is not valid.
func RandomHeavy(cfg resnext.Config, seed uint64) *Net {
	n := Random(cfg, seed)
	stream := uint64(1 << 32)
	factors := func(channels int) []float32 {
		stream++
		source := rand.NewPCG(seed, stream)
		f := make([]float32, channels)
		for i := range f {
			octaves := heavyOctaves / 3 * float64(bell(source)) / bellDeviation
			if source.Uint64()%outlierShare == 0 {
				octaves = heavyOctaves
			}
			f[i] = powerOfTwo(min(max(octaves, -heavyOctaves), heavyOctaves))
		}
		return f
	}
	p := topology.Lower(cfg)
	uses := p.Uses()
	for _, group := range p.ResidualGroups() {
		id := group[0]
		if w := p.Steps[uses[id].Writer]; len(group) > 1 || !p.InsideBlock(id) || w.Op != topology.Conv {
			continue
		}
		f := factors(p.Maps[id].Channels)
		n.Convs[p.Steps[uses[id].Writer].Name].ScaleOutputs(f)
		for _, reader := range uses[id].Readers {
			n.Convs[p.Steps[reader].Name].ScaleInputs(f)
		}
	}
	return n
}

// powerOfTwo is 2^octaves, by the same additions on every machine: exact at whole octaves and linear between.
func powerOfTwo(octaves float64) float32 {
	whole := int(octaves+64) - 64 // rounded down
	y := float32(1 + float32(octaves-float64(whole)))
	for ; whole > 0; whole-- {
		y *= 2
	}
	for ; whole < 0; whole++ {
		y /= 2
	}
	return y
}
