package round

import (
	"math"
	"slices"
)

// leastGain is the share of a weight's own importance that a move must gain: less may be the rounding of float32.
const leastGain = 1e-6

// coordinateDescent sweeps over the weights until none moves, at most sweeps times, and moves the scale along.
func (r *rounder) coordinateDescent(sweeps int) {
	for range sweeps {
		moved := r.sweep()
		r.rescale()
		if !moved {
			return
		}
	}
}

// rescale moves the scale to where the loss is least for the integers as they are.
func (r *rounder) rescale() {
	square := dot(r.q, r.hq)
	change := dot(r.q, r.slope) / square // the share of the scale that is too much
	if !(square > 0) || !(change < 1) {
		return
	}
	// slope is H q - H w/s, and w does not change.
	r.scale *= 1 - change
	for i, v := range r.hq {
		r.slope[i] = (r.slope[i] - change*v) / (1 - change)
	}
}

// sweep moves every weight, and then pairs of weights that share a lane, to where the loss is less, and reports
// whether any moved. The loss never grows.
func (r *rounder) sweep() bool {
	moved := false
	before := slices.Clone(r.slope)
	for i := range r.q {
		h, slope := r.h[i*r.k+i], r.slope[i]
		lo, hi := r.bounds(i)
		v := min(max(r.q[i]-math.RoundToEven(slope/h), lo), hi)
		if d := v - r.q[i]; d != 0 && d*(2*slope+d*h) < -leastGain*h {
			r.move(i, v)
			moved = true
		}
	}
	for l := range r.lanes.count() {
		lane := r.lanes.order[r.lanes.start[l]:r.lanes.start[l+1]]
		for r.swapPair(l, lane) {
			moved = true
		}
	}
	for i, v := range before { // H w/s is the same
		r.hq[i] += r.slope[i] - v
	}
	return moved
}

// move changes an integer and the slopes.
func (r *rounder) move(i int, v float64) {
	addScaled(r.slope, v-r.q[i], r.h[i*r.k:][:r.k])
	r.set(i, v)
}

// swapPair moves two weights of a lane by a step each: the two that lower the loss most. In a saturated lane one can
// grow only if another shrinks. It reports whether it found a pair.
func (r *rounder) swapPair(l int, lane []int) bool {
	type change struct {
		i, j   int
		di, dj float64
	}
	best, least := change{}, 0.0
	for a, i := range lane {
		si, hi, row := r.slope[i], r.h[i*r.k+i], r.h[i*r.k:][:r.k]
		for _, j := range lane[:a] {
			sj, hj, hij := r.slope[j], r.h[j*r.k+j], row[j]
			if most := 2 * (math.Abs(si) + math.Abs(sj) + math.Abs(hij)); hi+hj-most >= least {
				continue // as of nearly all pairs
			}
			for _, d := range [4][2]float64{{1, 1}, {1, -1}, {-1, 1}, {-1, -1}} {
				gain := 2*(d[0]*si+d[1]*sj+d[0]*d[1]*hij) + hi + hj
				if gain < least && gain < -leastGain*(hi+hj) && r.fits(l, i, j, d[0], d[1]) {
					best, least = change{i, j, d[0], d[1]}, gain
				}
			}
		}
	}
	if least == 0 {
		return false
	}
	r.move(best.i, r.q[best.i]+best.di)
	r.move(best.j, r.q[best.j]+best.dj)
	return true
}

// fits reports whether weights i and j of lane l may change by di and dj.
func (r *rounder) fits(l, i, j int, di, dj float64) bool {
	a, b := r.q[i], r.q[j]
	u, v := a+di, b+dj
	return math.Abs(u) <= maxWeight && math.Abs(v) <= maxWeight &&
		r.positive[l]-max(a, 0)-max(b, 0)+max(u, 0)+max(v, 0) <= r.lanes.limit &&
		r.negative[l]+min(a, 0)+min(b, 0)-min(u, 0)-min(v, 0) <= r.lanes.limit
}
