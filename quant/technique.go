package quant

import (
	"fmt"
	"slices"
	"strings"
)

// Technique names a part of calibration that can be left out, for experiments.
type Technique string

const (
	// Absorption takes away from a bottleneck's channels what they never fall below, and from a projection
	// shortcut's the centre of their range, and puts it into the bias of the next layer (Nagel et al. 2019,
	// section 4.1.3, here from measured activations): their steps are spent on what varies.
	Absorption Technique = "absorption"
	// Equalisation scales the channels inside the float network so that each fills its map's range,
	// which changes nothing else (Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and
	// Bias Correction", section 4.1, here from measured activations).
	Equalisation Technique = "equalisation"
	// Correction aims each layer's weights at the float network's output from what the int8 network feeds
	// it: a linear filter against the errors of the layers before.
	Correction Technique = "correction"
	// Rounding rounds the weights of a filter together, by the Hessian of its inputs (Frantar et al. 2022, "GPTQ"),
	// and then moves them one by one and in pairs for as long as that helps (coordinate descent).
	Rounding Technique = "rounding"
	// BiasCorrection puts the mean error that is left on the calibration images into the bias.
	BiasCorrection Technique = "bias"
)

// needsHessian reports whether the technique depends on how a layer's inputs and errors vary together.
func (t Technique) needsHessian() bool {
	return t == Correction || t == Rounding || t == BiasCorrection
}

// Techniques lists every technique in the order in which they work.
func Techniques() []Technique {
	return []Technique{Absorption, Equalisation, Correction, Rounding, BiasCorrection}
}

// ParseTechniques reads names between commas, in any case; "" is none.
func ParseTechniques(names string) ([]Technique, error) {
	var list []Technique
	for name := range strings.SplitSeq(names, ",") {
		t := Technique(strings.ToLower(strings.TrimSpace(name)))
		if t == "" {
			continue
		}
		if !slices.Contains(Techniques(), t) {
			return nil, fmt.Errorf("unknown technique %q: expected some of %v", t, Techniques())
		}
		list = append(list, t)
	}
	return list, nil
}
