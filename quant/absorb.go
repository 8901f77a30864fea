package quant

import (
	"maps"
	"math"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/resnext/topology"
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

// absorber moves constants from the biases of layers into those of others.
type absorber struct {
	net      *float.Net
	stats    *Statistics
	channels int // that something was taken from
}

// absorb moves constants that a map need not carry into the bias of the next layer, and returns the network, its
// statistics and how many channels that changed. Where there are none, net and stats are returned as they are.
//
// From a map that only a 1x1 convolution reads, such as that of a bottleneck's transform: what a channel never falls
// below. On images where it stays above that, the network computes the same up to rounding, since every output of a 1x1
// convolution sees the constant. The transform itself is 3x3 and padded with zeros: its outputs on the border see a
// channel of the reduce at fewer taps, so no bias can replace a constant taken from that.
//
// From a projection shortcut: the centre of a channel's range. Its map is signed, has one scale and is added to the
// expand's sums as it is. Around 0 it needs the least range, and the network computes the same for all images. What a gate
// made has no bias to take from.
//
// The result has no histograms: those of the moved maps cannot be derived.
func absorb(net *float.Net, stats *Statistics) (*float.Net, *Statistics, int) {
	a := &absorber{net: net.Clone(), stats: &Statistics{
		Images: stats.Images, Maps: make(map[string]*Histogram), Moments: maps.Clone(stats.Moments),
	}}
	p := topology.Lower(net.Config)
	uses := p.Uses()
	for _, s := range p.Steps {
		if s.Op != topology.Conv {
			continue
		}
		next := a.net.Convs[s.Name]
		if from := absorbable(p, uses, s); from != "" {
			taken, n := constants(net.Convs[from], stats.Moments[from], stats.Images)
			a.take(from, taken, n)
			addConstants(next, taken)
		}
		if s.Add != topology.None && p.Maps[s.Add].Signed && p.Writer(s.Add).Op == topology.Conv {
			from := p.Maps[s.Add].Name
			taken, n := shortcutCentres(stats.Moments[from], p.Maps[s.Add].Channels)
			a.take(from, taken, n)
			for c, v := range taken {
				next.Bias[c] += v
			}
		}
	}
	if a.channels == 0 || checkNet(a.net) != nil { // else its biases leave float32's range
		return net, stats, 0
	}
	return a.net, a.stats, a.channels
}

// absorbable returns the name of the layer whose constants s can take over: one with a ReLU to which nothing is added
// and which only s reads, a 1x1 convolution of one group. It is empty where there is none.
func absorbable(p *topology.Program, uses []topology.Uses, s topology.Step) string {
	u := uses[s.In]
	if u.Writer < 0 || len(u.Readers) != 1 || len(u.Adders) > 0 || s.Conv.Kernel != 1 || s.Conv.Groups != 1 {
		return ""
	}
	if w := p.Steps[u.Writer]; w.Op == topology.Conv && w.Conv.ReLU && w.Add == topology.None {
		return w.Name
	}
	return ""
}

// take takes constants from a layer's bias, and from n of its channels.
func (a *absorber) take(layer string, constants []float32, n int) {
	if n == 0 {
		return
	}
	a.channels += n
	for c, v := range constants {
		a.net.Convs[layer].Bias[c] -= v
	}
	a.stats.Moments[layer] = a.stats.Moments[layer].Lowered(constants)
}

// constants returns what can be taken from each channel of a layer with a ReLU, and from how many.
func constants(c *float.Conv, m *Moments, images int) (v []float32, n int) {
	v = make([]float32, len(c.Bias))
	if m == nil || m.Count == 0 || len(m.Least) != len(v) {
		return v, 0
	}
	size := len(c.Weight) / len(v)
	for i, least := range m.Least {
		dead := isZero(c.Weight[i*size:][:size])
		strength := math.Sqrt(m.Squares[i] / m.Count)
		if !dead && images < fewestImages || least < max(observe.SmallestRange, leastAbsorbed*strength) {
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

// shortcutCentres returns the centre between each channel's extremes where that is worth taking away, else 0, and the
// number of channels where it is.
func shortcutCentres(m *Moments, channels int) (v []float32, n int) {
	v = make([]float32, channels)
	if m == nil || len(m.Low) != channels {
		return v, 0
	}
	for c, low := range m.Low {
		centre, half := (low+m.High[c])/2, (m.High[c]-low)/2
		if math.Abs(centre) >= max(observe.SmallestRange, leastAbsorbed*half) {
			v[c] = float32(centre)
			n++
		}
	}
	return v, n
}

// addConstants adds what a 1x1 convolution of one group makes of constant inputs to its bias.
func addConstants(c *float.Conv, constants []float32) {
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
