package quant

import (
	"github.com/libresnext/libresnext/internal/parallel"
)

// What is added to the covariance's diagonal, as shares of its mean: calibration shows the inputs only so often
// (samples for each of a filter's inputs), and errors must not hide where it did not look.
const (
	// leastDamping is for rounding, and scarcityDamping more for each input per sample.
	leastDamping, scarcityDamping = 1e-3, 0.1
	// leastProximal keeps Correction near the float weights, and scarcityProximal more so for each input per sample.
	leastProximal, scarcityProximal = 0.1, 1.0
)

// groupStats holds the Hessian and targets of one group's filters.
type groupStats struct {
	*hessian
	mean       []float64 // of the inputs, in steps
	target     []float64 // the weights wanted, [K][filters]
	importance []float64
}

// fitGroups computes the groups' statistics from their covariances: the Hessians, and the weights and biases that bring
// the layer nearest to the float network's output. It takes groups over. offset is what the steps count from, see
// patches.
func (l *layer) fitGroups(groups []*covariance, offset []float32, o Options) {
	filters := len(l.bias) / len(groups)
	l.groupStats = make([]*groupStats, len(groups))
	l.floor = 0
	parallel.For(len(groups), o.Threads, func(g int) {
		m := groups[g]
		k := len(m.mean)
		scarcity := float64(k) / m.count
		f := &groupStats{hessian: newHessian(m.square, k, leastDamping+scarcityDamping*scarcity), mean: m.mean}
		if offset != nil {
			for i := range m.mean {
				m.mean[i] += float64(offset[i%len(offset)])
			}
		}
		f.importance = f.hessian.importance()
		if !o.uses(Rounding) {
			for i := range k {
				f.importance[i] = f.h[i*k+i]
			}
		}
		// The change of the weights that brings the output nearest to the float network's: H^-1 E[x e].
		f.target = make([]float64, k*filters)
		if o.uses(Correction) {
			f.target = f.damped(leastProximal+scarcityProximal*scarcity).solve(m.cross, filters)
			for i, v := range f.target {
				m.power[i%filters] -= v * m.cross[i] // what it explains
			}
		}
		l.groupStats[g] = f
	})
	for g, m := range groups {
		l.aim(g, m, o)
	}
}

// aim turns group g's change of weights into weights, and adds the change of the mean output to the bias.
func (l *layer) aim(g int, m *covariance, o Options) {
	f, filters := l.groupStats[g], len(m.errors)
	for j := range filters {
		oc, shift := g*filters+j, 0.0
		for i := range f.k {
			change := f.target[i*filters+j]
			shift -= change * f.mean[i]
			f.target[i*filters+j] = float64(l.weight[oc*f.k+i]) + change/l.inputScale
		}
		l.bias[oc] += shift
		if o.uses(BiasCorrection) {
			l.bias[oc] += m.errors[j]
		}
		l.floor += max(0, m.power[j])
	}
	if !o.uses(BiasCorrection) {
		f.mean = make([]float64, f.k)
	}
}
