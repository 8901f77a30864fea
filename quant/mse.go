package quant

import "math"

// The ranges that mseRange tries: ratios 2^(-i/coarsePerOctave) of the largest magnitude, then fineSteps
// between the neighbours of the best.
const (
	coarsePerOctave = 16
	coarseOctaves   = 12
	fineSteps       = 32
)

// mseRange is the range whose rounding and clipping give the least expected squared error, values being
// uniform inside a bin. It searches the whole span down to one bin, so the outliers may be as far out as
// 4096 times the rest.
func mseRange(h *Histogram, levels int) float64 {
	top := float64(h.max)
	best, least := top, math.Inf(1)
	try := func(t float64) {
		if e := squaredError(h, t, levels); e < least {
			best, least = t, e
		}
	}
	for i := range coarseOctaves*coarsePerOctave + 1 {
		try(top * math.Exp2(-float64(i)/coarsePerOctave))
	}
	lo := best * math.Exp2(-1.0/coarsePerOctave)
	hi := min(best*math.Exp2(1.0/coarsePerOctave), top)
	for i := range fineSteps {
		try(lo + (hi-lo)*float64(i)/fineSteps)
	}
	return best
}

// squaredError is the sum over all values of the squared error of rounding to multiples of t/levels and
// clipping at t.
func squaredError(h *Histogram, t float64, levels int) float64 {
	width, step := h.binWidth(), t/float64(levels)
	sum, before := 0.0, 0.0
	for i, n := range h.used() {
		after := errorIntegral(float64(i+1)*width, step, levels)
		sum += float64(n) * (after - before)
		before = after
	}
	return sum / width
}

// errorIntegral is the integral from 0 to x of (u - quantised(u))^2 du, where quantised rounds to the
// nearest of the multiples 0..levels of step. From one midpoint to the next it grows by step^3/12; inside
// the last, open-ended interval the same cubic gives the clipping error.
func errorIntegral(x, step float64, levels int) float64 {
	n := min(math.Floor(x/step+0.5), float64(levels))
	d := x - n*step
	return n*step*step*step/12 + d*d*d/3
}
