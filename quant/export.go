package quant

import (
	"math"
	"slices"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/resnext"
)

// Range is the largest magnitude that an 8-bit map of the given scale holds.
func Range(scale float32, signed bool) float64 {
	return float64(scale) * float64(observe.Levels(signed))
}

// WeightSQNR is the power of a convolution's weights over that of the error that rounding them to q made.
// Each output channel's scale is taken to be the one that fits best. For the stem, p is the preprocessing
// whose standard deviation it absorbed.
func WeightSQNR(c *float.Conv, q []int8, p resnext.Preprocess) Decibel {
	filter := len(c.Weight) / len(c.Bias)
	deviation := [3]float32{1, 1, 1}
	if c.Shape.Image {
		deviation = p.Std
	}
	var total observe.Power
	for oc := range c.Bias {
		var own, square, product float64
		for i, w := range c.Weight[oc*filter:][:filter] {
			x, y := float64(w/deviation[i%3]), float64(q[oc*filter+i])
			own, square, product = own+x*x, square+y*y, product+x*y
		}
		noise := own
		if square > 0 {
			noise -= product * product / square
		}
		total.Merge(observe.Power{Signal: own, Noise: max(0, noise)})
	}
	return total.SQNR()
}

// WeightSpread is how unlike a convolution's output channels are: the largest of their ranges (a channel's
// largest magnitude) over the median one. Channels without weights do not count; 1 if there are no others.
func WeightSpread(c *float.Conv) float64 {
	filter := len(c.Weight) / len(c.Bias)
	var ranges []float64
	for part := range slices.Chunk(c.Weight, filter) {
		top := 0.0
		for _, w := range part {
			top = max(top, math.Abs(float64(w)))
		}
		if top > 0 {
			ranges = append(ranges, top)
		}
	}
	if len(ranges) == 0 {
		return 1
	}
	slices.Sort(ranges)
	return ranges[len(ranges)-1] / ranges[len(ranges)/2]
}

// LaneUtilisation returns how much of the 16-bit lanes a layer with the weights q uses at an acc16 depth of products (2, 4
// or 8): the larger of the sums of either sign over resnext.LaneLimit. mean is that of all lanes; a largest of at
// most 1 proves the depth for the whole layer.
func LaneUtilisation(s resnext.ConvShape, q []int8, products int) (mean, largest float64) {
	lane, n := resnext.Lanes(s, products)
	if len(lane) == 0 || len(q) == 0 {
		return 0, 0
	}
	used := make([]bool, n) // padding makes lanes without weights
	for _, at := range lane {
		used[at] = true
	}
	sums, lanes := make([][2]int, n), 0
	for filter := range slices.Chunk(q, len(lane)) {
		clear(sums)
		for i, w := range filter {
			sums[lane[i]][0] += max(int(w), 0)
			sums[lane[i]][1] -= min(int(w), 0)
		}
		for i, s := range sums {
			if used[i] {
				fill := float64(max(s[0], s[1])) / resnext.LaneLimit
				mean, largest, lanes = mean+fill, max(largest, fill), lanes+1
			}
		}
	}
	return mean / float64(lanes), largest
}
