package observe

import (
	"slices"
)

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
	all := squaredError(h, limit, Levels(signed))
	loss.Rounding = Power{Signal: values, Noise: max(0, all-clipping)}.SQNR()
	loss.Clipping = Power{Signal: values, Noise: clipping}.SQNR()
	return loss
}

// thirds is the integral of the square from lo to hi.
func thirds(lo, hi float64) float64 { return (hi*hi*hi - lo*lo*lo) / 3 }
