package round

// Covariance is what rounding one group of a layer's filters depends on, over the sampled pixels: how the
// inputs x, in steps, vary together, and how the errors e of the outputs vary with them.
//
// The sums are gathered first, Square's lower half alone, and Centre makes means and covariances of them.
type Covariance struct {
	count  float64   // of pixels
	Mean   []float64 // of x, [K]
	Square []float64 // covariance of x, [K][K]
	Cross  []float64 // covariance of x and e, [K][filters]
	Errors []float64 // mean of e, [filters]
	Power  []float64 // variance of e, [filters]
}

// NewCovariance returns empty sums over count pixels, of k inputs and of filters outputs.
func NewCovariance(count, k, filters int) *Covariance {
	return &Covariance{
		count: float64(count), Mean: make([]float64, k), Square: make([]float64, k*k),
		Cross: make([]float64, k*filters), Errors: make([]float64, filters), Power: make([]float64, filters),
	}
}

// AddRow adds one pixel's inputs and errors, except to Square and Cross.
func (m *Covariance) AddRow(x, e []float64) {
	addScaled(m.Mean, 1, x)
	addScaled(m.Errors, 1, e)
	for f, v := range e {
		m.Power[f] += v * v
	}
}

// Centre turns sums into means and covariances, and fills Square's upper half.
func (m *Covariance) Centre() {
	k, filters := len(m.Mean), len(m.Errors)
	for i := range m.Mean {
		m.Mean[i] /= m.count
	}
	for i := range m.Errors {
		m.Errors[i] /= m.count
		m.Power[i] = max(0, m.Power[i]/m.count-m.Errors[i]*m.Errors[i])
	}
	for i := range k {
		for j := range i + 1 {
			v := m.Square[i*k+j]/m.count - m.Mean[i]*m.Mean[j]
			m.Square[i*k+j], m.Square[j*k+i] = v, v
		}
		for j := range filters {
			m.Cross[i*filters+j] = m.Cross[i*filters+j]/m.count - m.Mean[i]*m.Errors[j]
		}
	}
}
