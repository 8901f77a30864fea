package quant

import (
	"context"
	"fmt"
	"slices"

	"github.com/libresnext/libresnext/internal/floatnet"
	"github.com/libresnext/libresnext/resnext"
)

// Quantise computes the int8 form of net from the statistics that Collect gathered on it and, unless the effort
// is Fast, from images: those that Collect saw. p is the preprocessing of the images, as given to Collect; its
// mean and standard deviation become part of the stem. The result has no labels. net and stats are not changed.
//
// When ctx ends, Quantise returns its error at the next layer.
func Quantise(ctx context.Context, net *floatnet.Net, source Images, stats *Statistics, p resnext.Preprocess, o Options) (*resnext.Quantised, *Details, error) {
	b, err := newBuilder(ctx, net, source, stats, p, o)
	if err == nil {
		err = b.build()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("quantisation: %w", err)
	}
	b.out.Calibration = b.options.describe(stats.Images)
	return b.out, b.details, nil
}

// builder fills a Quantised layer after layer, because each needs the scale of its input.
type builder struct {
	ctx      context.Context
	original *floatnet.Net
	net      *floatnet.Net // absorbed and equalised
	known    *Statistics   // of the original
	stats    *Statistics   // of net
	options  Options
	walk     *walk // nil where no images are carried along
	out      *resnext.Quantised
	details  *Details
	growth   []float64 // of each layer's noise, see chained
	source   string    // the map that the next block reads
}

func newBuilder(ctx context.Context, net *floatnet.Net, source Images, stats *Statistics, p resnext.Preprocess, o Options) (*builder, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	if err := checkInputs(net, stats.Images, p); err != nil {
		return nil, err
	}
	b := &builder{ctx: ctx, original: net, net: net, known: stats, stats: stats, options: o, out: newQuantised(net.Config, p)}
	absorbed := 0
	if o.walks() {
		b.stats = &Statistics{Images: stats.Images, Maps: make(map[string]*Histogram), Moments: stats.Moments}
		if source.N < 1 || source.Load == nil {
			return nil, fmt.Errorf("no images to carry through the network: effort %q needs none", Fast)
		}
		if o.uses(Absorption) {
			b.net, b.stats, absorbed = absorb(b.net, b.stats)
		}
		if o.uses(Equalisation) {
			if e := equalise(b.net, b.stats); checkNet(e.net) == nil { // else its factors leave float32's range
				b.net, b.stats = e.net, e.statistics()
			}
		}
		if b.walk, err = newWalk(ctx, net.Config, p, source, toils[o.Effort], o.Threads); err != nil {
			return nil, err
		}
	}
	b.details = &Details{Float: b.net, Statistics: b.stats, Effort: o.Effort, Techniques: o.techniques(), Absorbed: absorbed}
	if b.walk != nil {
		b.details.Images = len(b.walk.tracks)
	}
	return b, nil
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

func (b *builder) build() error {
	scale, err := b.stem()
	if err != nil {
		return err
	}
	blocks := b.net.Config.Blocks()
	for _, block := range blocks {
		if scale, err = b.block(block, scale); err != nil {
			return err
		}
	}
	last := blocks[len(blocks)-1].Expand
	if err := b.classifier(scale, last.OutH*last.OutW); err != nil {
		return err
	}
	b.details.summarise(b.growth)
	return nil
}

// stem adds the stem and its pooling, and gives the scale of the map that enters the first block.
func (b *builder) stem() (float64, error) {
	shape := b.net.Config.StemShape()
	conv := b.net.Convs[shape.Name]
	l, err := stemLayer(conv, b.out.Preprocess)
	if err != nil {
		return 0, err
	}
	wanted, onSteps := stemConvs(conv, l, b.out.Preprocess)
	p := place{shape: shape, from: inputSlot, to: inputSlot, input: imageScale}
	scale, err := b.conv(p, l, wanted, onSteps, 0)
	b.source = resnext.StemName
	if err == nil && b.net.Config.Stem.MaxPool {
		b.source = resnext.PoolName
		if b.walk != nil {
			err = b.walk.pool()
		}
	}
	return scale, err
}

// block adds a bottleneck whose input has the given scale, and gives the scale of its output.
func (b *builder) block(block resnext.BlockShape, input float64) (float64, error) {
	shortcut, add := input, slot(inputSlot)
	if block.Shortcut != nil {
		p := place{shape: *block.Shortcut, from: inputSlot, to: shortcutSlot, input: input}
		var err error
		if shortcut, err = b.bodyConv(p, b.source, 0); err != nil {
			return 0, err
		}
		add = shortcutSlot
	}
	p := place{shape: block.Reduce, from: inputSlot, to: innerSlot, input: input}
	scale, err := b.bodyConv(p, b.source, 0)
	if err != nil {
		return 0, err
	}
	p = place{shape: block.Transform, from: innerSlot, to: innerSlot, input: scale}
	if scale, err = b.bodyConv(p, block.Reduce.Name, 0); err != nil {
		return 0, err
	}
	p = place{shape: block.Expand, from: innerSlot, to: inputSlot, input: scale, add: add, addScale: shortcut}
	if scale, err = b.bodyConv(p, block.Transform.Name, shortcut*unsignedLevels); err != nil {
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
func (b *builder) bodyConv(p place, source string, added float64) (float64, error) {
	c := b.net.Convs[p.shape.Name]
	quiet := hush(c, b.stats.Moments[source], b.stats.Images)
	l := layer{name: p.shape.Name, weight: quiet.Weight, bias: widen(c.Bias), inputScale: p.input, maxInput: convInputs, groups: p.shape.Groups}
	l.expect(b.stats.Moments[source])
	return b.conv(p, &l, c, quiet, added)
}

// finished tells of a layer that is done.
func (b *builder) finished() error {
	if b.options.Progress != nil {
		b.options.Progress(len(b.details.Layers), len(b.out.Config.Convs())+1)
	}
	return context.Cause(b.ctx)
}

func widen(x []float32) []float64 {
	w := make([]float64, len(x))
	for i, v := range x {
		w[i] = float64(v)
	}
	return w
}
