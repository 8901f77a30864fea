package quant

import (
	"math"

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
	// clipSteps and leastClip lay the grid of the scale search: fractions of a filter's largest weight
	// from 1 down to leastClip.
	clipSteps = 128
	leastClip = 0.3
)

// layer is a convolution or the classifier before quantisation, in the accumulator's terms: the real
// value of the sum is bias + sum(weight * inputScale * q_in) with |q_in| <= maxInput.
type layer struct {
	name       string
	weight     []float32 // [out][filter]
	bias       []float64 // [out]
	inputScale float64
	maxInput   int64
	// mean is the expected real value of each input channel, the fastest index of a filter. The bias makes
	// good what rounding the weights does to it. nil expects zeros.
	mean []float64
}

// quantisedLayer holds the integers of a layer and the real value of one step of each channel's
// accumulator.
type quantisedLayer struct {
	weight []int8
	bias   []int32
	step   []float64
	// bound is the largest real magnitude that any channel's sum can take, over all possible inputs.
	bound float64
}

// quantise chooses each channel's scale and computes its integers, on up to threads goroutines.
func (l *layer) quantise(threads int) *quantisedLayer {
	out := len(l.bias)
	filter := len(l.weight) / out
	q := &quantisedLayer{weight: make([]int8, len(l.weight)), bias: make([]int32, out), step: make([]float64, out)}
	bounds := make([]float64, out)
	inParallel(out, threads, func(oc int) {
		w := q.weight[oc*filter:][:filter]
		scale, bias, largest := l.quantiseFilter(w, l.weight[oc*filter:][:filter], l.bias[oc])
		q.bias[oc], q.step[oc] = bias, scale*l.inputScale
		bounds[oc] = float64(largest) * q.step[oc]
	})
	for _, b := range bounds {
		q.bound = max(q.bound, b)
	}
	return q
}

// quantiseFilter writes one channel's weights to q and gives their scale, the bias, and the bound of the
// accumulator. The scale is the one of least squared error, or as much larger as the bounds of the bias
// and of the accumulator ask. It is 0 if the channel has neither weights nor bias.
func (l *layer) quantiseFilter(q []int8, w []float32, bias float64) (scale float64, b int32, bound int64) {
	scale = searchScale(w)
	if scale == 0 {
		scale = math.Abs(bias) / (l.inputScale * deadBias)
	}
	if scale == 0 {
		clear(q)
		return 0, 0, 0
	}
	for {
		sum := roundWeights(q, w, scale)
		steps := math.RoundToEven((bias + l.shift(q, w, scale)) / (l.inputScale * scale))
		largest := math.Abs(steps) + float64(l.maxInput)*sum
		excess := max(math.Abs(steps)/maxBias, largest/maxAccumulator)
		if excess <= 1 {
			return scale, int32(steps), int64(largest)
		}
		// All of this shrinks with the scale, but for rounding.
		scale *= excess * (1 + 1e-6)
	}
}

// shift is the expected value of what a filter loses by rounding.
func (l *layer) shift(q []int8, w []float32, scale float64) float64 {
	sum := 0.0
	if n := len(l.mean); n > 0 {
		for i, v := range w {
			sum += (float64(v) - scale*float64(q[i])) * l.mean[i%n]
		}
	}
	return sum
}

// searchScale is the step whose multiples -127..127 are nearest to the weights in the sum of squares, of
// those that let the largest weight be clipped to a fraction on the grid. It is 0 if all weights are.
func searchScale(w []float32) float64 {
	top := float32(0)
	for _, v := range w {
		top = max(top, float32(math.Abs(float64(v))))
	}
	best, least := 0.0, math.Inf(1)
	for i := range clipSteps + 1 {
		clip := 1 - (1-leastClip)*float64(i)/clipSteps
		scale := float64(top) * clip / maxWeight
		if scale == 0 {
			break
		}
		if e := roundingError(w, scale, least); e < least {
			best, least = scale, e
		}
	}
	return best
}

// roundingError is the sum of squares of what roundWeights loses, or anything from least on as soon as it
// reaches that.
func roundingError(w []float32, scale, least float64) float64 {
	inverse := 1 / scale
	limit := least * inverse * inverse
	sum := 0.0
	for len(w) > 0 {
		n := min(len(w), 64)
		for _, v := range w[:n] {
			x := float64(v) * inverse
			d := x - roundWeight(x)
			sum += d * d
		}
		if sum >= limit {
			return least
		}
		w = w[n:]
	}
	return sum * scale * scale
}

// roundWeights writes the integers of w at scale and gives the sum of their magnitudes.
func roundWeights(q []int8, w []float32, scale float64) float64 {
	sum, inverse := 0.0, 1/scale
	for i, v := range w {
		r := roundWeight(float64(v) * inverse)
		q[i] = int8(r)
		sum += math.Abs(r)
	}
	return sum
}

// roundWeight is the nearest integer of the weights' range, halves to even.
func roundWeight(x float64) float64 {
	// Adding and taking away 1.5*2^52 rounds a float64 of ordinary size.
	const magic = 3 << 51
	return float64(min(max(x, -maxWeight), maxWeight)+magic) - magic
}

// convInputs is the largest magnitude of a convolution's inputs.
const convInputs = unsignedLevels

// pooledInputs is the largest value that the classifier takes from pooling a map of so many pixels.
func pooledInputs(pixels int) int64 {
	if _, needed := resnext.PoolMultiplier(pixels); needed {
		return math.MaxInt16
	}
	return int64(unsignedLevels * pixels)
}
