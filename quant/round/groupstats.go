package round

import "github.com/libresnext/libresnext/internal/parallel"

// What is added to the covariance's diagonal, as shares of its mean: calibration shows the inputs only so often
// (samples for each of a filter's inputs), and errors must not hide where it did not look.
const (
	// leastDamping is for rounding, and scarcityDamping more for each input per sample.
	leastDamping, scarcityDamping = 1e-3, 0.1
	// leastProximal keeps Correction near the float weights, and scarcityProximal more so for each input per sample.
	leastProximal, scarcityProximal = 0.1, 1.0
)

// Fit says how a layer is fitted to the float network.
type Fit struct {
	// Correct aims the weights at the float network's output, CorrectBias the bias.
	Correct, CorrectBias bool
	// Together weighs errors by what weights that are rounded later can compensate.
	Together bool
	Threads  int
}

// groupStats holds the Hessian and targets of one group's filters.
type groupStats struct {
	*hessian
	mean       []float64 // of the inputs, in steps
	target     []float64 // the weights wanted, [K][filters]
	importance []float64
}

// Fit computes the groups' statistics from their covariances: the Hessians, and the weights and biases that bring
// the layer nearest to the float network's output. It takes groups over. offset is what the inputs' steps count
// from, that of channel i modulo its length; nil is 0.
func (l *Layer) Fit(groups []*Covariance, offset []float32, how Fit) {
	filters := len(l.Bias) / len(groups)
	l.groupStats = make([]*groupStats, len(groups))
	l.floor = 0
	parallel.For(len(groups), how.Threads, func(g int) {
		m := groups[g]
		k := len(m.Mean)
		scarcity := float64(k) / m.count
		f := &groupStats{hessian: newHessian(m.Square, k, leastDamping+scarcityDamping*scarcity), mean: m.Mean}
		if offset != nil {
			for i := range m.Mean {
				m.Mean[i] += float64(offset[i%len(offset)])
			}
		}
		f.importance = f.hessian.importance()
		if !how.Together {
			in := len(l.variance) / len(groups)
			for i := range k {
				if f.importance[i] = f.h[i*k+i]; in > 0 {
					f.importance[i] = l.variance[g*in+i%in] // which all images show
				}
			}
		}
		// The change of the weights that brings the output nearest to the float network's: H^-1 E[x e].
		f.target = make([]float64, k*filters)
		if how.Correct {
			f.target = f.solve(m.Cross, filters, leastProximal+scarcityProximal*scarcity)
			for i, v := range f.target {
				m.Power[i%filters] -= v * m.Cross[i] // what it explains
			}
		}
		l.groupStats[g] = f
	})
	for g, m := range groups {
		l.aim(g, m, how)
	}
}

// aim turns group g's change of weights into weights, and adds the change of the mean output to the bias.
func (l *Layer) aim(g int, m *Covariance, how Fit) {
	f, filters := l.groupStats[g], len(m.Errors)
	for j := range filters {
		oc, shift := g*filters+j, 0.0
		for i := range f.k {
			change := f.target[i*filters+j]
			shift -= change * f.mean[i]
			f.target[i*filters+j] = float64(l.Weight[oc*f.k+i]) + change/l.InputScale
		}
		l.Bias[oc] += shift
		if how.CorrectBias {
			l.Bias[oc] += m.Errors[j]
		}
		l.floor += max(0, m.Power[j])
	}
	if !how.CorrectBias {
		f.mean = make([]float64, f.k)
	}
}
