package round

import (
	"math"

	"github.com/libresnext/libresnext/asm"
)

// rounder searches one filter's integers q and their scale s for a small (s q - w)^T H (s q - w), where w are the
// weights wanted, with no lane over its limit.
type rounder struct {
	*hessian
	lanes *lanes
	lane  []int // of each weight
	w     []float64

	scale float64
	q     []float64
	// slope is H (q - w/s), half the growth of the loss, in squares of steps, with each q; hq is H q. settle sets both.
	slope, hq          []float64
	positive, negative []float64 // the sums of each lane
}

func newRounder(h *hessian, l *lanes, w []float64) *rounder {
	r := &rounder{
		hessian: h, lanes: l, lane: make([]int, h.k), w: w, q: make([]float64, h.k),
		slope: make([]float64, h.k), hq: make([]float64, h.k),
		positive: make([]float64, l.count()), negative: make([]float64, l.count()),
	}
	for i := range l.count() {
		for _, at := range l.order[l.start[i]:l.start[i+1]] {
			r.lane[at] = i
		}
	}
	return r
}

// loss returns (s q - w)^T H (s q - w).
func (r *rounder) loss() float64 {
	sum := 0.0
	for i, v := range r.slope {
		sum += (r.q[i] - r.w[i]/r.scale) * v
	}
	return max(0, sum*r.scale*r.scale)
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

// gptqRows is how many weights are rounded before their errors reach those that follow, in one product for all
// filters: a whole number of asm.Sgemm's rows.
const gptqRows = 8 * asm.SgemmRows

// gptq rounds filters that share a Hessian, asm.SgemmCols at most, at their scales: one weight after the other, that of
// the most varying input first. Each compensates for the errors of those before it, within the bounds that they leave in
// its lane. This is Optimal Brain Quantisation with one Cholesky factor for all filters (Frantar et al. 2022, "GPTQ"),
// written as the nearest plane algorithm of Babai (1986), which needs no inverse.
//
// The errors are small numbers, so that float32 has them as finely as any choice among integers needs.
func gptq(filters []*rounder) {
	if len(filters) == 0 {
		return
	}
	h := filters[0].hessian
	for _, r := range filters {
		for i := range r.q {
			r.set(i, 0)
		}
	}
	e := make([]float32, h.k*asm.SgemmCols) // the errors in the factor's order
	var before [gptqRows * asm.SgemmCols]float32
	for end := h.k; end > 0; {
		first := max(0, end-gptqRows)
		clear(before[:])
		if end < h.k {
			product(before[:], h.factor, h.k, first, end-first, end, e[end*asm.SgemmCols:])
		}
		for j, r := range filters {
			for i := end - 1; i >= first; i-- {
				at, row := h.order[i], h.factor[i*h.k:][:end]
				sum := before[(i-first)*asm.SgemmCols+j]
				for n := i + 1; n < end; n++ {
					sum += row[n] * e[n*asm.SgemmCols+j]
				}
				t := r.w[at] / r.scale
				lo, hi := r.bounds(at)
				v := min(max(math.RoundToEven(t-float64(sum)/float64(row[i])), lo), hi)
				r.set(at, v)
				e[i*asm.SgemmCols+j] = float32(v - t)
			}
		}
		end = first
	}
	settle(filters)
}

// settle computes the slopes of filters that share a Hessian, asm.SgemmCols at most, and their products with it.
func settle(filters []*rounder) {
	h := filters[0].hessian
	panel, sums := make([]float32, h.k*asm.SgemmCols), make([]float32, h.k*asm.SgemmCols)
	multiply := func(of func(r *rounder, i int) float64, to func(r *rounder) []float64) {
		for j, r := range filters {
			for i := range h.k {
				panel[i*asm.SgemmCols+j] = float32(of(r, i))
			}
		}
		product(sums, h.single, h.k, 0, h.k, 0, panel)
		for j, r := range filters {
			y := to(r)
			for i := range y {
				y[i] = float64(sums[i*asm.SgemmCols+j])
			}
		}
	}
	multiply(func(r *rounder, i int) float64 { return r.q[i] - r.w[i]/r.scale }, func(r *rounder) []float64 { return r.slope })
	multiply(func(r *rounder, i int) float64 { return r.q[i] }, func(r *rounder) []float64 { return r.hq })
}

// product multiplies n rows of a [k][k] matrix, from row first on and column from on, with a panel of b, into y, [n][16].
func product(y, matrix []float32, k, first, n, from int, b []float32) {
	var bias [asm.SgemmCols]float32
	rows := make([]int, n)
	for i := range rows {
		rows[i] = (first+i)*k + from
	}
	asm.Sgemm(&asm.SgemmArgs{
		A: matrix, Rows: rows, Taps: []int{0}, K: k - from, B: b, Bias: bias[:], C: y, Stride: asm.SgemmCols, Cols: asm.SgemmCols,
	})
}
