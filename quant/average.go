package quant

import "math"

// averaging is how much each new value counts. It is the default averaging_constant of PyTorch's
// torch.ao.quantization.MovingAverageMinMaxObserver, which takes the first value whole and then moves by
// average += averaging * (value - average); its batches are single images here. Below some hundred images the first
// one decides, and what is larger in others is clipped.
const averaging = 0.01

// MovingAverage is the exponential moving average of a sequence. The zero value has seen nothing. Its value
// depends on the order of the sequence.
type MovingAverage struct {
	// Count is how many values were added.
	Count int
	// Value is the average, 0 before the first value.
	Value float64
	first float64
}

// add appends a value.
func (a *MovingAverage) add(x float64) { a.merge(MovingAverage{Count: 1, Value: x, first: x}) }

// merge appends o's sequence. That o took its first value whole is made good, so that the average is that of one
// sequence but for rounding.
func (a *MovingAverage) merge(o MovingAverage) {
	switch {
	case o.Count == 0:
	case a.Count == 0:
		*a = o
	default:
		a.Value = (a.Value-o.first)*math.Pow(1-averaging, float64(o.Count)) + o.Value
		a.Count += o.Count
	}
}
