package quant

import (
	"fmt"
	"slices"

	"github.com/libresnext/libresnext/internal/floatnet"
	"github.com/libresnext/libresnext/resnext"
)

const (
	// maxSteps bounds what a layer can ask of its output, in steps of the output, before it is clipped: the
	// conversion to int32 must not overflow, and the loader, which proves that again from the rounded
	// multipliers, needs some room.
	maxSteps = 1 << 29
	// smallestNormal is float32's least normal number. A multiplier below it would take part only if
	// subnormal numbers are not flushed to zero, and nothing it can make is nearer to 1 step than to 0.
	smallestNormal = 0x1p-126
)

// productsPerQuad is how many of a quad's products share a lane.
const productsPerQuad = 2

// Quantise computes the int8 form of net from the statistics that Collect gathered on it. p is the
// preprocessing of the images, as given to Collect; its mean and standard deviation become part of the
// stem. The result has no labels. net and stats are not changed.
func Quantise(net *floatnet.Net, stats *Statistics, p resnext.Preprocess, o Options) (*resnext.Quantised, error) {
	o, err := o.complete()
	if err != nil {
		return nil, fmt.Errorf("quantisation: %w", err)
	}
	if err := checkInputs(net, stats.Images, p); err != nil {
		return nil, fmt.Errorf("quantisation: %w", err)
	}
	b := builder{net: net, stats: stats, options: o, out: newQuantised(net.Config, p)}
	if err := b.build(); err != nil {
		return nil, fmt.Errorf("quantisation: %w", err)
	}
	b.out.Calibration = o.describe(stats.Images)
	return b.out, nil
}

func newQuantised(cfg resnext.Config, p resnext.Preprocess) *resnext.Quantised {
	cfg.Stages = slices.Clone(cfg.Stages)
	return &resnext.Quantised{
		Config:     cfg,
		Preprocess: p,
		Convs:      make(map[string]resnext.ConvParams),
		Residual:   make(map[string]float32),
		Scale:      make(map[string]float32),
	}
}

// builder fills a Quantised layer after layer, because each needs the scale of its input.
type builder struct {
	net     *floatnet.Net
	stats   *Statistics
	options Options
	out     *resnext.Quantised
	source  string // the map that the next block reads
}

func (b *builder) build() error {
	stem := b.net.Config.StemShape()
	l, err := stemLayer(b.net.Convs[stem.Name], b.out.Preprocess)
	if err != nil {
		return err
	}
	scale, err := b.conv(stem, l, 0)
	if err != nil {
		return err
	}
	b.source = resnext.StemName
	if b.net.Config.Stem.MaxPool {
		b.source = resnext.PoolName
	}
	blocks := b.net.Config.Blocks()
	for _, block := range blocks {
		if scale, err = b.block(block, scale); err != nil {
			return err
		}
	}
	last := blocks[len(blocks)-1].Expand
	return b.classifier(scale, last.OutH*last.OutW)
}

// block adds a bottleneck whose input has the given scale, and gives the scale of its output.
func (b *builder) block(block resnext.BlockShape, input float64) (float64, error) {
	shortcut := input
	if block.Shortcut != nil {
		var err error
		if shortcut, err = b.bodyConv(*block.Shortcut, b.source, input, 0); err != nil {
			return 0, err
		}
	}
	scale, err := b.bodyConv(block.Reduce, b.source, input, 0)
	if err != nil {
		return 0, err
	}
	if scale, err = b.bodyConv(block.Transform, block.Reduce.Name, scale, 0); err != nil {
		return 0, err
	}
	if scale, err = b.bodyConv(block.Expand, block.Transform.Name, scale, shortcut*unsignedLevels); err != nil {
		return 0, err
	}
	b.out.Residual[block.Name], err = multiplier(shortcut / scale)
	if err != nil {
		return 0, fmt.Errorf("%s: the shortcut's multiplier: %w", block.Name, err)
	}
	b.source = block.Expand.Name
	return scale, nil
}

// bodyConv is conv for all but the stem. source is the name of the map that it reads.
func (b *builder) bodyConv(shape resnext.ConvShape, source string, input, added float64) (float64, error) {
	c := b.net.Convs[shape.Name]
	l := layer{name: shape.Name, weight: c.Weight, bias: widen(c.Bias), inputScale: input, maxInput: convInputs, groups: shape.Groups}
	l.expect(b.stats.Moments[source])
	return b.conv(shape, &l, added)
}

// conv adds a convolution and gives the scale of its output. added is the largest real magnitude that is
// added to its sums.
func (b *builder) conv(shape resnext.ConvShape, l *layer, added float64) (float64, error) {
	if b.options.Chains > 0 {
		l.lanes = newLanes(shape.Lanes(b.options.Chains / productsPerQuad))
	}
	q := l.quantise(b.options.Threads)
	scale, err := b.outputScale(shape, q.bound+added)
	if err != nil {
		return 0, err
	}
	params, err := q.params(l.name, scale)
	if err != nil {
		return 0, err
	}
	b.out.Convs[shape.Name], b.out.Scale[shape.Name] = params, float32(scale)
	return scale, nil
}

// classifier adds the last layer, whose input has the given scale and is summed over so many pixels. Its
// outputs are the logits themselves: their scale is 1.
func (b *builder) classifier(scale float64, pixels int) error {
	pool, _ := resnext.PoolMultiplier(pixels)
	c := &b.net.Classifier
	input := scale / float64(pixels) / float64(pool)
	l := layer{name: resnext.ClassifierName, weight: c.Weight, bias: widen(c.Bias), inputScale: input, maxInput: int64(resnext.PooledMax(pixels))}
	l.expect(b.stats.Moments[b.source])
	q := l.quantise(b.options.Threads)
	if q.bound >= maxSteps {
		return fmt.Errorf("%s: logits could reach %.3g, expected less than %.3g: scale its weights down", l.name, q.bound, float64(maxSteps))
	}
	var err error
	b.out.Classifier, err = q.params(l.name, 1)
	return err
}

// outputScale is the real value of one step of a layer's output: the chosen range over the number of
// steps, or 1 if the map was all zeros; and larger where the layer's sums, of which reach is the largest
// possible, would else take more than maxSteps.
func (b *builder) outputScale(shape resnext.ConvShape, reach float64) (float64, error) {
	h := b.stats.Maps[shape.Name]
	if h == nil || h.Count() == 0 {
		return 0, fmt.Errorf("%s: the statistics have no values: they are of another network", shape.Name)
	}
	scale := 1.0
	if !h.dead() {
		n := levels(!shape.ReLU)
		scale = b.options.Observer.choose(h, n, b.options.Percentile) / float64(n)
	}
	scale = float64(float32(max(scale, reach/maxSteps)))
	if !finite(scale) || scale < smallestNormal {
		return 0, fmt.Errorf("%s: the output's scale is %v: the float network's values are too extreme for float32", shape.Name, scale)
	}
	return scale, nil
}

// params gives a layer's numbers for an output of the given scale.
func (q *quantisedLayer) params(name string, scale float64) (resnext.ConvParams, error) {
	p := resnext.ConvParams{Weight: q.weight, Bias: q.bias, Multiplier: make([]float32, len(q.bias))}
	for oc, step := range q.step {
		var err error
		if p.Multiplier[oc], err = multiplier(step / scale); err != nil {
			return p, fmt.Errorf("%s: the multiplier of output channel %d: %w", name, oc, err)
		}
	}
	return p, nil
}

// multiplier is m as the arithmetic takes it.
func multiplier(m float64) (float32, error) {
	if m < smallestNormal {
		m = 0
	}
	if f := float32(m); finite(float64(f)) {
		return f, nil
	}
	return 0, fmt.Errorf("%v is no float32 number: the float network's values are too extreme", m)
}

func widen(x []float32) []float64 {
	w := make([]float64, len(x))
	for i, v := range x {
		w[i] = float64(v)
	}
	return w
}
