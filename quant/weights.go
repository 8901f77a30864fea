package quant

import "math"

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
	// mean is the expected real value of each input channel. The bias makes good what rounding the weights
	// does to it. nil expects zeros.
	mean []float64
	// variance is that of each input channel: how much an error of its weights matters. nil means that all
	// matter alike.
	variance []float64
	// groups cuts the input channels; a filter's fastest index runs over those of its group.
	groups int
	// lanes limit the integers that share a 16-bit sum; nil limits nothing.
	lanes *lanes
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
	size := len(l.weight) / out
	q := &quantisedLayer{weight: make([]int8, len(l.weight)), bias: make([]int32, out), step: make([]float64, out)}
	bounds := make([]float64, out)
	inParallel(out, threads, func(oc int) {
		scale, bias, largest := l.quantiseFilter(q.weight[oc*size:][:size], l.filter(oc))
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
func (l *layer) quantiseFilter(q []int8, f *filter) (scale float64, b int32, bound int64) {
	scale = f.searchScale()
	if scale == 0 {
		scale = math.Abs(f.bias) / (l.inputScale * deadBias)
	}
	if scale == 0 {
		clear(q)
		return 0, 0, 0
	}
	for {
		sum := f.round(q, scale)
		steps := math.RoundToEven((f.bias + f.shift(q, scale)) / (l.inputScale * scale))
		largest := math.Abs(steps) + float64(l.maxInput)*sum
		excess := max(math.Abs(steps)/maxBias, largest/maxAccumulator)
		if excess <= 1 {
			return scale, int32(steps), int64(largest)
		}
		// All of this shrinks with the scale, but for rounding.
		scale *= excess * (1 + 1e-6)
	}
}

// roundWeight is the nearest integer of the weights' range, halves to even.
func roundWeight(x float64) float64 {
	// Adding and taking away 1.5*2^52 rounds a float64 of ordinary size.
	const magic = 3 << 51
	return float64(min(max(x, -maxWeight), maxWeight)+magic) - magic
}

// convInputs is the largest magnitude of a convolution's inputs.
const convInputs = unsignedLevels
