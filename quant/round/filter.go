package round

import "math"

// filter is one output channel's weights, sorted by lane, with what its rounding depends on.
type filter struct {
	q      []int8 // the integers, in the filter's own order
	lanes  *lanes
	bias   float64
	weight []float64 // in the order of the lanes
	// importance is how much each weight's squared error matters; mean is its input's expected value.
	importance, mean []float64
	stats            *groupStats // nil where the inputs are taken to vary each on its own
	target           []float64   // the weights in their own order, where there are stats
	unit             float64     // the real value of an input step
	lost             float64     // what loss returns, where refine found it; else negative
}

// filter gathers output channel oc, whose integers are to be written to q.
func (l *Layer) filter(oc int, q []int8) *filter {
	size := len(l.Weight) / len(l.Bias)
	w := l.Weight[oc*size:][:size]
	f := &filter{q: q, lanes: l.lanes, bias: l.Bias[oc], unit: l.InputScale, lost: -1,
		weight: make([]float64, size), importance: make([]float64, size), mean: make([]float64, size)}
	if f.lanes == nil {
		f.lanes = freeLanes(size)
	}
	channels := func(perInput []float64) []float64 { // those of the channel's group
		n := len(perInput) / max(l.Groups, 1)
		return perInput[oc/(len(l.Bias)/max(l.Groups, 1))*n:][:n]
	}
	var mean, variance []float64
	if l.Mean != nil {
		mean = channels(l.Mean)
	}
	if l.variance != nil {
		variance = channels(l.variance)
	}
	if l.groupStats != nil {
		f.takeGroup(l, oc)
		return f
	}
	for i, at := range f.lanes.order {
		f.weight[i], f.importance[i] = float64(w[at]), 1
		if mean != nil {
			f.mean[i] = mean[at%len(mean)]
		}
		if variance != nil {
			f.importance[i] = variance[at%len(variance)]
		}
	}
	return f
}

const (
	// leastClip is where the search for a filter's scale begins, as a share of the one that clips nothing.
	leastClip = 0.3
	// coarseStep and fineStep are the ratios of neighbouring scales of the search, first over the whole
	// range and then around the best.
	coarseStep = 1.06
	fineStep   = 1.01
)

// searchScale is the step whose multiples -127..127 are nearest to the weights under the lanes' limit, in
// the sum of squared errors times importance. It looks at scales from leastClip of the one that clips
// nothing up to the one at which no lane is over its limit either. It is 0 if all weights are.
func (f *filter) searchScale() float64 {
	top, free := f.extent()
	if top == 0 {
		return 0
	}
	// From the top, where no lane is over its limit: later scales can be given up early.
	first, last := top/maxWeight, max(top/maxWeight, free/f.lanes.limit)
	best, least := last, math.Inf(1)
	try := func(from, to, step float64) {
		for scale := from; scale >= to; scale /= step {
			if e := f.error(scale, least); e < least {
				best, least = scale, e
			}
		}
	}
	try(last, first*leastClip, coarseStep)
	try(min(best*coarseStep, last), best/coarseStep, fineStep)
	return best
}

// extent returns the largest weight and the largest sum of one sign in a lane.
func (f *filter) extent() (top, free float64) {
	for i := range f.lanes.count() {
		var positive, negative float64
		for _, v := range f.lane(f.weight, i) {
			top = max(top, math.Abs(v))
			positive += max(v, 0)
			negative -= min(v, 0)
		}
		free = max(free, positive, negative)
	}
	return top, free
}

// lane is lane i's part of numbers in the order of the lanes.
func (f *filter) lane(v []float64, i int) []float64 { return v[f.lanes.start[i]:f.lanes.start[i+1]] }

// error is what round loses, or anything from least on as soon as it reaches that.
func (f *filter) error(scale, least float64) float64 {
	inverse := 1 / scale
	limit := least * inverse * inverse
	sum := 0.0
	var r rounding
	for i := range f.lanes.count() {
		sum += r.round(f.lane(f.weight, i), f.lane(f.importance, i), inverse, f.lanes.limit, limit-sum)
		if sum >= limit {
			return least
		}
	}
	return sum * scale * scale
}

// round writes the integers at scale.
func (f *filter) round(scale float64) {
	var r rounding
	for i := range f.lanes.count() {
		r.round(f.lane(f.weight, i), f.lane(f.importance, i), 1/scale, f.lanes.limit, math.Inf(1))
		for j, at := range f.lanes.order[f.lanes.start[i]:f.lanes.start[i+1]] {
			f.q[at] = int8(r[j])
		}
	}
}

// shift is the expected value of what the filter loses by rounding.
func (f *filter) shift(scale float64) float64 {
	sum := 0.0
	for i, at := range f.lanes.order {
		sum += (f.weight[i] - scale*float64(f.q[at])) * f.mean[i]
	}
	return sum
}
