package quant

import (
	"fmt"

	"github.com/libresnext/libresnext/quant/float"
)

// observation is what the images show of a layer before it is quantised.
type observation struct {
	patches
	// outputs are the float network's outputs at the sampled pixels, after the ReLU, [row][Out].
	outputs []float32
	// histogram counts the float network's outputs at all pixels.
	histogram *Histogram
	// peak averages the largest magnitude of each image's.
	peak MovingAverage
}

// observe runs a float layer on the maps of both networks: wanted on the float network's, onSteps, which is the
// same but for a stem's bias and for weights on inputs that are always zero, on the int8 network's.
func (w *walk) observe(p place, wanted, onSteps *float.Conv) (*observation, error) {
	s := p.Conv
	w.layers++
	o := &observation{histogram: NewHistogram()}
	o.shape, o.pixels = s, samplePixels(len(w.tracks), w.toil.samples, s, w.layers)
	for _, t := range w.tracks {
		o.maps = append(o.maps, t.maps[p.In].steps)
	}
	o.errors, o.outputs = make([]float32, o.rows()*s.Out), make([]float32, o.rows()*s.Out)
	a, b := p.runner(wanted), p.runner(onSteps)
	var histograms []*Histogram
	peaks := make([]float64, len(w.tracks))
	err := w.each(func() func(i int) error {
		a, b, h := a.clone(), b.clone(), NewHistogram()
		histograms = append(histograms, h)
		return func(i int) error {
			t := w.tracks[i]
			want := a.real(t)
			got := b.steps(t)
			if s.ReLU {
				rectify(want)
				rectify(got)
			}
			o.compare(i, want, got)
			if !h.Add(want) {
				return fmt.Errorf("image %d: %w", i, notFinite(s.Name))
			}
			peaks[i] = peak(want)
			o.pixels.gather(o.outputs, i, want, s.Out)
			t.next = newFine(want)
			return nil
		}
	})
	for _, h := range histograms {
		o.histogram.Merge(h)
	}
	for _, v := range peaks {
		o.peak.add(v)
	}
	return o, err
}

func rectify(z []float32) {
	for i, v := range z {
		z[i] = max(v, 0)
	}
}

// compare stores the difference of image i's outputs at the sampled pixels.
func (o *observation) compare(i int, want, got []float32) {
	channels := o.shape.Out
	o.pixels.gather(o.errors, i, want, channels)
	for j, at := range o.pixels.at[i] {
		row := o.errors[(i*o.pixels.perImage+j)*channels:][:channels]
		for c, v := range got[at*channels:][:channels] {
			row[c] -= v
		}
	}
}
