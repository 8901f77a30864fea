package quant

import (
	"context"
	"fmt"
	"slices"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// Quantise computes the int8 form of net from the statistics that Collect gathered on it and, unless the effort
// is Fast, from images: those that Collect saw. p is the preprocessing of the images, as given to Collect; its
// mean and standard deviation become part of the stem. The result has no labels. net and stats are not changed.
//
// When ctx ends, Quantise returns its error at the next layer.
func Quantise(ctx context.Context, net *float.Net, source Images, stats *Statistics, p resnext.Preprocess, o Options) (*resnext.Quantised, *Details, error) {
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
	original *float.Net
	net      *float.Net  // absorbed and equalised
	known    *Statistics // of the original
	stats    *Statistics // of net
	options  Options
	walk     *walk // nil where no images are carried along
	out      *resnext.Quantised
	details  *Details
	growth   []float64 // of each layer's noise, see chained
	program  *topology.Program
	scales   []float64 // the real value of a step of each map so far
}

func newBuilder(ctx context.Context, net *float.Net, source Images, stats *Statistics, p resnext.Preprocess, o Options) (*builder, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	if err := checkInputs(net, stats.Images, p); err != nil {
		return nil, err
	}
	b := &builder{
		ctx: ctx, original: net, net: net, known: stats, stats: stats, options: o, out: newQuantised(net.Config, p),
		program: topology.Lower(net.Config),
	}
	b.scales = make([]float64, len(b.program.Maps))
	b.scales[topology.Image] = imageScale
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
		if b.walk, err = newWalk(ctx, b.program, p, source, toils[o.Effort], o.Threads); err != nil {
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
	for i, s := range b.program.Steps {
		if err := b.step(s); err != nil {
			return err
		}
		if b.walk != nil {
			b.walk.forget(i)
		}
	}
	b.details.summarise(b.growth)
	return nil
}

// step adds one step, whose inputs' scales are known.
func (b *builder) step(s topology.Step) error {
	switch s.Op {
	case topology.MaxPool:
		b.scales[s.Out] = b.scales[s.In]
		if b.walk != nil {
			return b.walk.pool(s)
		}
		return nil
	case topology.Classify:
		in := b.program.Maps[s.In]
		return b.classifier(s, in.H*in.W)
	}
	p := place{Step: s, input: b.scales[s.In]}
	added := 0.0
	if s.Add != topology.None {
		p.addScale = b.scales[s.Add]
		added = p.addScale * unsignedLevels
	}
	scale, err := b.addConv(p, added)
	if err != nil {
		return err
	}
	b.scales[s.Out] = scale
	if s.Add != topology.None {
		if b.out.Residual[s.Block], err = multiplier(p.addScale / scale); err != nil {
			return fmt.Errorf("%s: the shortcut's multiplier: %w", s.Block, err)
		}
	}
	return nil
}

// addConv adds a convolution and gives the scale of its output.
func (b *builder) addConv(p place, added float64) (float64, error) {
	c := b.net.Convs[p.Name]
	if p.Conv.Image {
		l, err := stemLayer(c, b.out.Preprocess)
		if err != nil {
			return 0, err
		}
		wanted, onSteps := stemConvs(c, l, b.out.Preprocess)
		return b.conv(p, l, wanted, onSteps, added)
	}
	moments := b.read(p.Step)
	quiet := hush(c, moments, b.stats.Images)
	l := layer{name: p.Name, weight: quiet.Weight, bias: widen(c.Bias), inputScale: p.input, maxInput: convInputs, groups: p.Conv.Groups}
	l.expect(moments)
	return b.conv(p, &l, c, quiet, added)
}

// read is what is known of the map that a step reads.
func (b *builder) read(s topology.Step) *Moments { return b.stats.Moments[b.program.Maps[s.In].Name] }

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
