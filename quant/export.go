package quant

import (
	"math"
	"slices"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
)

// Answer is what both networks say about one image.
type Answer struct {
	// Image is the image's number, Label its class or Unlabelled.
	Image, Label int
	// Float and Int8 are the logits, one for each class.
	Float, Int8 []float32
}

// Bins returns the histogram for drawing: at most n counts (n is at least 1) of values that are not 0, of
// neighbouring intervals of equal width that begin at 0 and end after the largest magnitude.
func (h *Histogram) Bins(n int) (counts []int64, width float64) {
	if h.Count() == h.zeros {
		return nil, 0
	}
	used := h.used()
	merged := (len(used) + n - 1) / n
	for part := range slices.Chunk(used, merged) {
		sum := int64(0)
		for _, c := range part {
			sum += c
		}
		counts = append(counts, sum)
	}
	return counts, float64(merged) * h.binWidth()
}

// Top is the class that logits answer: the first of the largest.
func Top(logits []float32) int { return argmax(logits) }

// Range is the largest magnitude that an 8-bit map of the given scale holds.
func Range(scale float32, signed bool) float64 { return float64(scale) * float64(levels(signed)) }

// Loss is the error that an 8-bit map of the given range makes. The ratios are infinite where
// nothing is lost.
type Loss struct {
	// Clipped is how many values are larger than the range.
	Clipped int64
	// Rounding and Clipping are the powers of the values over those of the two errors.
	Rounding, Clipping Decibel
}

// Loss computes what the range costs, values being uniform inside a bin. signed says which of the two
// 8-bit formats the map has, as in resnext.Quantised.
func (h *Histogram) Loss(limit float64, signed bool) Loss {
	width := h.binWidth()
	var loss Loss
	var values, clipping float64
	for i, n := range h.used() {
		lo, hi := float64(i)*width, float64(i+1)*width
		values += float64(n) * thirds(lo, hi) / width
		if hi > limit {
			cut := max(lo, limit)
			loss.Clipped += int64(float64(n) * (hi - cut) / width)
			clipping += float64(n) * thirds(cut-limit, hi-limit) / width
		}
	}
	if limit >= float64(h.max) { // the rest of the last bin is empty
		loss.Clipped, clipping = 0, 0
	}
	all := squaredError(h, limit, levels(signed))
	loss.Rounding = power{values, max(0, all-clipping)}.sqnr()
	loss.Clipping = power{values, clipping}.sqnr()
	return loss
}

// thirds is the integral of the square from lo to hi.
func thirds(lo, hi float64) float64 { return (hi*hi*hi - lo*lo*lo) / 3 }

// WeightSQNR is the power of a convolution's weights over that of the error that rounding them to q made.
// Each output channel's scale is taken to be the one that fits best. For the stem, p is the preprocessing
// whose standard deviation it absorbed.
func WeightSQNR(c *float.Conv, q []int8, p resnext.Preprocess) Decibel {
	filter := len(c.Weight) / len(c.Bias)
	deviation := [3]float32{1, 1, 1}
	if c.Shape.Image {
		deviation = p.Std
	}
	var total power
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
		total.merge(power{own, max(0, noise)})
	}
	return total.sqnr()
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

// LaneUtilisation returns how much of the 16-bit lanes a layer with the weights q uses at chains of products (2, 4
// or 8): the larger of the sums of either sign over resnext.LaneLimit. mean is that of all lanes; a largest of at
// most 1 proves the chains of the whole layer.
func LaneUtilisation(s resnext.ConvShape, q []int8, products int) (mean, largest float64) {
	lane, n := resnext.Lanes(s, products/productsPerQuad)
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
