package quant

import (
	"fmt"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/quant/pass"
	"github.com/libresnext/libresnext/quant/round"
	"github.com/libresnext/libresnext/resnext"
)

// stemLayer returns the stem for raw bytes x of scale 1/255. Of the normalised w * (x - mean) / std, w/std
// stays with the weight and the constant -w*mean/std goes into the bias, for the taps on the border too:
// there the byte nearest to the mean represents the float network's zero. The constant is that of the
// rounded weights: an input at its mean adds nothing, as in the float network.
func stemLayer(stem *float.Conv, p resnext.Preprocess) (*round.Layer, error) {
	l := &round.Layer{
		Name: resnext.StemName, Weight: make([]float32, len(stem.Weight)), Bias: make([]float64, len(stem.Bias)),
		InputScale: pass.ImageScale, MaxInput: round.MaxConvInput, Mean: widen(p.Mean[:]),
	}
	filter := len(l.Weight) / len(l.Bias)
	for oc, b := range stem.Bias {
		sum := float64(b)
		for i := range filter {
			at := oc*filter + i
			w := float32(float64(stem.Weight[at]) / float64(p.Std[i%3]))
			if !observe.Finite(float64(w)) {
				return nil, fmt.Errorf("%s: a weight of output channel %d divided by the standard deviation is %w",
					l.Name, oc, ErrNotFinite)
			}
			l.Weight[at] = w
			sum -= float64(w) * l.Mean[i%3]
		}
		l.Bias[oc] = sum
	}
	return l, nil
}

// stemConvs are the stem as a pass runs it. Its images count from what borders them: from the mean in the float
// network, and from the nearest byte in the int8 network.
func stemConvs(stem *float.Conv, l *round.Layer, p resnext.Preprocess) (wanted, onSteps *float.Conv) {
	wanted = &float.Conv{Weight: l.Weight, Bias: stem.Bias}
	onSteps = &float.Conv{Weight: l.Weight, Bias: make([]float32, len(l.Bias))}
	pad, filter := p.PadBytes(), len(l.Weight)/len(l.Bias)
	for oc, b := range l.Bias {
		for i, w := range l.Weight[oc*filter:][:filter] {
			b += float64(w) * float64(pad[i%3]) * pass.ImageScale
		}
		onSteps.Bias[oc] = float32(b)
	}
	return wanted, onSteps
}
