package quant

import "math"

// entropyStride is the step in bins between the ranges that entropyRange tries.
const entropyStride = 16

// entropyRange is the range, a whole number of bins, at which the distribution of the values and its
// quantised form have the least Kullback-Leibler divergence. For a range of n bins, P is the first n bins
// with everything beyond put into the last of them; Q gives the mass of those n bins, without what is
// beyond, to levels+1 equal intervals, and spreads each interval's mass over those of its bins where P is
// not empty. Zeros take no part: every quantisation represents them exactly.
func entropyRange(h *Histogram, levels int) float64 {
	counts := h.used()
	total := 0.0
	for _, n := range counts {
		total += float64(n)
	}
	best, least := len(counts), math.Inf(1)
	p := make([]float64, len(counts))
	for n := len(counts); n > levels; n -= entropyStride {
		inside := 0.0
		for i, c := range counts[:n] {
			p[i] = float64(c)
			inside += p[i]
		}
		p[n-1] += total - inside
		if d := divergence(p[:n], float64(counts[n-1]), inside, total, levels+1); d < least {
			best, least = n, d
		}
	}
	return min(float64(best)*h.binWidth(), float64(h.max))
}

// divergence is KL(P || Q) for P = p/total, whose last bin held only last before the outliers were put
// into it, and Q with the mass inside. It is infinite where Q has nothing and P has something.
func divergence(p []float64, last, inside, total float64, intervals int) float64 {
	if inside == 0 {
		return math.Inf(1)
	}
	sum, from := 0.0, 0
	for k := range intervals {
		to := (k + 1) * len(p) / intervals
		mass, filled, entropy := 0.0, 0.0, 0.0
		for _, c := range p[from:to] {
			if c > 0 {
				mass += c
				filled++
				entropy += c * math.Log(c)
			}
		}
		kept := mass
		if to == len(p) {
			kept += last - p[to-1]
		}
		if kept <= 0 && mass > 0 {
			return math.Inf(1)
		}
		if mass > 0 {
			sum += entropy - mass*math.Log(kept/filled)
		}
		from = to
	}
	// sum is over c*log(c/q) in counts; the two totals turn it into probabilities.
	return sum/total - math.Log(total/inside)
}
