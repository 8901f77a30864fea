package quant

import (
	"maps"
	"math"

	"github.com/libresnext/libresnext/internal/floatnet"
)

const (
	// absorbedShare is how much of a channel's smallest value is taken away: other images may go below it.
	absorbedShare = 0.9
	// absorbedDeviations is how many standard deviations below its mean a channel is expected to stay above, as in
	// the paper. Of a channel that hardly varies more than absorbedShare is taken away by that, but no more than
	// its smallest value.
	absorbedDeviations = 3
	// fewestImages is how many images it takes to know how low a channel goes. Filters without weights are
	// known without any.
	fewestImages = 32
	// leastAbsorbed is the share of a channel's root mean square that is worth taking away.
	leastAbsorbed = 0.01
)

// absorb moves what a bottleneck's transform never falls below from its bias into that of the expand behind it,
// and returns the network, its statistics and how many channels that changed. On images where the channels stay
// above what was taken it computes the same up to rounding. Where there are none, net and stats are returned as
// they are.
//
// Only the transform's channels qualify, since the layer that reads them is 1x1: every one of its outputs sees
// the constant. The transform itself is 3x3 and padded with zeros. Its outputs on the border see a channel of the
// reduce at fewer taps, so that no bias could stand for what is taken from that.
//
// The result has no histograms: those of the maps that were moved cannot be told.
func absorb(net *floatnet.Net, stats *Statistics) (*floatnet.Net, *Statistics, int) {
	moved, count := net.Clone(), 0
	s := &Statistics{Images: stats.Images, Maps: make(map[string]*Histogram), Moments: maps.Clone(stats.Moments)}
	for _, b := range net.Config.Blocks() {
		name := b.Transform.Name
		transform, expand := moved.Convs[name], moved.Convs[b.Expand.Name]
		taken, n := constants(transform, stats.Moments[name], stats.Images)
		if n == 0 {
			continue
		}
		count += n
		for c, v := range taken {
			transform.Bias[c] -= v
		}
		addConstants(expand, taken)
		s.Moments[name] = stats.Moments[name].lowered(taken)
	}
	if count == 0 || checkNet(moved) != nil { // else its biases leave float32's range
		return net, stats, 0
	}
	return moved, s, count
}

// constants is what can be taken from each channel of a layer with a ReLU, and of how many.
func constants(c *floatnet.Conv, m *Moments, images int) (v []float32, n int) {
	v = make([]float32, len(c.Bias))
	if m == nil || m.Count == 0 || len(m.Least) != len(v) {
		return v, 0
	}
	size := len(c.Weight) / len(v)
	for i, least := range m.Least {
		dead := isZero(c.Weight[i*size:][:size])
		strength := math.Sqrt(m.Squares[i] / m.Count)
		if !dead && images < fewestImages || least < max(smallestRange, leastAbsorbed*strength) {
			continue
		}
		n++
		if v[i] = float32(least); !dead { // else the bias is all there is
			mean := m.Sum[i] / m.Count
			deviation := math.Sqrt(max(0, m.Squares[i]/m.Count-mean*mean))
			v[i] = float32(max(absorbedShare*least, min(least, mean-absorbedDeviations*deviation)))
		}
	}
	return v, n
}

// addConstants adds what a 1x1 convolution of one group makes of constant inputs to its bias.
func addConstants(c *floatnet.Conv, constants []float32) {
	n := len(constants)
	for oc, b := range c.Bias {
		sum := float64(b)
		for i, v := range constants {
			sum += float64(c.Weight[oc*n+i]) * float64(v)
		}
		c.Bias[oc] = float32(sum)
	}
}

func isZero(weights []float32) bool {
	for _, w := range weights {
		if w != 0 {
			return false
		}
	}
	return true
}

// lowered is the moments of the channels less constants. Their Peak cannot be told.
func (m *Moments) lowered(constants []float32) *Moments {
	y := &Moments{Count: m.Count, Sum: make([]float64, len(m.Sum)), Squares: make([]float64, len(m.Sum)), Least: make([]float64, len(m.Sum))}
	for c, f := range constants {
		v := float64(f)
		y.Sum[c] = m.Sum[c] - v*m.Count
		y.Squares[c] = max(0, m.Squares[c]-v*(2*m.Sum[c]-v*m.Count))
		y.Least[c] = m.Least[c] - v
	}
	return y
}
