package quant

import (
	"fmt"
	"slices"
	"strings"
)

// Observer names a way to choose the range of an activation map: the magnitude T that the largest 8-bit
// step stands for. Larger values are clipped to T; a smaller T makes finer steps.
type Observer string

const (
	// MinMax takes the largest magnitude seen: nothing is clipped.
	MinMax Observer = "minmax"
	// Percentile takes the magnitude that the given share of the values does not exceed.
	Percentile Observer = "percentile"
	// Entropy takes the range whose quantised distribution tells most of the original one, by
	// Kullback-Leibler divergence (Migacz 2017, "8-bit Inference with TensorRT").
	Entropy Observer = "entropy"
	// Average takes the moving average of each image's largest magnitude, with the constant of a PyTorch observer,
	// see MovingAverage: a few extreme images hardly count.
	Average Observer = "average"
	// MSE takes the range with the least mean squared error of rounding and clipping together.
	MSE Observer = "mse"
)

// Observers lists every observer, the default first.
func Observers() []Observer { return []Observer{MSE, MinMax, Average, Percentile, Entropy} }

// DefaultPercentile is the share of values, in percent, that the Percentile observer keeps by default.
const DefaultPercentile = 99.99

// ParseObserver returns the observer of that name, in any case.
func ParseObserver(name string) (Observer, error) {
	if o := Observer(strings.ToLower(name)); slices.Contains(Observers(), o) {
		return o, nil
	}
	return "", fmt.Errorf("unknown observer %q: expected one of %v", name, Observers())
}

// Number of positive steps of the two activation formats.
const (
	unsignedLevels = 255
	signedLevels   = 127
)

// levels is the number of positive steps of a map's 8-bit form.
func levels(signed bool) int {
	if signed {
		return signedLevels
	}
	return unsignedLevels
}

// choose gives the range T of a map with at least one value that is not zero. It is positive, at most
// the largest magnitude, and exact in float64. peak is the Average observer's, who takes the largest magnitude
// where that is unknown or as good as zero.
func (o Observer) choose(h *Histogram, levels int, percent, peak float64) float64 {
	switch o {
	case Average:
		if peak >= smallestRange {
			return min(peak, float64(h.max))
		}
		return float64(h.max)
	case Percentile:
		return percentileRange(h, percent)
	case Entropy:
		return entropyRange(h, levels)
	case MSE:
		return mseRange(h, levels)
	default:
		return float64(h.max)
	}
}
