package weights

import (
	"math"
	"slices"

	"github.com/libresnext/libresnext/quant/float"
)

// normEpsilon is added to the variance before its root where a file does not say: PyTorch's default, as in
// every published network of the family.
const normEpsilon = 1e-5

// batchNorm is y = (x - mean) / sqrt(variance + epsilon) * gain + shift, for each channel.
type batchNorm struct {
	gain, shift, mean, variance []float32
	epsilon                     float64
}

// negative is the index of the first variance below 0, or -1.
func (n *batchNorm) negative() int {
	return slices.IndexFunc(n.variance, func(v float32) bool { return v < 0 })
}

// fold makes the convolution do what the normalisation behind it did:
// weight *= gain/sqrt(variance+epsilon), bias = (bias-mean)*gain/sqrt(variance+epsilon) + shift.
// A filter that training has switched off, its gain and variance near 0, stays finite by the epsilon. What the normalisation
// saw of the convolution becomes what training saw of the sums.
func (n *batchNorm) fold(c *float.Conv) {
	size := len(c.Weight) / len(c.Bias)
	c.Seen = &float.Seen{Mean: slices.Clone(n.shift), Variance: make([]float32, len(c.Bias))}
	for out := range c.Bias {
		factor := float64(n.gain[out]) / math.Sqrt(float64(n.variance[out])+n.epsilon)
		c.Seen.Variance[out] = float32(factor * factor * float64(n.variance[out]))
		filter := c.Weight[out*size:][:size]
		for i, w := range filter {
			filter[i] = float32(float64(w) * factor)
		}
		c.Bias[out] = float32(float64((float64(c.Bias[out])-float64(n.mean[out]))*factor) + float64(n.shift[out]))
	}
}

// toChannelsLast reorders [out][in][size] to [out][size][in].
func toChannelsLast(w []float32, out, in, size int) []float32 {
	y := make([]float32, len(w))
	for o := range out {
		src, dst := w[o*in*size:][:in*size], y[o*in*size:][:in*size]
		for i := range in {
			for s := range size {
				dst[s*in+i] = src[i*size+s]
			}
		}
	}
	return y
}
