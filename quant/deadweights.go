package quant

import (
	"math"

	"github.com/libresnext/libresnext/quant/float"
)

// clampDead limits weights of inputs that were never active to the filter's largest live weight, so that they do not
// cost the live ones precision. Folding a normalisation whose variance is almost zero makes such weights hundreds of
// times too large. m are the moments of the map that c reads. Where nothing changes, or there are too few images to
// know what is dead, c itself is returned.
func clampDead(c *float.Conv, m *Moments, images int) *float.Conv {
	if m == nil || m.Count == 0 || images < fewestImages {
		return c
	}
	groups := max(c.Shape.Groups, 1)
	in, filters := len(m.Squares)/groups, len(c.Bias)/groups
	size := len(c.Weight) / len(c.Bias)
	if in < 1 || size%in != 0 { // of another network
		return c
	}
	var clamped *float.Conv
	for oc := range c.Bias {
		dead := func(i int) bool { return m.Squares[oc/filters*in+i%in] == 0 }
		filter := c.Weight[oc*size:][:size]
		maxLive, maxDead := maxWeights(filter, dead)
		if maxLive == 0 || maxDead <= maxLive {
			continue
		}
		if clamped == nil {
			clamped = &float.Conv{Shape: c.Shape, Weight: append([]float32(nil), c.Weight...), Bias: c.Bias}
		}
		for i, v := range filter {
			if dead(i) {
				clamped.Weight[oc*size+i] = min(max(v, -maxLive), maxLive)
			}
		}
	}
	if clamped == nil {
		return c
	}
	return clamped
}

// maxWeights returns the largest magnitudes of a filter's weights on live inputs and on dead ones.
func maxWeights(filter []float32, dead func(i int) bool) (live, unused float32) {
	for i, v := range filter {
		magnitude := float32(math.Abs(float64(v)))
		if dead(i) {
			unused = max(unused, magnitude)
		} else {
			live = max(live, magnitude)
		}
	}
	return live, unused
}
