package pass

import (
	"fmt"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
)

// Observation is what the images show of a layer before it is quantised.
type Observation struct {
	patches
	// Histogram counts the float network's outputs at all pixels.
	Histogram *observe.Histogram
	// Peak averages the largest magnitude of each image's.
	Peak observe.MovingAverage
}

// Observe runs a float layer on the maps of both networks: wanted on the float network's, onSteps on the int8
// network's. They differ in a stem's bias, and in weights on inputs that are always zero.
func (p *Pass) Observe(lc LayerContext, wanted, onSteps *float.Conv) (*Observation, error) {
	s := lc.Conv
	p.observed++
	o := &Observation{}
	o.shape, o.pixels = s, samplePixels(len(p.images), p.budget.Samples, s, p.observed)
	for _, state := range p.images {
		o.maps = append(o.maps, state.maps[lc.In].int8)
	}
	o.errors = make([]float32, o.rows()*s.Out)
	a, b := lc.runner(wanted), lc.runner(onSteps)
	return o, p.watch(o, s.Name, func() func(i int) []float32 {
		a, b := a.clone(), b.clone()
		return func(i int) []float32 {
			state := p.images[i]
			want := a.floatSums(state)
			got := b.int8Sums(state)
			if s.ReLU {
				rectify(want)
				rectify(got)
			}
			o.compare(i, want, got)
			return want
		}
	})
}

// watch runs a step of the float network for every image, and notes its outputs: newStep makes a worker's step, which
// gives the output of image i. name is the step's.
func (p *Pass) watch(o *Observation, name string, newStep func() func(i int) []float32) error {
	o.Histogram = observe.NewHistogram()
	var histograms []*observe.Histogram
	peaks := make([]float64, len(p.images))
	err := p.each(func() func(i int) error {
		step, h := newStep(), observe.NewHistogram()
		histograms = append(histograms, h)
		return func(i int) error {
			y := step(i)
			if !h.Add(y) {
				return fmt.Errorf("image %d: %w", i, observe.NotFinite(name))
			}
			peaks[i] = observe.Peak(y)
			p.images[i].next = newU16Map(y)
			return nil
		}
	})
	for _, h := range histograms {
		o.Histogram.Merge(h)
	}
	for _, v := range peaks {
		o.Peak.Add(v)
	}
	return err
}

func rectify(z []float32) {
	for i, v := range z {
		z[i] = max(v, 0)
	}
}

// compare stores the difference of image i's outputs at the sampled pixels.
func (o *Observation) compare(i int, want, got []float32) {
	channels := o.shape.Out
	o.pixels.gather(o.errors, i, want, channels)
	for j, at := range o.pixels.at[i] {
		row := o.errors[(i*o.pixels.perImage+j)*channels:][:channels]
		for c, v := range got[at*channels:][:channels] {
			row[c] -= v
		}
	}
}
