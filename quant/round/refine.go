package round

import (
	"math"
	"slices"

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

// refine improves integers at their scales by the Hessian of the group that the filters share, asm.SgemmCols at most,
// and changes the scales to those that go with them. Filters without a scale stay as they are.
func refine(filters []*filter, scales []float64, b *Budget) {
	var live []int
	var rounders []*rounder
	for i, f := range filters {
		if scales[i] > 0 {
			live, rounders = append(live, i), append(rounders, newRounder(f.stats.hessian, f.lanes, f.target))
		}
	}
	least := slices.Repeat([]float64{math.Inf(1)}, len(live))
	first := slices.Clone(scales)
	for _, ratio := range b.Scales {
		for j, r := range rounders {
			r.scale = first[live[j]] * ratio
		}
		gptq(rounders)
		for j, r := range rounders {
			r.coordinateDescent(b.Sweeps)
			if loss := r.loss(); loss < least[j] {
				least[j], scales[live[j]] = loss, r.scale
				for i, v := range r.q {
					filters[live[j]].q[i] = int8(v)
				}
			}
		}
	}
	for j, i := range live {
		if f := filters[i]; observe.Finite(least[j]) {
			f.lost = least[j] * f.unit * f.unit
		}
	}
}

// loss is the mean square of the error that rounding adds to the filter's output, its mean apart.
func (f *filter) loss(scale float64) float64 {
	sum := 0.0
	if f.stats == nil {
		for i, at := range f.lanes.order {
			e := f.weight[i] - scale*float64(f.q[at])
			sum += f.importance[i] * e * e
		}
		return sum
	}
	e, he := make([]float64, len(f.q)), make([]float64, len(f.q))
	for i, v := range f.q {
		e[i] = f.target[i] - scale*float64(v)
	}
	f.stats.multiply(he, e)
	return math.Max(0, dot(e, he)) * f.unit * f.unit
}
