package resnext

import (
	"fmt"
	"math"
)

// productLimit bounds |accumulator * multiplier + residual * multiplier|, so that the conversion back to
// int32 cannot overflow on any CPU. It lies below 2^31 by more than float32 rounding.
const productLimit = 1<<31 - 1<<11

// validate reports the first thing that makes q no network that every CPU would run exactly.
func (q *Quantised) validate() error {
	if err := q.Config.Validate(); err != nil {
		return err
	}
	if err := checkText("the network's name", q.Config.Name); err != nil {
		return err
	}
	if err := q.Preprocess.validateFor(q.Config); err != nil {
		return err
	}
	if n := len(q.Labels); n != 0 && n != q.Config.Classes {
		return fmt.Errorf("%d labels for %d classes", n, q.Config.Classes)
	}
	for i, label := range q.Labels {
		if err := checkText(fmt.Sprintf("label %d", i), label); err != nil {
			return err
		}
	}
	return nil
}

// check proves of one layer what its kernels take for granted: weights in -127..127, every sum within
// int32, every product within int32. inMax is the largest input, residual the largest |shortcut| after
// its multiplier.
func (p ConvParams) check(name string, out, perChannel, inMax int, residual float64) error {
	if err := p.checkLengths(name, out, perChannel); err != nil {
		return err
	}
	for oc := range out {
		positive, negative, least := sums(p.Weight[oc*perChannel : (oc+1)*perChannel])
		if least == math.MinInt8 {
			return fmt.Errorf("%s: channel %d has a weight of -128, expected -127 to 127", name, oc)
		}
		highest := int64(p.Bias[oc]) + int64(inMax)*positive
		lowest := int64(p.Bias[oc]) + int64(inMax)*negative
		if highest > math.MaxInt32 || lowest < math.MinInt32 {
			return fmt.Errorf("%s: channel %d could sum up to %d..%d, past 32 bits", name, oc, lowest, highest)
		}
		m := float64(p.Multiplier[oc])
		if math.IsNaN(m) || m < 0 {
			return fmt.Errorf("%s: channel %d has a multiplier of %v, expected a finite number of at least 0", name, oc, p.Multiplier[oc])
		}
		if largest := math.Max(float64(highest), -float64(lowest))*m + residual; !(largest < productLimit) {
			return fmt.Errorf("%s: channel %d has a multiplier of %v that could scale a sum out of 32 bits", name, oc, p.Multiplier[oc])
		}
	}
	return nil
}

// checkLengths compares the lengths of a layer's numbers with those of out channels of perChannel weights.
func (p ConvParams) checkLengths(name string, out, perChannel int) error {
	if len(p.Weight) != out*perChannel || len(p.Bias) != out || len(p.Multiplier) != out {
		return fmt.Errorf("%s: %d weights, %d biases, %d multipliers; expected %d, %d, %d",
			name, len(p.Weight), len(p.Bias), len(p.Multiplier), out*perChannel, out, out)
	}
	return nil
}

// sums adds up the weights of each sign, and finds the least. It has no branches, which for weights would be
// guesses: millions of them are checked whenever a model is opened.
func sums(weights []int8) (positive, negative, least int64) {
	for _, w := range weights {
		v := int64(w)
		sign := v >> 63 // all ones below zero
		positive += v &^ sign
		negative += v & sign
		least = min(least, v)
	}
	return positive, negative, least
}

// checkConv is check for a convolution that adds a shortcut of 8 bits times residual.
func checkConv(s ConvShape, p ConvParams, residual float32) error {
	return p.check(s.Name, s.Out, s.Weights()/s.Out, math.MaxUint8, float64(residual)*math.MaxUint8)
}

func checkResidual(block string, m float32) error {
	if v := float64(m); math.IsNaN(v) || v < 0 || v*math.MaxUint8 >= productLimit/2 {
		return fmt.Errorf("%s: the shortcut's multiplier is %v, expected a finite number of at least 0", block, m)
	}
	return nil
}

// PooledMax is the largest value that the classifier can meet after pooling that many pixels.
func PooledMax(pixels int) int {
	if _, needed := PoolMultiplier(pixels); needed {
		return math.MaxInt16
	}
	return math.MaxUint8 * pixels
}
