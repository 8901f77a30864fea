package quant

import (
	"fmt"
	"slices"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/quant/pass"
	"github.com/libresnext/libresnext/quant/round"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// maxSteps bounds what a layer can ask of its output, in steps of the output, before it is clipped: the
// conversion to int32 must not overflow, and the loader, which proves that again from the rounded
// multipliers, needs some room.
const maxSteps = 1 << 29

// conv adds a convolution and returns the scale of its output. added is the largest real magnitude that is
// added to its sums; wanted and onSteps are the float layer as Pass.Observe takes it.
func (b *builder) conv(lc pass.LayerContext, l *round.Layer, wanted, onSteps *float.Conv,
	added float64) (float64, error) {
	shape := lc.Conv
	used := []Technique(nil)
	var o *pass.Observation
	if b.pass != nil {
		var err error
		if o, err = b.pass.Observe(lc, wanted, onSteps); err != nil {
			return 0, err
		}
		used = b.prepareRounding(l, shape.Weights()/shape.Out, func() {
			l.Fit(o.Covariances(b.options.Threads), o.Offset(), b.options.fit())
		})
	}
	step, err := b.observedStep(shape.Name, shape.ReLU, o)
	if err != nil {
		return 0, err
	}
	histogram := b.stats.Maps[shape.Name]
	q := l.Round(shape, step, 1-float64(histogram.Zeros())/float64(histogram.Count()), b.options.Depth, b.options.Threads)
	scale := max(step, (q.Bound+added)/maxSteps)
	if o != nil {
		if scale, err = b.advance(lc, q.QuantisedLayer, wanted, o.Offset(), scale); err != nil {
			return 0, err
		}
	}
	if scale, err = storedScale(shape.Name, scale); err != nil {
		return 0, err
	}
	params, err := q.Params(l.Name, scale)
	if err != nil {
		return 0, err
	}
	b.out.Convs[shape.Name], b.out.Scale[shape.Name] = params, float32(scale)
	n := float64(observe.Levels(!shape.ReLU))
	b.note(LayerDiagnostics{
		Name: shape.Name, MACs: shape.MACs(), Scale: scale, Range: scale * n, ObserverRange: step * n, Histogram: histogram,
		Techniques: used,
	}, q)
	return scale, b.finished()
}

// prepareRounding gathers the layer's statistics by fit, unless its filters have more inputs than a Hessian may, and enables GPTQ
// if Rounding is in use. It returns the techniques that work on the layer.
func (b *builder) prepareRounding(l *round.Layer, inputs int, fit func()) []Technique {
	used := b.options.techniques()
	if !b.options.needsHessian() || inputs > budgets[b.options.Effort].pass.Hessian {
		return slices.DeleteFunc(used, Technique.needsHessian)
	}
	fit()
	if b.options.uses(Rounding) {
		budget := budgets[b.options.Effort].rounding
		l.Budget = &budget
	}
	return used
}

// advance moves the images past the layer and returns the size of its output's steps.
func (b *builder) advance(lc pass.LayerContext, q *round.QuantisedLayer, wanted *float.Conv, offset []float32,
	scale float64) (float64, error) {
	if !observe.Finite(scale) {
		return scale, nil // reported by the caller
	}
	quantised := func() *float.Conv { return q.Float(offset, lc.InputScale) }
	return scale, b.pass.Advance(lc, wanted, quantised, float64(float32(scale)))
}

// note adds a layer to the diagnostics.
func (b *builder) note(d LayerDiagnostics, q round.Rounded) {
	d.Depth, d.SaturatedLanes = q.Depth, q.SaturatedLanes()
	original, now, output := b.original.Convs[d.Name], b.net.Convs[d.Name], d.Name
	if original == nil {
		original, now, output = &b.original.Classifier, &b.net.Classifier, float.LogitsName
	}
	d.Before, d.After = unevenness(original, b.known.Moments[output]), unevenness(now, b.stats.Moments[output])
	d.SQNR = observe.Power{Signal: b.stats.Moments[output].Power(), Noise: q.Noise}.SQNR()
	b.diagnostics.Layers, b.growth = append(b.diagnostics.Layers, d), append(b.growth, q.Growth)
}

// classifier adds the last layer, whose input is summed over pixels. Its outputs are the logits themselves, of
// scale 1.
func (b *builder) classifier(s topology.Step, pixels int) error {
	pool, _ := resnext.PoolMultiplier(pixels)
	c := clampDead(&b.net.Classifier, b.read(s), b.stats.Images)
	scale := b.scales[s.In]
	input := scale / float64(pixels) / float64(pool)
	l := round.Layer{
		Name: s.Name, Weight: c.Weight, Bias: widen(c.Bias), InputScale: input, MaxInput: int64(resnext.PooledMax(pixels)),
	}
	l.Expect(b.read(s))
	var used []Technique
	if b.pass != nil {
		used = b.prepareRounding(&l, len(c.Weight)/len(c.Bias), func() {
			l.Fit([]*round.Covariance{b.pass.ObserveHead(s, c, scale, input)}, nil, b.options.fit())
		})
	}
	q := l.RoundFree(b.options.Threads)
	if q.Bound >= maxSteps {
		return fmt.Errorf("%s: logits could reach %.3g, expected less than %.3g: scale its weights down",
			l.Name, q.Bound, float64(maxSteps))
	}
	var err error
	if b.out.Classifier, err = q.Params(l.Name, 1); err != nil {
		return err
	}
	b.note(LayerDiagnostics{Name: l.Name, MACs: int64(len(c.Weight)), Techniques: used}, q)
	return b.finished()
}

// observedStep is the real value of one step of a layer's output as the observer sees it: the chosen range over
// the number of steps, or 1 if the map was all zeros. It goes by the statistics, or where the network is no longer the one
// that they are of, by o, which it adds to them.
func (b *builder) observedStep(name string, relu bool, o *pass.Observation) (float64, error) {
	peak := 0.0 // what the Average observer goes by
	if b.stats != b.known {
		b.stats.Maps[name], peak = o.Histogram, o.Peak.Value
	} else if m := b.stats.Moments[name]; m != nil {
		peak = m.Peak.Value
	}
	h := b.stats.Maps[name]
	if h == nil || h.Count() == 0 {
		return 0, fmt.Errorf("%s: the statistics have no values: they are of another network", name)
	}
	if h.Dead() {
		return 1, nil
	}
	n := observe.Levels(!relu)
	return b.options.Observer.Choose(h, n, b.options.Percentile, peak) / float64(n), nil
}

// storedScale is an output's scale as the model file has it.
func storedScale(name string, scale float64) (float64, error) {
	scale = float64(float32(scale))
	if !observe.Finite(scale) || scale < observe.SmallestNormal {
		return 0, fmt.Errorf("%s: the output's scale is %v: the float network's values are too extreme for float32", name, scale)
	}
	return scale, nil
}
