package main

import (
	"math"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant/hub"
	"github.com/libresnext/libresnext/quant/match"
)

// fromSidecar says that settings come from the sidecars, the files that a model hub keeps beside the weights.
const fromSidecar = "from the JSON files beside the weights"

// sidecar returns the preprocessing that the sidecars ask for; nil if there are none.
func (n *floatNetwork) sidecar() *hub.Prepare {
	if n.from == nil {
		return nil
	}
	return n.from.Hub.Prepare
}

// prepareAsSidecar takes the preprocessing from the sidecars, except what the command line gives. At another
// input size than theirs it keeps the ratio of resize to crop.
func (p *plan) prepareAsSidecar() {
	from, s := p.net.sidecar(), p.settings
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

// inFile is the normalisation that the weights' file itself asks for; nil if it does not.
func (n *floatNetwork) inFile() *match.Normalisation {
	if n.from == nil {
		return nil
	}
	return n.from.Normalisation
}

// normaliseAsFile takes the normalisation from the weights' file. A graph that normalises is another network with
// another mean, so that nothing may be given beside it.
func (p *plan) normaliseAsFile() error {
	in, s := p.net.inFile(), p.settings
	if in == nil {
		return nil
	}
	if p.net.from.Graph && (s.mean != nil || s.std != nil) {
		return cli.Usage("--mean and --std: %s normalises its images itself, by the mean %s and std %s on the 0..1 scale: leave both out",
			cli.Printable(p.net.from.Path), cli.Triple(in.Mean), cli.Triple(in.Std))
	}
	if s.mean == nil {
		p.preprocess.Mean = in.Mean
	}
	if s.std == nil {
		p.preprocess.Std = in.Std
	}
	return nil
}

// normaliseGray makes the mean and the standard deviation of a network for gray images alike for red, green and blue: what is
// not given is the average of the usual ones.
func (p *plan) normaliseGray() error {
	if p.net.from == nil || !p.net.from.Gray {
		return nil
	}
	for _, f := range []struct {
		flag  string
		given bool
		value *[3]float32
	}{{"mean", p.settings.mean != nil, &p.preprocess.Mean}, {"std", p.settings.std != nil, &p.preprocess.Std}} {
		v := f.value
		if f.given && (v[0] != v[1] || v[1] != v[2]) {
			return cli.Usage("--%s is %s, and the network takes gray images: give one number", f.flag, cli.Triple(*v))
		}
		if v[0] != v[1] || v[1] != v[2] {
			one := (v[0] + v[1] + v[2]) / 3
			*v = [3]float32{one, one, one}
		}
	}
	return nil
}

// labelsFromSidecar takes the labels from the sidecars, or from the weights' file itself, if nothing else has given them.
func (p *plan) labelsFromSidecar() {
	if p.net.from == nil || p.labels != nil {
		return
	}
	for _, l := range []struct {
		labels []string
		source string
	}{{p.net.from.Hub.Labels, "the JSON files beside the weights"}, {p.net.from.Labels, "the weights' file"}} {
		if p.labels == nil && len(l.labels) == p.net.Config.Classes {
			p.labels, p.labelSource = l.labels, l.source
		}
	}
}
