package quant

import "github.com/libresnext/libresnext/resnext"

// Statistics is what calibration remembers of a float network's activation maps. Its size depends on the
// number of layers only, not on that of images. It is safe for concurrent reading.
type Statistics struct {
	// Images is how many images were observed.
	Images int
	// Maps holds the histogram of every convolution's output by the layer's name: after the ReLU where
	// there is one, an Expand's after the add and the ReLU, a projection shortcut's before the add.
	Maps map[string]*Histogram
}

func newStatistics(cfg resnext.Config) *Statistics {
	s := &Statistics{Maps: make(map[string]*Histogram)}
	for _, conv := range cfg.Convs() {
		s.Maps[conv.Name] = NewHistogram()
	}
	return s
}

// Merge adds what o observed of the same network. Merging in any order gives the same statistics.
func (s *Statistics) Merge(o *Statistics) {
	s.Images += o.Images
	for name, h := range o.Maps {
		if s.Maps[name] == nil {
			s.Maps[name] = NewHistogram()
		}
		s.Maps[name].Merge(h)
	}
}
