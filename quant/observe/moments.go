package observe

import (
	"math"
	"slices"
)

// Moments are the sums of an activation map's values and of their squares, for each channel: what the
// expected error of the next layer depends on; and the channels' extremes.
type Moments struct {
	// Count is how many values of each channel were added.
	Count        float64
	Sum, Squares []float64 // [channels]
	// Least is each channel's smallest value, exactly; nil where it is not known.
	Least []float64
	// Low and High are each channel's extremes over every other image: how well what is fitted to them suits
	// new images shows on the rest. Nil where they are not known.
	Low, High []float64
	// Peak is the moving average over the images of the largest magnitude in each, in their order. It has seen
	// nothing where it is not known.
	Peak MovingAverage
}

// Add adds the values of one image's map of c channels.
func (m *Moments) Add(c int, data []float32) {
	if m.Sum == nil {
		m.Sum, m.Squares = make([]float64, c), make([]float64, c)
		m.Least = slices.Repeat([]float64{math.Inf(1)}, c)
	}
	m.Count += float64(len(data) / c)
	m.Peak.Add(Peak(data))
	// Four pixels at a time, because the sums' way through memory costs more than the additions.
	for ; len(data) >= 4*c; data = data[4*c:] {
		m.addPixels(data[:c], data[c:][:c], data[2*c:][:c], data[3*c:][:c])
	}
	for ; len(data) >= c; data = data[c:] {
		m.addPixels(data[:c], nil, nil, nil)
	}
}

// addPixels adds a pixel, or four.
func (m *Moments) addPixels(p0, p1, p2, p3 []float32) {
	sums, squares, leasts := m.Sum[:len(p0)], m.Squares[:len(p0)], m.Least[:len(p0)]
	if p1 == nil {
		for i, v := range p0 {
			x := float64(v)
			sums[i] += x
			squares[i] += x * x
			leasts[i] = min(leasts[i], x)
		}
		return
	}
	p1, p2, p3 = p1[:len(p0)], p2[:len(p0)], p3[:len(p0)]
	for i, v := range p0 {
		x0, x1, x2, x3 := float64(v), float64(p1[i]), float64(p2[i]), float64(p3[i])
		sums[i] += (x0 + x1) + (x2 + x3)
		squares[i] += (x0*x0 + x1*x1) + (x2*x2 + x3*x3)
		least := leasts[i]
		for _, x := range [4]float64{x0, x1, x2, x3} {
			if x < least {
				least = x
			}
		}
		leasts[i] = least
	}
}

// Bound sets Low and High from the map that was added.
func (m *Moments) Bound(data []float32) {
	c := len(m.Sum)
	low, high := slices.Clone(data[:c]), slices.Clone(data[:c])
	for ; len(data) >= c; data = data[c:] {
		for i, v := range data[:c] {
			if v < low[i] {
				low[i] = v
			}
			if v > high[i] {
				high[i] = v
			}
		}
	}
	m.Low, m.High = make([]float64, c), make([]float64, c)
	for i := range c {
		m.Low[i], m.High[i] = float64(low[i]), float64(high[i])
	}
}

// Peak is the largest magnitude of finite values.
func Peak(data []float32) float64 {
	// The bits of floats without their sign are ordered as the magnitudes. Four chains do not wait for each other.
	const magnitude = math.MaxUint32 >> 1
	var t0, t1, t2, t3 uint32
	for ; len(data) >= 4; data = data[4:] {
		t0, t1 = max(t0, math.Float32bits(data[0])&magnitude), max(t1, math.Float32bits(data[1])&magnitude)
		t2, t3 = max(t2, math.Float32bits(data[2])&magnitude), max(t3, math.Float32bits(data[3])&magnitude)
	}
	for _, v := range data {
		t0 = max(t0, math.Float32bits(v)&magnitude)
	}
	return float64(math.Float32frombits(max(t0, t1, t2, t3)))
}

// merge adds what o counted of the same map, on images after those of m.
func (m *Moments) merge(o *Moments) {
	if m.Sum == nil {
		m.Least = slices.Clone(o.Least)
		m.Sum, m.Squares = make([]float64, len(o.Sum)), make([]float64, len(o.Sum))
	}
	m.Count += o.Count
	m.Peak.merge(o.Peak)
	if len(m.Least) != len(o.Least) { // one is not known
		m.Least = nil
	}
	for i := range m.Least {
		m.Least[i] = min(m.Least[i], o.Least[i])
	}
	for i := range o.Sum {
		m.Sum[i] += o.Sum[i]
		m.Squares[i] += o.Squares[i]
	}
	if m.Low == nil {
		m.Low, m.High = slices.Clone(o.Low), slices.Clone(o.High)
		return
	}
	for i := range o.Low {
		m.Low[i], m.High[i] = min(m.Low[i], o.Low[i]), max(m.High[i], o.High[i])
	}
}

// Mean is the expected value of each channel; nil if nothing was counted.
func (m *Moments) Mean() []float64 {
	if m == nil || m.Count == 0 {
		return nil
	}
	mean := make([]float64, len(m.Sum))
	for i, s := range m.Sum {
		mean[i] = s / m.Count
	}
	return mean
}

// leastVariance is the share of the channels' average variance that one without any of its own is taken
// to have: calibration images do not show everything.
const leastVariance = 1e-3

// Variance is the variance of each channel, at least a small part of their average; nil if nothing was
// counted or nothing varies.
func (m *Moments) Variance() []float64 {
	mean := m.Mean()
	if mean == nil {
		return nil
	}
	v := make([]float64, len(mean))
	total := 0.0
	for i, s := range m.Squares {
		v[i] = max(0, s/m.Count-mean[i]*mean[i])
		total += v[i]
	}
	if !(total > 0) || !Finite(total) {
		return nil
	}
	for i := range v {
		v[i] += leastVariance * total / float64(len(v))
	}
	return v
}

// cloneChannels copies all that is known of the channels.
func (m *Moments) cloneChannels() *Moments {
	return &Moments{
		Count: m.Count, Sum: slices.Clone(m.Sum), Squares: slices.Clone(m.Squares),
		Least: slices.Clone(m.Least), Low: slices.Clone(m.Low), High: slices.Clone(m.High),
	}
}

// Scaled is the moments of the channels multiplied with positive factors. Their Peak is not known.
func (m *Moments) Scaled(factors []float32) *Moments {
	if len(factors) != len(m.Sum) {
		return m
	}
	y := m.cloneChannels()
	for c, f := range factors {
		y.Squares[c] *= float64(f) * float64(f)
		for _, of := range [][]float64{y.Sum, y.Least, y.Low, y.High} {
			if of != nil {
				of[c] *= float64(f)
			}
		}
	}
	return y
}

// Lowered is the moments of the channels less constants. Their Peak is not known.
func (m *Moments) Lowered(constants []float32) *Moments {
	y := m.cloneChannels()
	for c, f := range constants {
		v := float64(f)
		y.Sum[c] -= v * m.Count
		y.Squares[c] = max(0, m.Squares[c]-v*(2*m.Sum[c]-v*m.Count))
		for _, of := range [][]float64{y.Least, y.Low, y.High} {
			if of != nil {
				of[c] -= v
			}
		}
	}
	return y
}

// Power is the mean square of a map's values, 0 if it is not known.
func (m *Moments) Power() float64 {
	if m == nil || m.Count == 0 {
		return 0
	}
	sum := 0.0
	for _, s := range m.Squares {
		sum += s / m.Count / float64(len(m.Squares))
	}
	return sum
}

// Log2Range returns the binary logarithm of each channel's range (its largest magnitude) over the root mean square of
// all channels'; nil if that is not known.
func (m *Moments) Log2Range(channels int) []float64 {
	if m == nil || len(m.Low) != channels {
		return nil
	}
	ranges, mean := make([]float64, channels), 0.0
	for c, low := range m.Low {
		ranges[c] = max(m.High[c], -low)
		mean += ranges[c] * ranges[c] / float64(channels)
	}
	if !(mean > 0) {
		return nil
	}
	for c, channelRange := range ranges {
		ranges[c] = math.Log2(channelRange / math.Sqrt(mean))
	}
	return ranges
}
