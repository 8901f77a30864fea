package quant

import (
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/quant/round"
)

// What package observe defines and this package's functions take or return.
type (
	// Statistics is what calibration remembers of a float network's activation maps.
	Statistics = observe.Statistics
	// Histogram counts the magnitudes of a map's values.
	Histogram = observe.Histogram
	// Moments are the sums of an activation map's values and of their squares, for each channel.
	Moments = observe.Moments
	// Decibel is a ratio of powers in dB.
	Decibel = observe.Decibel
	// Observer names a way to choose the range of an activation map.
	Observer = observe.Observer
)

// The observers, see package observe.
const (
	MSE        = observe.MSE
	MinMax     = observe.MinMax
	Average    = observe.Average
	Percentile = observe.Percentile
	Entropy    = observe.Entropy
)

// DefaultPercentile is the share of values, in percent, that the Percentile observer keeps by default.
const DefaultPercentile = observe.DefaultPercentile

const (
	// DepthAuto lets Quantise choose each layer's acc16 depth.
	DepthAuto = round.DepthAuto
	// AutoLoss is by how many dB DepthAuto lets the noise of a layer's output grow.
	AutoLoss = round.AutoLoss
)

// ErrNotFinite is wrapped by errors about a float network that has or computes infinities or NaNs.
var ErrNotFinite = observe.ErrNotFinite

// Observers lists every observer, the default first.
func Observers() []Observer { return observe.Observers() }

// ParseObserver returns the observer of that name, in any case.
func ParseObserver(name string) (Observer, error) { return observe.ParseObserver(name) }
