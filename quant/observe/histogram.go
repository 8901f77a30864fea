// Package observe sums up what calibration sees of activation maps: Histogram and Moments of their values, the
// Observer that chooses a range from them, and the Power of their errors.
package observe

import "math"

const (
	// binBits fixes a histogram's size: 4096 bins; a map's largest value lies in the upper half of them.
	binBits = 12
	bins    = 1 << binBits
	// SmallestRange is the least range, and smallestExponent its exponent. A map that stays below it is taken for
	// all zeros; scales then stay far from float32's subnormal numbers.
	smallestExponent = -100
	SmallestRange    = 0x1p-100
	infinityBits     = 0x7f800000
)

// Histogram counts the magnitudes of a map's values in fixed memory, however many there are.
//
// The bins divide [0, 2^e) evenly, where 2^e is the least power of two above the largest magnitude.
// When a larger value arrives, neighbouring bins are merged. Bin edges are powers of two times integers, so
// both counting and merging are exact: the same values give the same histogram in any order and in any
// division among histograms that are merged later.
//
// The zero value is not usable; NewHistogram makes one. A Histogram is for one goroutine at a time.
type Histogram struct {
	zeros    int64
	counts   []int64 // without the zeros
	exponent int     // the range is 2^exponent
	max      float32
}

// NewHistogram returns an empty histogram; it takes 32 KiB.
func NewHistogram() *Histogram {
	return &Histogram{counts: make([]int64, bins), exponent: smallestExponent}
}

// Add counts the magnitudes of values. It counts none and returns false if any of them is not finite.
func (h *Histogram) Add(values []float32) bool {
	// The bits of floats without their sign are ordered as the magnitudes, infinities and NaNs last.
	var top, zeros uint32
	for _, v := range values {
		b := math.Float32bits(v) &^ (1 << 31)
		top = max(top, b)
		zeros += (b - 1) >> 31 // b has 31 bits
	}
	if top >= infinityBits {
		return false
	}
	h.raise(math.Float32frombits(top))
	// A product with a power of two is exact, or so small that its integer part is 0.
	inverse := float32(math.Ldexp(1, binBits-h.exponent))
	counts := h.counts[:bins]
	for _, v := range values {
		counts[uint32(math.Float32frombits(math.Float32bits(v)&^(1<<31))*inverse)%bins]++
	}
	h.counts[0] -= int64(zeros)
	h.zeros += int64(zeros)
	return true
}

// Merge adds o's counts to h. Merging in any order gives the same histogram.
func (h *Histogram) Merge(o *Histogram) {
	h.raise(o.max)
	shift := h.exponent - o.exponent
	for i, n := range o.counts {
		h.counts[i>>shift] += n
	}
	h.zeros += o.zeros
}

// raise makes room for magnitudes up to top.
func (h *Histogram) raise(top float32) {
	h.max = max(h.max, top)
	_, exponent := math.Frexp(float64(h.max))
	shift := exponent - h.exponent
	if h.max == 0 || shift <= 0 {
		return
	}
	h.exponent = exponent
	for i, n := range h.counts {
		h.counts[i] = 0
		h.counts[i>>shift] += n
	}
}

// Count is how many values were added.
func (h *Histogram) Count() int64 {
	n := h.zeros
	for _, c := range h.counts {
		n += c
	}
	return n
}

// Zeros is how many of the values were exactly 0.
func (h *Histogram) Zeros() int64 { return h.zeros }

// Max is the largest magnitude, exactly.
func (h *Histogram) Max() float32 { return h.max }

// Dead reports whether the map was all zeros, or as good as.
func (h *Histogram) Dead() bool { return h.max < SmallestRange }

// binWidth is the width of one bin.
func (h *Histogram) binWidth() float64 { return math.Ldexp(1, h.exponent-binBits) }

// used returns the bins up to the one that holds the largest magnitude.
func (h *Histogram) used() []int64 {
	return h.counts[:int(float64(h.max)/h.binWidth())+1]
}
