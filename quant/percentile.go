package quant

// percentileRange is the magnitude that percent of all values, zeros included, do not exceed, interpolated
// inside its bin. Where the zeros alone make up that share, it counts only the other values.
func percentileRange(h *Histogram, percent float64) float64 {
	count := h.Count()
	rank := percent / 100 * float64(count)
	nonzero := float64(count - h.zeros)
	if rank <= float64(h.zeros) {
		rank = percent / 100 * nonzero
	} else {
		rank -= float64(h.zeros)
	}
	below := 0.0
	for i, n := range h.used() {
		if n > 0 && below+float64(n) >= rank {
			edge := (float64(i) + (rank-below)/float64(n)) * h.binWidth()
			return min(edge, float64(h.max))
		}
		below += float64(n)
	}
	return float64(h.max)
}
