package quant

import (
	"context"
	"fmt"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/quant/pass"
	"github.com/libresnext/libresnext/quant/round"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// Images are images that calibration reads more than once. Load returns image i of N as Collect's does, the
// same each time, and may be called by several goroutines at once.
type Images struct {
	N    int
	Load func(i int) (rgb []byte, err error)
}

// Quantise computes the int8 network of net from the statistics that Collect gathered on it and from images: those that
// Collect saw. The effort Fast does without images where there are none. p is the preprocessing of the images, as given to Collect; its
// mean and standard deviation become part of the stem. The result has no labels. net and stats are not changed.
//
// When ctx ends, Quantise returns its error at the next layer.
func Quantise(ctx context.Context, net *float.Net, source Images, stats *Statistics, p resnext.Preprocess,
	o Options) (*resnext.Quantised, *Diagnostics, error) {
	b, err := newBuilder(ctx, net, source, stats, p, o)
	if err == nil {
		err = b.build()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("quantisation: %w", err)
	}
	b.out.Calibration = b.options.describe(stats.Images)
	return b.out, b.diagnostics, nil
}

// builder fills a Quantised layer after layer, because each needs the scale of its input.
type builder struct {
	ctx         context.Context
	original    *float.Net
	net         *float.Net  // absorbed and equalised
	known       *Statistics // of the original
	stats       *Statistics // of net
	options     Options
	pass        *pass.Pass // nil where no images are carried along
	out         *resnext.Quantised
	diagnostics *Diagnostics
	growth      []float64 // of each layer's noise, see round.Rounded
	program     *topology.Program
	scales      []float64 // the real value of a step of each map so far
}

func newBuilder(ctx context.Context, net *float.Net, source Images, stats *Statistics, p resnext.Preprocess,
	o Options) (*builder, error) {
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
	b.scales[topology.Image] = pass.ImageScale
	absorbed := 0
	carry := o.needsImages()
	if carry && source.N < 1 {
		if carry = false; o.Effort != Fast {
			return nil, fmt.Errorf("no images to carry through the network: effort %q needs none", Fast)
		}
	}
	if carry && o.Effort != Fast {
		b.stats = &Statistics{Images: stats.Images, Maps: make(map[string]*Histogram), Moments: stats.Moments}
		if o.uses(Absorption) {
			b.net, b.stats, absorbed = absorb(b.net, b.stats)
		}
		if o.uses(Equalisation) {
			if e := equalise(b.net, b.stats); checkNet(e.net) == nil { // else its factors leave float32's range
				b.net, b.stats = e.net, e.statistics()
			}
		}
	}
	if carry {
		net.Unpack() // the memory is wanted, and the network does not run here
		b.pass = pass.New(ctx, b.program, p, source.N, checked(source.Load, net.Config), o.passBudget(net.Config), o.Threads)
	}
	b.diagnostics = &Diagnostics{
		Float: b.net, Statistics: b.stats, Effort: o.Effort, Techniques: o.techniques(), Absorbed: absorbed,
	}
	return b, nil
}

func newQuantised(cfg resnext.Config, p resnext.Preprocess) *resnext.Quantised {
	return &resnext.Quantised{
		Config:     cfg.Clone(),
		Preprocess: p,
		Convs:      make(map[string]resnext.ConvParams),
		Residual:   make(map[string]float32),
		Scale:      make(map[string]float32),
		Gates:      make(map[string]float32),
	}
}

func (b *builder) build() error {
	for i, s := range b.program.Steps {
		if b.pass != nil {
			if err := b.pass.Join(i); err != nil {
				return err
			}
		}
		if err := b.step(s); err != nil {
			return err
		}
		if b.pass != nil {
			b.pass.Forget(i)
		}
	}
	if b.pass != nil {
		b.diagnostics.Images = b.pass.Images()
	}
	b.diagnostics.summarise(b.growth)
	return nil
}

// step adds one step, whose inputs' scales are known.
func (b *builder) step(s topology.Step) error {
	switch s.Op {
	case topology.MaxPool, topology.AveragePool, topology.Blur:
		b.scales[s.Out] = b.scales[s.In]
		if b.pass != nil {
			return b.pass.Pool(s)
		}
		return nil
	case topology.Gated:
		scale, err := b.gate(s)
		if err != nil {
			return err
		}
		return b.made(s, scale)
	case topology.Classify:
		in := b.program.Maps[s.In]
		return b.classifier(s, in.H*in.W)
	case topology.Embed:
		return b.finished()
	}
	lc := pass.LayerContext{Step: s, InputScale: b.scales[s.In]}
	added := 0.0
	if s.Add != topology.None {
		lc.AddScale = b.scales[s.Add]
		added = lc.AddScale * observe.UnsignedLevels
	}
	scale, err := b.addConv(lc, added)
	if err != nil {
		return err
	}
	return b.made(s, scale)
}

// made notes the scale of a step's output, and with it the multiplier of what the step adds.
func (b *builder) made(s topology.Step, scale float64) (err error) {
	b.scales[s.Out] = scale
	if s.Add != topology.None {
		if b.out.Residual[s.Block], err = round.Multiplier(b.scales[s.Add] / scale); err != nil {
			return fmt.Errorf("%s: the shortcut's multiplier: %w", s.Block, err)
		}
	}
	return nil
}

// addConv adds a convolution and returns the scale of its output.
func (b *builder) addConv(lc pass.LayerContext, added float64) (float64, error) {
	c := b.net.Convs[lc.Name]
	if lc.Conv.Image {
		l, err := stemLayer(c, b.out.Preprocess)
		if err != nil {
			return 0, err
		}
		wanted, onSteps := stemConvs(c, l, b.out.Preprocess)
		return b.conv(lc, l, wanted, onSteps, added)
	}
	moments := b.read(lc.Step)
	clamped := clampDead(c, moments, b.stats.Images)
	l := round.Layer{
		Name: lc.Name, Weight: clamped.Weight, Bias: widen(c.Bias), InputScale: lc.InputScale, MaxInput: round.MaxConvInput,
		Groups: lc.Conv.Groups,
	}
	l.Expect(moments)
	return b.conv(lc, &l, c, clamped, added)
}

// read is what is known of the map that a step reads.
func (b *builder) read(s topology.Step) *Moments {
	return b.stats.Moments[b.program.Maps[s.In].Name]
}

// finished reports the progress after a layer.
func (b *builder) finished() error {
	if b.options.Progress != nil {
		b.options.Progress(len(b.diagnostics.Layers), len(b.out.Config.Convs())+1)
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
