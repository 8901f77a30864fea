package round

import (
	"math"

	"github.com/libresnext/libresnext/quant/observe"
)

// Budget is the work on each filter.
type Budget struct {
	// Sweeps bounds how often each filter's weights are gone through.
	Sweeps int
	// Scales are tried for each filter, as ratios of the one that is best for plain rounding.
	Scales []float64
}

// takeGroup gathers output channel oc of a layer that has groupStats.
func (f *filter) takeGroup(l *Layer, oc int) {
	filters := len(l.Bias) / len(l.groupStats)
	f.stats = l.groupStats[oc/filters]
	f.target = make([]float64, len(f.weight))
	for i := range f.target {
		f.target[i] = f.stats.target[i*filters+oc%filters]
	}
	for i, at := range f.lanes.order {
		f.weight[i], f.importance[i], f.mean[i] = f.target[at], f.stats.importance[at], f.stats.mean[at]*f.unit
	}
}

// refine improves the integers q at scale by the Hessian and returns the scale that goes with them.
func (f *filter) refine(q []int8, scale float64, b *Budget) float64 {
	r := newRounder(f.stats.hessian, f.lanes, f.target)
	best, least := scale, math.Inf(1)
	for _, ratio := range b.Scales {
		r.gptq(scale * ratio)
		r.coordinateDescent(b.Sweeps)
		if loss := r.loss(); loss < least {
			best, least = r.scale, loss
			for i, v := range r.q {
				q[i] = int8(v)
			}
		}
	}
	if observe.Finite(least) {
		f.lost = least * f.unit * f.unit
	}
	return best
}

// loss is the mean square of the error that rounding to q adds to the filter's output, its mean apart.
func (f *filter) loss(q []int8, scale float64) float64 {
	sum := 0.0
	if f.stats == nil {
		for i, at := range f.lanes.order {
			e := f.weight[i] - scale*float64(q[at])
			sum += f.importance[i] * e * e
		}
		return sum
	}
	e, he := make([]float64, len(q)), make([]float64, len(q))
	for i, v := range q {
		e[i] = f.target[i] - scale*float64(v)
	}
	f.stats.multiply(he, e)
	return math.Max(0, dot(e, he)) * f.unit * f.unit
}
