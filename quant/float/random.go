package float

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// Random makes a network with random weights under which every layer's output stays alive and of ordinary
// size, for tests and for measuring speed. Equal cfg and seed give equal weights on every machine.
//
// Weights are bell-shaped with the variance of He et al. 2015 ("Delving Deep into Rectifiers", eq. 10),
// and every filter of some length sums to zero: behind a ReLU all inputs are positive, and a filter with
// a sum of its own would be nearly constant, or dead. The last convolution of each residual branch is
// smaller, by the number of the stage's blocks, so that the sum over the blocks grows little.
// Random panics if cfg is not valid.
func Random(cfg resnext.Config, seed uint64) *Net {
	if err := CheckSize(cfg); err != nil {
		panic(fmt.Sprintf("float: Random: %v", err))
	}
	n := &Net{Config: cfg, Convs: make(map[string]*Conv)}
	stream := uint64(0)
	draw := func(s resnext.ConvShape, variance float64, bias, biasSpread float64) Conv {
		stream++
		return randomConv(s, variance, bias, biasSpread, rand.NewPCG(seed, stream))
	}
	add := func(s resnext.ConvShape, variance float64) {
		c := draw(s, variance, 0.05, 0.1)
		n.Convs[s.Name] = &c
	}
	// A projection is drawn after the branch that it is added to, so that the weights of a seed stay what they were.
	p := topology.Lower(cfg)
	project := func(s topology.Step) {
		if cfg.Stages[s.Stage].Shortcut == topology.Padded {
			n.Convs[s.Name] = Padded(s.Conv, (s.Conv.Out-s.Conv.In)/2)
			return
		}
		add(s.Conv, 2)
	}
	for _, s := range p.Steps {
		switch {
		case s.Op == topology.Classify:
			n.Classifier = draw(s.Conv, 25, 0, 0.1)
		case s.Op == topology.Gated:
			for _, l := range s.Gate {
				add(l, 20)
			}
		case s.Role == topology.Shortcut && s.Add != topology.None:
			project(s)
		case s.Op != topology.Conv || s.Role == topology.Shortcut:
		case s.Add != topology.None:
			add(s.Conv, 1/float64(cfg.Stages[s.Stage].Blocks))
			if w := p.Writer(s.Add); w.Role == topology.Shortcut {
				project(w)
			}
		case !s.Conv.ReLU: // the branch's last, before a gate that halves it
			add(s.Conv, 4/float64(cfg.Stages[s.Stage].Blocks))
		default:
			add(s.Conv, 2)
		}
	}
	return n
}

// Padded is the projection of shortcut A: it puts the input's channels behind before channels of zeros, and as many
// more behind them as there are left.
func Padded(s resnext.ConvShape, before int) *Conv {
	c := &Conv{Shape: s, Weight: make([]float32, s.Weights()), Bias: make([]float32, s.Out)}
	for i := range s.In {
		if at := before + i; at >= 0 && at < s.Out {
			c.Weight[at*s.In+i] = 1
		}
	}
	return c
}

// randomConv makes a convolution whose weights have the given variance times the number of inputs of one
// filter.
func randomConv(s resnext.ConvShape, variance, bias, biasSpread float64, source *rand.PCG) Conv {
	c := Conv{Shape: s, Weight: make([]float32, s.Weights()), Bias: make([]float32, s.Out)}
	fan := s.Weights() / s.Out
	scale := math.Sqrt(variance/float64(fan)) / bellDeviation
	for out := range s.Out {
		filter := c.Weight[out*fan:][:fan]
		sum := 0
		for i := range filter {
			v := bell(source)
			sum += v
			filter[i] = float32(v)
		}
		mean := 0.0
		if fan >= centredFan {
			mean = float64(sum) / float64(fan)
		}
		for i, v := range filter {
			filter[i] = float32((float64(v) - mean) * scale)
		}
		c.Bias[out] = float32(bias + float64(biasSpread/bellDeviation*float64(bell(source))))
	}
	return c
}

// centredFan is the least number of inputs of a filter whose mean is taken out.
const centredFan = 16

// bellDeviation is the standard deviation of bell: four independent uniform numbers of 16 bits.
const bellDeviation = 65536 * 0.5773502691896258 // sqrt(4/12)

// bell gives a bell-shaped random integer around 0, the sum of four uniform ones. In integers, because a
// sum of products of floats may differ between machines in the last bit.
func bell(source *rand.PCG) int {
	v := source.Uint64()
	return int(v&0xffff+v>>16&0xffff+v>>32&0xffff+v>>48) - 2*65535
}
