package round

import (
	"math"

	"github.com/libresnext/libresnext/resnext"
)

// lanes say which weights of a filter share a 16-bit sum in fast kernels. In each lane the integers of one
// sign may add up to limit; at resnext.LaneLimit the loader can prove the sums exact. Weights have precision
// to spare and activations have not, so the speed is paid here.
type lanes struct {
	limit float64
	order []int // the weights' indices, lane after lane
	start []int // where each lane begins in order, and the end
}

// maxLane is the longest lane: a row of a direct grouped convolution has twelve weights in each.
const maxLane = 16

// newLanes sorts weights by lane; lane is the number of each weight's, of n.
func newLanes(lane []int, n int) *lanes {
	l := &lanes{limit: resnext.LaneLimit, order: make([]int, len(lane)), start: make([]int, n+1)}
	for _, i := range lane {
		l.start[i+1]++
	}
	for i := range n {
		l.start[i+1] += l.start[i]
	}
	next := append([]int(nil), l.start...)
	for w, i := range lane {
		l.order[next[i]] = w
		next[i]++
	}
	return l
}

// freeLanes limits nothing: the weights in their order, cut into pieces.
func freeLanes(weights int) *lanes {
	l := &lanes{limit: math.Inf(1)}
	for i := range weights {
		if i%maxLane == 0 {
			l.start = append(l.start, i)
		}
		l.order = append(l.order, i)
	}
	l.start = append(l.start, weights)
	return l
}

func (l *lanes) count() int { return len(l.start) - 1 }

// rounding holds one lane's weights in steps, rounded.
type rounding [maxLane]float64

// round rounds the weights of a lane, given in real values and in the lane's order, and returns their
// squared error in steps, each weight's times its importance. Where it sees early that this is most or more,
// it leaves the rounding unfinished and returns something that is most or more.
func (r *rounding) round(w, importance []float64, inverse, limit, most float64) float64 {
	var total, magnitudes, sum float64 // of the integers, which float64 adds up exactly
	importance = importance[:len(w)]
	for j, v := range w {
		x := v * inverse
		q := roundWeight(x)
		r[j] = q
		total += q
		magnitudes += math.Abs(q)
		sum += (x - q) * (x - q) * importance[j]
	}
	if magnitudes <= limit {
		return sum
	}
	for _, sign := range [2]float64{1, -1} {
		if excess := (magnitudes+sign*total)/2 - limit; excess > 0 && sum < most {
			if e := leastGrowth(importance, excess); sum+e >= most {
				return sum + e
			}
			sum += r.lower(w, importance, inverse, sign, excess)
		}
	}
	return sum
}

// leastGrowth bounds from below the error that taking excess steps from weights brings: each is off by at
// most half a step already, and what goes beyond is cheapest where it is shared out in inverse proportion to
// the importances.
func leastGrowth(importance []float64, excess float64) float64 {
	ease, already := 0.0, 0.0
	for _, v := range importance {
		ease += 1 / v
		already += v / 4
	}
	beyond := max(0, excess-float64(len(importance))/2)
	return beyond*beyond/ease - already
}

// lower takes excess steps from the magnitudes of the weights of one sign, each from the weight whose
// squared error then grows least, and returns the growth. Every step taken from a weight makes the next one
// dearer, so the greedy choice is the best one.
func (r *rounding) lower(w, importance []float64, inverse, sign, excess float64) float64 {
	total := 0.0
	for ; excess > 0; excess-- {
		at, least := -1, math.Inf(1)
		for j, v := range w {
			if r[j]*sign > 0 {
				if growth := (2*(v*inverse-r[j])*sign + 1) * importance[j]; growth < least {
					at, least = j, growth
				}
			}
		}
		if at < 0 { // importances that are no numbers
			return math.Inf(1)
		}
		r[at] -= sign
		total += least
	}
	return total
}
