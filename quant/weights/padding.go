package weights

import (
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// isPadding reports whether a step is a shortcut that no file has numbers for.
func isPadding(cfg resnext.Config, s topology.Step) bool {
	return s.Role == topology.Shortcut && cfg.Stages[s.Stage].Shortcut == topology.Padded
}

// padding is the projection that pads channels with zeros, half of them in front, as in the usual code: each input channel
// goes to one output channel, by a weight of 1.
func padding(s resnext.ConvShape) float.Conv {
	c := float.Conv{Shape: s, Weight: make([]float32, s.Weights()), Bias: make([]float32, s.Out)}
	front := (s.Out - s.In) / 2
	for in := range s.In {
		if out := front + in; out >= 0 && out < s.Out {
			c.Weight[out*s.In+in] = 1
		}
	}
	return c
}
