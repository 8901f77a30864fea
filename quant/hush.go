package quant

import (
	"math"

	"github.com/libresnext/libresnext/quant/float"
)

// hush makes weights on inputs that were zero in all images no larger than the largest other weight of their filter:
// what has never counted must not take the filter's steps from what does. Folding a normalisation whose variance was
// all but zero makes such weights hundreds of times too large. m is the moments of the map that c reads. Where nothing
// changes, or too few images show what is dead, c itself is returned.
func hush(c *float.Conv, m *Moments, images int) *float.Conv {
	if m == nil || m.Count == 0 || images < fewestImages {
		return c
	}
	groups := max(c.Shape.Groups, 1)
	in, filters := len(m.Squares)/groups, len(c.Bias)/groups
	size := len(c.Weight) / len(c.Bias)
	if in < 1 || size%in != 0 { // of another network
		return c
	}
	var quiet *float.Conv
	for oc := range c.Bias {
		dead := func(i int) bool { return m.Squares[oc/filters*in+i%in] == 0 }
		filter := c.Weight[oc*size:][:size]
		most, loudest := loudness(filter, dead)
		if most == 0 || loudest <= most {
			continue
		}
		if quiet == nil {
			quiet = &float.Conv{Shape: c.Shape, Weight: append([]float32(nil), c.Weight...), Bias: c.Bias}
		}
		for i, v := range filter {
			if dead(i) {
				quiet.Weight[oc*size+i] = min(max(v, -most), most)
			}
		}
	}
	if quiet == nil {
		return c
	}
	return quiet
}

// loudness is the largest magnitude of a filter's weights on live inputs and on dead ones.
func loudness(filter []float32, dead func(i int) bool) (live, never float32) {
	for i, v := range filter {
		magnitude := float32(math.Abs(float64(v)))
		if dead(i) {
			never = max(never, magnitude)
		} else {
			live = max(live, magnitude)
		}
	}
	return live, never
}
