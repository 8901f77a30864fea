package quant

import (
	"math"
	"slices"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/round"
	"github.com/libresnext/libresnext/resnext"
)

// Diagnostics is what Quantise found on its way, for reports.
type Diagnostics struct {
	// Float is the float network whose maps the int8 network approximates: the one given, except that
	// Equalisation scaled channels and Absorption moved constants. Its logits are the same up to rounding, on
	// images such as those calibrated on.
	Float *float.Net `json:"-"`
	// Statistics are Float's: the histograms from which the ranges were chosen, and the moments.
	Statistics *Statistics `json:"-"`
	Effort     Effort      `json:"effort"`
	Techniques []Technique `json:"techniques"`
	// Images is how many images were carried through both networks at last: fewer than given where more would not fit
	// the memory or take too long.
	Images int `json:"images"`
	// Absorbed is how many channels Absorption found work in.
	Absorbed int `json:"absorbed"`
	// Layers are the convolutions in the order in which they run, and the classifier.
	Layers []LayerDiagnostics `json:"layers"`
	// DepthShares is the share of the convolutions' multiply-accumulates by the acc16 depth asked for,
	// in products; 0 is none.
	DepthShares map[int]float64 `json:"chain_shares"`
	// DepthLoss bounds what DepthAuto gave up for speed: by how much the layers' noise grew at most, on average.
	// 0 for other depths, where it is not known.
	DepthLoss Decibel `json:"chain_loss_db"`
}

// LayerDiagnostics is how one layer was quantised.
type LayerDiagnostics struct {
	Name string `json:"name"`
	MACs int64  `json:"macs"`
	// Scale is the real value of one step of the output, Range that of the largest step and ObserverRange the
	// one that the observer chose. The classifier has none.
	Scale         float64 `json:"scale"`
	Range         float64 `json:"range"`
	ObserverRange float64 `json:"observer_range"`
	// Histogram counts the float network's outputs; nil for the classifier.
	Histogram *Histogram `json:"-"`
	// Before and After are how uneven the layer's channels are before and after Equalisation.
	Before Unevenness `json:"before"`
	After  Unevenness `json:"after"`
	// Depth is how many products' sums were made safe in 16 bits, 0 for none. SaturatedLanes is the share of
	// lanes whose weights of one sign reach the limit.
	Depth          int     `json:"chains"`
	SaturatedLanes float64 `json:"full_lanes"`
	// SQNR is the power of the layer's output over what rounding its weights alone adds to it.
	SQNR Decibel `json:"sqnr_db"`
	// Techniques are those that worked on this layer.
	Techniques []Technique `json:"techniques"`
}

// Unevenness compares a layer's output channels: the largest over the median of all that are not zero.
type Unevenness struct {
	// Weights compares the largest weight of each channel, Outputs the channels' root mean squares.
	Weights float64 `json:"weights"`
	Outputs float64 `json:"outputs"`
}

// unevenness is that of a layer and of its output's moments, nil if they are not known.
func unevenness(c *float.Conv, m *Moments) Unevenness {
	u := Unevenness{Weights: WeightSpread(c), Outputs: 1}
	if m == nil {
		return u
	}
	squares := slices.DeleteFunc(slices.Clone(m.Squares), func(v float64) bool { return !(v > 0) })
	if len(squares) > 0 {
		slices.Sort(squares)
		u.Outputs = math.Sqrt(squares[len(squares)-1] / squares[len(squares)/2])
	}
	return u
}

// Layer returns the layer of that name; nil if there is none.
func (d *Diagnostics) Layer(name string) *LayerDiagnostics {
	for i := range d.Layers {
		if d.Layers[i].Name == name {
			return &d.Layers[i]
		}
	}
	return nil
}

// MainDepth is the acc16 depth that most of the work has.
func (d *Diagnostics) MainDepth() int {
	best := 0
	for _, n := range round.Depths {
		if d.DepthShares[n] > d.DepthShares[best] {
			best = n
		}
	}
	return best
}

// summarise fills in what follows from all layers. growth is that of each layer's noise.
func (d *Diagnostics) summarise(growth []float64) {
	d.DepthShares = make(map[int]float64)
	total, mean := 0.0, 0.0
	for _, l := range d.Layers {
		if l.Name != resnext.ClassifierName {
			d.DepthShares[l.Depth] += float64(l.MACs)
			total += float64(l.MACs)
		}
	}
	for n := range d.DepthShares {
		d.DepthShares[n] /= total
	}
	for _, g := range growth {
		mean += g / float64(len(growth))
	}
	d.DepthLoss = Decibel(10 * math.Log10(mean))
}
