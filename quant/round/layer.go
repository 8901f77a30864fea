// Package round finds the integers of one layer: the scale of each filter, by a Hessian of its inputs where there is
// one (GPTQ, then coordinate descent) or else each weight by itself, within the limits of lanes that add up 16-bit
// sums.
package round

import (
	"fmt"
	"math"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/internal/parallel"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/resnext"
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

// Layer is a convolution or the classifier before quantisation, in the accumulator's terms: the real
// value of the sum is Bias + sum(Weight * InputScale * q_in) with |q_in| <= MaxInput.
type Layer struct {
	Name       string
	Weight     []float32 // [out][filter]
	Bias       []float64 // [out]
	InputScale float64
	MaxInput   int64
	// Mean is the expected real value of each input channel, whose change by rounding the weights the bias
	// corrects. nil expects zeros.
	Mean []float64
	// variance is that of each input channel: how much an error of its weights matters. nil means that all
	// matter alike.
	variance []float64
	// Groups cuts the input channels; a filter's fastest index runs over those of its group.
	Groups int
	// groupStats, one for each group, replace Mean and variance: they know how the inputs of filters vary
	// together.
	groupStats []*groupStats
	// floor is the noise of the output, as the channels' sum of squares, that the layers before made and no
	// rounding can help.
	floor float64
	// Budget is the work on each filter with groupStats; nil rounds plainly.
	Budget *Budget
	// lanes limit the integers that share a 16-bit sum; nil limits nothing.
	lanes *lanes
}

// QuantisedLayer holds the integers of a layer and the real value of one step of each channel's
// accumulator.
type QuantisedLayer struct {
	weight []int8
	bias   []int32
	step   []float64
	// Noise is the mean square, over the channels, of the error that rounding the weights adds to the output.
	Noise float64
	// Bound is the largest real magnitude that any channel's sum can take, over all possible inputs.
	Bound float64
}

// quantise chooses each channel's scale and computes its integers, on up to threads goroutines.
func (l *Layer) quantise(threads int) *QuantisedLayer {
	out := len(l.Bias)
	size := len(l.Weight) / out
	q := &QuantisedLayer{weight: make([]int8, len(l.Weight)), bias: make([]int32, out), step: make([]float64, out)}
	bounds, noise := make([]float64, out), make([]float64, out)
	panels := l.panels()
	parallel.For(len(panels), threads, func(i int) {
		first, n := panels[i][0], panels[i][1]
		filters, scales := make([]*filter, n), make([]float64, n)
		for j := range filters {
			filters[j] = l.filter(first+j, q.weight[(first+j)*size:][:size])
			scales[j] = l.firstScale(filters[j])
		}
		if filters[0].stats != nil && l.Budget != nil {
			refine(filters, scales, l.Budget)
		}
		for j, f := range filters {
			oc := first + j
			scale, bias, largest := l.finish(f, scales[j])
			q.bias[oc], q.step[oc] = bias, scale*l.InputScale
			bounds[oc] = float64(largest) * q.step[oc]
			if noise[oc] = f.lost; f.lost < 0 {
				noise[oc] = f.loss(scale)
			}
		}
	})
	for oc, b := range bounds {
		q.Bound = max(q.Bound, b)
		q.Noise += noise[oc] / float64(out)
	}
	return q
}

// panels divides the output channels into runs that are rounded together: first and number. Each lies within a group.
func (l *Layer) panels() (list [][2]int) {
	out := len(l.Bias)
	group := out / max(1, len(l.groupStats))
	for first := 0; first < out; first += group {
		for at := 0; at < group; at += asm.SgemmCols {
			list = append(list, [2]int{first + at, min(asm.SgemmCols, group-at)})
		}
	}
	return list
}

// firstScale writes one channel's integers as plain rounding has them and returns their scale, that of least expected
// error. It is 0 if the channel has neither weights nor bias.
func (l *Layer) firstScale(f *filter) float64 {
	scale := f.searchScale()
	if scale == 0 {
		scale = math.Abs(f.bias) / (l.InputScale * deadBias)
	}
	if scale > 0 {
		f.round(scale)
	} else {
		clear(f.q)
	}
	return scale
}

// finish returns the scale of the channel's integers, the bias, and the bound of the accumulator. The scale is the one
// given, or as much larger, with other integers, as the bounds of the bias and of the accumulator ask.
func (l *Layer) finish(f *filter, scale float64) (s float64, b int32, bound int64) {
	if scale == 0 {
		return 0, 0, 0
	}
	for {
		steps := math.RoundToEven((f.bias + f.shift(scale)) / (l.InputScale * scale))
		largest := math.Abs(steps) + float64(l.MaxInput)*magnitude(f.q)
		excess := max(math.Abs(steps)/maxBias, largest/maxAccumulator)
		if excess <= 1 {
			return scale, int32(steps), int64(largest)
		}
		// All of this shrinks as the scale grows, up to rounding.
		scale *= excess * (1 + 1e-6)
		f.round(scale)
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

// Float is the quantised layer as a float one, on real inputs that are counted from the offset's steps.
func (q *QuantisedLayer) Float(offset []float32, inputScale float64) *float.Conv {
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
	if x > maxWeight { // min and max would look for NaN
		x = maxWeight
	} else if x < -maxWeight {
		x = -maxWeight
	}
	return float64(x+magic) - magic
}

// MaxConvInput is the largest magnitude of a convolution's inputs.
const MaxConvInput = observe.UnsignedLevels

// Expect sets the moments of a layer's input.
func (l *Layer) Expect(m *observe.Moments) { l.Mean, l.variance = m.Mean(), m.Variance() }

// Params returns a layer's numbers for an output of the given scale.
func (q *QuantisedLayer) Params(name string, scale float64) (resnext.ConvParams, error) {
	p := resnext.ConvParams{Weight: q.weight, Bias: q.bias, Multiplier: make([]float32, len(q.bias))}
	for oc, step := range q.step {
		var err error
		if p.Multiplier[oc], err = Multiplier(step / scale); err != nil {
			return p, fmt.Errorf("%s: the multiplier of output channel %d: %w", name, oc, err)
		}
	}
	return p, nil
}

// Multiplier is m as the arithmetic takes it.
func Multiplier(m float64) (float32, error) {
	if m < observe.SmallestNormal {
		m = 0
	}
	if f := float32(m); observe.Finite(float64(f)) {
		return f, nil
	}
	return 0, fmt.Errorf("%v is no float32 number: the float network's values are too extreme", m)
}
