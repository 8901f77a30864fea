package observe

import (
	"fmt"
	"math"
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
	// Entropy takes the range whose quantised distribution is nearest to the original one, by
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

// UnsignedLevels and SignedLevels are the numbers of positive steps of the two activation formats.
const (
	UnsignedLevels = 255
	SignedLevels   = 127
)

// Levels is the number of positive steps of a map's 8-bit format.
func Levels(signed bool) int {
	if signed {
		return SignedLevels
	}
	return UnsignedLevels
}

// Choose returns the range T of a map with at least one value that is not zero. It is positive, at most
// the largest magnitude, and exact in float64. peak is for the Average observer, which takes the largest
// magnitude where that is unknown or as good as zero.
func (o Observer) Choose(h *Histogram, levels int, percent, peak float64) float64 {
	switch o {
	case Average:
		if peak >= SmallestRange {
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

// Add appends a value.
func (a *MovingAverage) Add(x float64) { a.merge(MovingAverage{Count: 1, Value: x, first: x}) }

// merge appends o's sequence. It undoes that o took its first value whole, so that the average is that of one
// sequence up to rounding.
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

// percentileRange is the magnitude that percent of all values, zeros included, do not exceed, interpolated
// inside its bin. Where the zeros alone make up that share, it counts only the other values.
func percentileRange(h *Histogram, percent float64) float64 {
	count := h.Count()
	rank := percent / 100 * float64(count)
	nonzero := float64(count - h.zeros)
	if rank <= float64(h.zeros) {
		rank = percent / 100 * nonzero
	} else {
		rank -= float64(h.zeros)
	}
	below := 0.0
	for i, n := range h.used() {
		if n > 0 && below+float64(n) >= rank {
			edge := (float64(i) + (rank-below)/float64(n)) * h.binWidth()
			return min(edge, float64(h.max))
		}
		below += float64(n)
	}
	return float64(h.max)
}

// The ranges that mseRange tries: ratios 2^(-i/coarsePerOctave) of the largest magnitude, then fineSteps
// between the neighbours of the best.
const (
	coarsePerOctave = 16
	coarseOctaves   = 12
	fineSteps       = 32
)

// mseRange is the range whose rounding and clipping give the least expected squared error, values being
// uniform inside a bin. It searches the whole span down to one bin, so the outliers may be as far out as
// 4096 times the rest.
func mseRange(h *Histogram, levels int) float64 {
	top := float64(h.max)
	best, least := top, math.Inf(1)
	try := func(t float64) {
		if e := squaredError(h, t, levels); e < least {
			best, least = t, e
		}
	}
	for i := range coarseOctaves*coarsePerOctave + 1 {
		try(top * math.Exp2(-float64(i)/coarsePerOctave))
	}
	lo := best * math.Exp2(-1.0/coarsePerOctave)
	hi := min(best*math.Exp2(1.0/coarsePerOctave), top)
	for i := range fineSteps {
		try(lo + (hi-lo)*float64(i)/fineSteps)
	}
	return best
}

// squaredError is the sum over all values of the squared error of rounding to multiples of t/levels and
// clipping at t.
func squaredError(h *Histogram, t float64, levels int) float64 {
	width, step := h.binWidth(), t/float64(levels)
	sum, before := 0.0, 0.0
	for i, n := range h.used() {
		after := errorIntegral(float64(i+1)*width, step, levels)
		sum += float64(n) * (after - before)
		before = after
	}
	return sum / width
}

// errorIntegral is the integral from 0 to x of (u - quantised(u))^2 du, where quantised rounds to the
// nearest of the multiples 0..levels of step. From one midpoint to the next it grows by step^3/12; inside
// the last, open-ended interval the same cubic is the clipping error.
func errorIntegral(x, step float64, levels int) float64 {
	n := min(math.Floor(x/step+0.5), float64(levels))
	d := x - n*step
	return n*step*step*step/12 + d*d*d/3
}

// entropyStride is the step in bins between the ranges that entropyRange tries.
const entropyStride = 16

// entropyRange is the range, a whole number of bins, at which the distribution of the values and its
// quantised form have the least Kullback-Leibler divergence. For a range of n bins, P is the first n bins
// with everything beyond put into the last of them; Q divides the mass of those n bins, without what is
// beyond, among levels+1 equal intervals, and spreads each interval's mass over those of its bins where P is
// not empty. Zeros take no part: every quantisation represents them exactly.
func entropyRange(h *Histogram, levels int) float64 {
	counts := h.used()
	total := 0.0
	for _, n := range counts {
		total += float64(n)
	}
	best, least := len(counts), math.Inf(1)
	p := make([]float64, len(counts))
	for n := len(counts); n > levels; n -= entropyStride {
		inside := 0.0
		for i, c := range counts[:n] {
			p[i] = float64(c)
			inside += p[i]
		}
		p[n-1] += total - inside
		if d := divergence(p[:n], float64(counts[n-1]), inside, total, levels+1); d < least {
			best, least = n, d
		}
	}
	return min(float64(best)*h.binWidth(), float64(h.max))
}

// divergence is KL(P || Q) for P = p/total, whose last bin held only last before the outliers were put
// into it, and Q with the mass inside. It is infinite where Q has nothing and P has something.
func divergence(p []float64, last, inside, total float64, intervals int) float64 {
	if inside == 0 {
		return math.Inf(1)
	}
	sum, from := 0.0, 0
	for k := range intervals {
		to := (k + 1) * len(p) / intervals
		mass, filled, entropy := 0.0, 0.0, 0.0
		for _, c := range p[from:to] {
			if c > 0 {
				mass += c
				filled++
				entropy += c * math.Log(c)
			}
		}
		kept := mass
		if to == len(p) {
			kept += last - p[to-1]
		}
		if kept <= 0 && mass > 0 {
			return math.Inf(1)
		}
		if mass > 0 {
			sum += entropy - mass*math.Log(kept/filled)
		}
		from = to
	}
	// sum is over c*log(c/q) in counts; the two totals turn it into probabilities.
	return sum/total - math.Log(total/inside)
}
