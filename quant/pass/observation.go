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

// Observe runs a float layer on the maps of both networks: wanted on the float network's, and at the sampled pixels
// onSteps on the int8 network's. They differ in a stem's bias, and in weights on inputs that are always zero.
func (p *Pass) Observe(lc LayerContext, wanted, onSteps *float.Conv) (*Observation, error) {
	s := lc.Conv
	p.observed++
	o := &Observation{}
	o.shape, o.pixels = s, samplePixels(len(p.images), p.budget.Samples, s, p.observed)
	for _, state := range p.images {
		o.maps = append(o.maps, state.maps[lc.In].int8)
	}
	o.errors = make([]float32, o.rows()*s.Out)
	a, b := lc.layer(wanted), lc.layer(onSteps)
	return o, p.watch(o, s.Name, func(w *worker) func(i int) []float32 {
		a, b := runner{lc, w, a.Clone()}, b.Clone()
		got := make([]float32, o.pixels.perImage*s.Out)
		return func(i int) []float32 {
			state := p.images[i]
			x := w.read(o.pixels.perImage * s.Kernel * s.Kernel * s.In)
			o.windows(x, i, float32(lc.InputScale))
			if lc.adds() {
				o.pixels.gatherSteps(got, i, state.maps[lc.Add].int8, s.Out, float32(lc.AddScale))
			}
			b.RunWindows(x, o.pixels.perImage, got, lc.adds())
			want := a.float(state)
			o.compare(i, want, got)
			return want
		}
	})
}

// watch runs a step of the float network for every image, and notes its outputs: newStep makes a worker's step, which
// gives the output of image i. name is the step's.
func (p *Pass) watch(o *Observation, name string, newStep func(w *worker) func(i int) []float32) error {
	o.Histogram = observe.NewHistogram()
	var histograms []*observe.Histogram
	peaks := make([]float64, len(p.images))
	err := p.each(0, func(w *worker) func(i int) error {
		step, h := newStep(w), observe.NewHistogram()
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
	for _, i := range p.inOrder() { // for the average depends on it
		o.Peak.Add(peaks[i])
	}
	return err
}

// compare stores the difference of image i's outputs at the sampled pixels, of which got has no others.
func (o *Observation) compare(i int, want, got []float32) {
	rows := o.errors[i*len(got):][:len(got)]
	o.pixels.gather(rows, i, want, o.shape.Out)
	for j, v := range got {
		rows[j] -= v
	}
}
