package main

import (
	page "github.com/libresnext/libresnext/cmd/calib/report"
	"github.com/libresnext/libresnext/quant"
	"github.com/libresnext/libresnext/resnext"
)

const (
	// drawnBins is how many bars a histogram has.
	drawnBins = 72
	// defaultLane is the acc16 depth whose lanes are shown where none was asked for.
	defaultLane = 2
)

// layerDetails describes every convolution.
func (w *work) layerDetails(model *resnext.Model) []page.Layer {
	ratios := make(map[string]quant.Decibel)
	for _, l := range w.comparison.Layers {
		ratios[l.Name] = l.SQNR
	}
	var layers []page.Layer
	for _, info := range model.Layers() {
		s := info.Shape
		l := page.Layer{
			Name: s.Name, In: s.In, Out: s.Out, Kernel: s.Kernel, Stride: s.Stride, Groups: s.Groups,
			OutW: s.OutW, OutH: s.OutH, MACs: s.MACs(), Depths: depthShares(info.MACsByDepth),
		}
		if v, ok := ratios[s.Name]; ok {
			l.SQNR = &v
		}
		w.addWeights(&l, s)
		w.addValues(&l, s, info.Scale)
		layers = append(layers, l)
	}
	return layers
}

// addWeights describes a layer's weights.
func (w *work) addWeights(l *page.Layer, s resnext.ConvShape) {
	conv, q := w.found.Float.Convs[s.Name], w.quantised.Convs[s.Name].Weight
	ratio, spread := quant.WeightSQNR(conv, q, w.plan.preprocess), quant.WeightSpread(conv)
	l.Weights, l.Spread = &ratio, &spread
	products := defaultLane
	if found := w.found.Layer(s.Name); found != nil {
		ratio = found.SQNR // weights that were rounded together are nowhere near the float ones, their output is
		if w.equalised() {
			before := found.Before.Weights
			l.SpreadBefore = &before
		}
		if found.Depth > 0 {
			products = found.Depth
		}
	}
	mean, largest := quant.LaneUtilisation(s, q, products)
	l.Lanes = &page.Lanes{Products: products, Mean: mean, Largest: largest}
}

// addValues describes a layer's output and its range.
func (w *work) addValues(l *page.Layer, s resnext.ConvShape, scale float32) {
	h := w.stats.Maps[s.Name]
	if h == nil || h.Count() == 0 {
		return
	}
	limit := quant.Range(scale, !s.ReLU)
	loss := h.Loss(limit, !s.ReLU)
	l.Rounding, l.Clipping = &loss.Rounding, &loss.Clipping
	l.Values = &page.Values{
		Signed: !s.ReLU, Range: limit, Max: float64(h.Max()), Count: h.Count(), Zeros: h.Zeros(), Clipped: loss.Clipped,
	}
	l.Values.Bins, l.Values.Width = h.Bins(drawnBins)
}
