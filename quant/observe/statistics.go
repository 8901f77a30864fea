package observe

import (
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// Statistics is what calibration remembers of a float network's activation maps. Its size depends on the
// number of layers only, not on that of images. It is safe for concurrent reading.
type Statistics struct {
	// Images is how many images were observed.
	Images int
	// Maps holds the histogram of every convolution's and gate's output by the step's name, after the add and the
	// ReLU where there are, and of what lies between the two layers of a gate by the name of the first.
	Maps map[string]*Histogram
	// Moments holds the means and variances of the channels of the same maps, of what poolings make of them, and of the
	// logits under float.LogitsName. A map without moments is taken to have mean 0 and equal variances.
	Moments map[string]*Moments
}

// NewStatistics returns empty statistics of a network, with a histogram for each convolution.
func NewStatistics(cfg resnext.Config) *Statistics {
	s := &Statistics{Maps: make(map[string]*Histogram), Moments: make(map[string]*Moments)}
	for _, step := range topology.Lower(cfg).Steps {
		if step.Op == topology.Conv || step.Op == topology.Gated {
			s.Maps[step.Name] = NewHistogram()
		}
		if step.GateKind == topology.SqueezeExcite {
			s.Maps[step.Gate[0].Name] = NewHistogram()
		}
	}
	return s
}

// Merge adds what o observed of the same network, on images after those of s. Merging in any order gives the
// same histograms, and the same moments except for rounding and for Peak, which depends on the order.
func (s *Statistics) Merge(o *Statistics) {
	s.Images += o.Images
	for name, h := range o.Maps {
		if s.Maps[name] == nil {
			s.Maps[name] = NewHistogram()
		}
		s.Maps[name].Merge(h)
	}
	s.MergeMoments(o.Moments)
}

// MergeMoments is Merge of moments alone.
func (s *Statistics) MergeMoments(o map[string]*Moments) {
	if s.Moments == nil {
		s.Moments = make(map[string]*Moments)
	}
	for name, m := range o {
		if s.Moments[name] == nil {
			s.Moments[name] = &Moments{}
		}
		s.Moments[name].merge(m)
	}
}
