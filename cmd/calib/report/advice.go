package report

import (
	"fmt"
	"math"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant"
)

// cause is a source of a layer's noise.
type cause int

const (
	fromBefore cause = iota
	fromWeights
	fromRounding
	fromClipping
	causes
)

var causeNames = [causes]string{"layers before", "weights", "rounding", "clipping"}

const (
	// wideSpread is the spread of weight ranges that is worth a word.
	wideSpread = 8
	// worthDepth is by how many dB the layers' noise must have grown for their acc16 depth for less of it to be advised.
	worthDepth = 0.5
	// mostlyZero is the share of zeros from which on a map has few values.
	mostlyZero = 0.95
	// loneValue is the share of the largest magnitude below which almost all values lie where outliers take
	// the range.
	loneValue = 1.0 / 8
)

// split estimates the shares of a layer's noise by cause, or nothing without the ratios. The errors are taken
// to be independent, so their powers add up; what the layer's own do not explain comes from before.
func (l *Layer) split() (shares [causes]float64, ok bool) {
	if l.SQNR == nil || l.Weights == nil || l.Rounding == nil || l.Clipping == nil {
		return shares, false
	}
	shares = [causes]float64{fromWeights: noise(l.Weights), fromRounding: noise(l.Rounding), fromClipping: noise(l.Clipping)}
	own := shares[fromWeights] + shares[fromRounding] + shares[fromClipping]
	shares[fromBefore] = max(0, noise(l.SQNR)-own)
	total := own + shares[fromBefore]
	if total == 0 || math.IsInf(total, 0) || math.IsNaN(total) {
		return shares, false
	}
	for i := range shares {
		shares[i] /= total
	}
	return shares, true
}

// own is the noise that the layer itself makes, relative to its signal.
func (l *Layer) own() float64 {
	if l.Weights == nil || l.Rounding == nil || l.Clipping == nil {
		return 0
	}
	return noise(l.Weights) + noise(l.Rounding) + noise(l.Clipping)
}

// noise is a ratio's noise, the signal being 1.
func noise(d *quant.Decibel) float64 { return math.Pow(10, -float64(*d)/10) }

// suggestion is a change to the command line, and what it does.
type suggestion struct{ Flags, Effect string }

var (
	tryMinMax = suggestion{"--observer minmax", "clips nothing, at the price of coarser steps"}
	tryMSE    = suggestion{"--observer mse", "weighs clipping against rounding"}
	tryFree   = suggestion{"--acc16 off", "rounds every weight to the nearest integer; slowest on CPUs that profit from acc16"}
)

// advice explains why layer i is probably low, and what to try.
func advice(d *Data, i int) (why string, try []suggestion) {
	l := &d.Layers[i]
	shares, ok := l.split()
	if !ok {
		return "There is too little to tell why.", nil
	}
	worst := largest(shares[:])
	part := fmt.Sprintf("About %.0f%% of its noise", 100*shares[worst])
	switch worst {
	case fromWeights:
		why = part + " comes from the rounding of its weights" + spreadText(l) + "."
	case fromClipping:
		why = fmt.Sprintf("%s comes from clipped activations: %s of them are larger than the range.", part, tinyPercent(l.Values.clipped()))
	case fromRounding:
		why = part + " comes from rounding its output to 8 bits" + valuesText(l.Values) + "."
	default:
		why = part + " arrives with its input, as error of the layers before."
		if l = loudest(d.Layers[:i]); l != nil {
			worst = l.ownCause()
			why += fmt.Sprintf(" Of these %s adds the most, by %s.", l.Name, causeVerb[worst])
		}
	}
	return why, append(remedies(d.Choices, l, worst), imageFlags(d.Choices)...)
}

// causeVerb says what a layer does to add noise.
var causeVerb = map[cause]string{
	fromWeights: "rounding its weights", fromRounding: "rounding its output", fromClipping: "clipping its output",
}

// remedies are what to try against one cause of a layer's noise.
func remedies(c Choices, l *Layer, worst cause) []suggestion {
	switch worst {
	case fromWeights:
		return weightFlags(c, l)
	case fromClipping:
		return clipFlags(c)
	case fromRounding:
		return rangeFlags(c, l)
	}
	return nil
}

// largest is the cause of the largest share.
func largest(shares []float64) cause {
	worst := 0
	for i, s := range shares {
		if s > shares[worst] {
			worst = i
		}
	}
	return cause(worst)
}

// ownCause is what the layer's own noise comes from most.
func (l *Layer) ownCause() cause {
	return largest([]float64{fromWeights: noise(l.Weights), fromRounding: noise(l.Rounding), fromClipping: noise(l.Clipping)})
}

// loudest is the layer that makes the most noise itself, nil if none is known to.
func loudest(layers []Layer) *Layer {
	var best *Layer
	for i := range layers {
		if own := layers[i].own(); own > 0 && (best == nil || own > best.own()) {
			best = &layers[i]
		}
	}
	return best
}

func spreadText(l *Layer) string {
	if l.Spread != nil && *l.Spread >= wideSpread {
		return fmt.Sprintf("; one channel's range is %.0f times the median one's", *l.Spread)
	}
	return ""
}

func valuesText(v *Values) string {
	switch {
	case v == nil || v.Count == 0:
		return ""
	case float64(v.Zeros)/float64(v.Count) >= mostlyZero:
		return fmt.Sprintf("; most activations are zero (%s)", cli.Percent(float64(v.Zeros)/float64(v.Count)))
	case v.bulk() < loneValue*v.Range:
		return fmt.Sprintf("; 99%% of its values lie below %s, but the range reaches to %s", number(v.bulk()), number(v.Range))
	}
	return ""
}

// bulk is the magnitude below which 99% of the values that are not 0 lie.
func (v *Values) bulk() float64 {
	total, sum := int64(0), int64(0)
	for _, n := range v.Bins {
		total += n
	}
	for i, n := range v.Bins {
		if sum += n; float64(sum) >= 0.99*float64(total) {
			return float64(i+1) * v.Width
		}
	}
	return v.Max
}

// clipped is the share of clipped values.
func (v *Values) clipped() float64 {
	if v == nil || v.Count == 0 {
		return 0
	}
	return float64(v.Clipped) / float64(v.Count)
}

// weightFlags leave weights more precision.
func weightFlags(c Choices, l *Layer) []suggestion {
	var try []suggestion
	if c.Equalise != "" && l.Spread != nil && *l.Spread >= wideSpread {
		try = append(try, suggestion{c.Equalise, "evens out the channels"})
	}
	switch {
	case c.DepthLoss != nil && *c.DepthLoss < worthDepth:
	case c.Depth > 2:
		shorter := fmt.Sprintf("--acc16 %d", c.Depth/2)
		try = append(try, suggestion{shorter, "moves fewer weights off their nearest integer; slower on CPUs that profit from acc16"}, tryFree)
	case c.Depth == 2:
		try = append(try, tryFree)
	}
	return try
}

// clipFlags widen ranges.
func clipFlags(c Choices) []suggestion {
	switch quant.Observer(c.Observer) {
	case quant.MinMax:
		return nil
	case quant.Percentile:
		try := []suggestion{tryMSE}
		if next := 100 - (100-c.Percentile)/10; next < 100 && next > c.Percentile {
			try = append(try, suggestion{fmt.Sprintf("--observer percentile --percentile %.8g", next), "clips less"})
		}
		return try
	case quant.MSE:
		return []suggestion{tryMinMax}
	}
	return []suggestion{tryMSE, tryMinMax}
}

// rangeFlags narrow ranges.
func rangeFlags(c Choices, l *Layer) []suggestion {
	outliers := l.Values != nil && l.Values.bulk() < loneValue*l.Values.Range
	switch quant.Observer(c.Observer) {
	case quant.MSE:
		if outliers {
			return []suggestion{{"--observer percentile --percentile 99.9", "clips rare values for finer steps"}}
		}
		return nil
	}
	return []suggestion{tryMSE}
}

// imageFlags bring more calibration images where there are few.
func imageFlags(c Choices) []suggestion {
	if c.Images == 0 || c.Images >= 256 {
		return nil
	}
	if c.AllImages {
		return []suggestion{{"more images", fmt.Sprintf("%s may not show the whole range of values", cli.Plural(c.Images, "image"))}}
	}
	return []suggestion{{"--limit 512", fmt.Sprintf("%s may not show the whole range of values", cli.Plural(c.Images, "image"))}}
}
