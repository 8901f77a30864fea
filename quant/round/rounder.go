package round

import "math"

// rounder searches one filter's integers q and their scale s for a small (s q - w)^T H (s q - w), where w are the
// weights wanted, with no lane over its limit.
type rounder struct {
	*hessian
	lanes *lanes
	lane  []int     // of each weight
	w, hw []float64 // and H w
	whw   float64   // w^T H w

	scale              float64
	q, hq              []float64 // and H q
	positive, negative []float64 // the sums of each lane
}

func newRounder(h *hessian, l *lanes, w []float64) *rounder {
	r := &rounder{
		hessian: h, lanes: l, lane: make([]int, h.k), w: w, hw: make([]float64, h.k),
		q: make([]float64, h.k), hq: make([]float64, h.k),
		positive: make([]float64, l.count()), negative: make([]float64, l.count()),
	}
	for i := range l.count() {
		for _, at := range l.order[l.start[i]:l.start[i+1]] {
			r.lane[at] = i
		}
	}
	h.multiply(r.hw, w)
	r.whw = dot(w, r.hw)
	return r
}

// loss returns (s q - w)^T H (s q - w).
func (r *rounder) loss() float64 {
	return max(0, r.scale*r.scale*dot(r.q, r.hq)-2*r.scale*dot(r.q, r.hw)+r.whw)
}

// set changes an integer and the sums of its lane.
func (r *rounder) set(i int, v float64) {
	l, old := r.lane[i], r.q[i]
	r.positive[l] += max(v, 0) - max(old, 0)
	r.negative[l] += min(old, 0) - min(v, 0)
	r.q[i] = v
}

// bounds returns the least and the largest value that weight i may take.
func (r *rounder) bounds(i int) (lo, hi float64) {
	l, q := r.lane[i], r.q[i]
	hi = min(maxWeight, r.lanes.limit-r.positive[l]+max(q, 0))
	lo = -min(maxWeight, r.lanes.limit-r.negative[l]-min(q, 0))
	return lo, hi
}

// gptq rounds one weight after the other, that of the most varying input first. Each compensates for the errors of
// those before it, within the bounds that they leave in its lane. This is Optimal Brain Quantisation with one
// Cholesky factor for all filters (Frantar et al. 2022, "GPTQ"), written as the nearest plane algorithm of Babai
// (1986), which needs no inverse.
func (r *rounder) gptq(scale float64) {
	r.scale = scale
	for i := range r.q {
		r.set(i, 0)
	}
	e := make([]float64, r.k) // the errors in the factor's order
	for i := r.k - 1; i >= 0; i-- {
		at, row := r.order[i], r.factor[i*r.k:][:r.k]
		t := r.w[at] / scale
		lo, hi := r.bounds(at)
		v := math.RoundToEven(t - dot(row[i+1:], e[i+1:])/row[i])
		v = min(max(v, lo), hi)
		r.set(at, v)
		e[i] = v - t
	}
	r.multiply(r.hq, r.q)
}
