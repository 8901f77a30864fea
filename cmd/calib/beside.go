package main

import (
	"math"

	"github.com/libresnext/libresnext/quant/hub"
)

// besideWeights says where settings come from that a model hub keeps beside the weights.
const besideWeights = "from the JSON files beside the weights"

// beside is how pictures are prepared by what stands beside the weights; nil if nothing does.
func (n *floatNetwork) beside() *hub.Prepare {
	if n.from == nil {
		return nil
	}
	return n.from.Hub.Prepare
}

// prepareAsBeside prepares pictures as the files beside the weights say, but for what is given. At another
// input size than theirs the ratio of resizing and crop stays.
func (p *plan) prepareAsBeside() {
	from, s := p.net.beside(), p.settings
	if from == nil {
		return
	}
	if s.mean == nil {
		p.preprocess.Mean = from.Mean
	}
	if s.std == nil {
		p.preprocess.Std = from.Std
	}
	if !s.filterGiven {
		p.preprocess.Filter = from.Filter
	}
	if s.resize == nil {
		side := max(p.net.Config.Width, p.net.Config.Height)
		p.preprocess.Resize = int(math.Round(float64(from.Resize) * float64(side) / float64(from.Size)))
	}
}

// labelsBeside names the classes by the files beside the weights if nothing else has.
func (p *plan) labelsBeside() {
	if p.net.from == nil || p.labels != nil {
		return
	}
	if labels := p.net.from.Hub.Labels; len(labels) == p.net.Config.Classes {
		p.labels, p.labelSource = labels, "the JSON files beside the weights"
	}
}
