package quant

import (
	"math"

	"github.com/libresnext/libresnext/internal/parallel"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
)

const (
	// maxWeight is the largest magnitude of an int8 weight.
	maxWeight = 127
	// maxBias bounds a bias in accumulator steps, and leaves half of int32 to the products.
	maxBias = 1 << 30
	// maxAccumulator bounds the accumulator over all inputs.
	maxAccumulator = math.MaxInt32
	// deadBias is the size that the bias of a filter without weights gets in accumulator steps: fine,
	// and exact in float32.
	deadBias = 1 << 20
)

// layer is a convolution or the classifier before quantisation, in the accumulator's terms: the real
// value of the sum is bias + sum(weight * inputScale * q_in) with |q_in| <= maxInput.
type layer struct {
	name       string
	weight     []float32 // [out][filter]
	bias       []float64 // [out]
	inputScale float64
	maxInput   int64
	// mean is the expected real value of each input channel, whose change by rounding the weights the bias
	// corrects. nil expects zeros.
	mean []float64
	// variance is that of each input channel: how much an error of its weights matters. nil means that all
	// matter alike.
	variance []float64
	// groups cuts the input channels; a filter's fastest index runs over those of its group.
	groups int
	// groupStats, one for each group, replace mean and variance: they know how the inputs of filters vary together.
	groupStats []*groupStats
	// floor is the noise of the output, as the channels' sum of squares, that the layers before made and no
	// rounding can help.
	floor float64
	// budget is the work on each filter with groupStats; nil rounds plainly.
	budget *searchBudget
	// lanes limit the integers that share a 16-bit sum; nil limits nothing.
	lanes *lanes
}

// quantisedLayer holds the integers of a layer and the real value of one step of each channel's
// accumulator.
type quantisedLayer struct {
	weight []int8
	bias   []int32
	step   []float64
	// noise is the mean square, over the channels, of the error that rounding the weights adds to the output.
	noise float64
	// bound is the largest real magnitude that any channel's sum can take, over all possible inputs.
	bound float64
}

// quantise chooses each channel's scale and computes its integers, on up to threads goroutines.
func (l *layer) quantise(threads int) *quantisedLayer {
	out := len(l.bias)
	size := len(l.weight) / out
	q := &quantisedLayer{weight: make([]int8, len(l.weight)), bias: make([]int32, out), step: make([]float64, out)}
	bounds, noise := make([]float64, out), make([]float64, out)
	parallel.For(out, threads, func(oc int) {
		f, weight := l.filter(oc), q.weight[oc*size:][:size]
		scale, bias, largest := l.quantiseFilter(weight, f)
		q.bias[oc], q.step[oc] = bias, scale*l.inputScale
		bounds[oc] = float64(largest) * q.step[oc]
		if noise[oc] = f.lost; f.lost < 0 {
			noise[oc] = f.loss(weight, scale)
		}
	})
	for oc, b := range bounds {
		q.bound = max(q.bound, b)
		q.noise += noise[oc] / float64(out)
	}
	return q
}

// quantiseFilter writes one channel's weights to q and returns their scale, the bias, and the bound of the
// accumulator. The scale is the one of least expected error, or as much larger as the bounds of the bias
// and of the accumulator ask. It is 0 if the channel has neither weights nor bias.
func (l *layer) quantiseFilter(q []int8, f *filter) (scale float64, b int32, bound int64) {
	scale = f.searchScale()
	if scale == 0 {
		scale = math.Abs(f.bias) / (l.inputScale * deadBias)
	}
	if scale == 0 {
		clear(q)
		return 0, 0, 0
	}
	f.round(q, scale)
	if f.stats != nil && l.budget != nil {
		scale = f.refine(q, scale, l.budget)
	}
	for {
		steps := math.RoundToEven((f.bias + f.shift(q, scale)) / (l.inputScale * scale))
		largest := math.Abs(steps) + float64(l.maxInput)*magnitude(q)
		excess := max(math.Abs(steps)/maxBias, largest/maxAccumulator)
		if excess <= 1 {
			return scale, int32(steps), int64(largest)
		}
		// All of this shrinks as the scale grows, up to rounding.
		scale *= excess * (1 + 1e-6)
		f.round(q, scale)
		f.lost = -1
	}
}

// magnitude is the sum of the weights' magnitudes.
func magnitude(q []int8) float64 {
	sum := 0.0
	for _, v := range q {
		sum += math.Abs(float64(v))
	}
	return sum
}

// real is the quantised layer as a float one, on real inputs that are counted from the offset's steps.
func (q *quantisedLayer) real(offset []float32, inputScale float64) *float.Conv {
	c := &float.Conv{Weight: make([]float32, len(q.weight)), Bias: make([]float32, len(q.bias))}
	n := len(q.weight) / len(q.bias)
	for oc, step := range q.step {
		b := float64(q.bias[oc])
		for i, v := range q.weight[oc*n:][:n] {
			c.Weight[oc*n+i] = float32(float64(v) * step / inputScale)
			if offset != nil {
				b += float64(v) * float64(offset[i%len(offset)])
			}
		}
		c.Bias[oc] = float32(b * step)
	}
	return c
}

// roundWeight is the nearest integer of the weights' range, halves to even.
func roundWeight(x float64) float64 {
	// Adding and taking away 1.5*2^52 rounds a float64 of ordinary size.
	const magic = 3 << 51
	return float64(min(max(x, -maxWeight), maxWeight)+magic) - magic
}

// convInputs is the largest magnitude of a convolution's inputs.
const convInputs = observe.UnsignedLevels

// expect sets the moments of a layer's input.
func (l *layer) expect(m *Moments) { l.mean, l.variance = m.Mean(), m.Variance() }
