package quant

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/libresnext/libresnext/internal/parallel"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/resnext"
)

// Unlabelled is the label of an image whose class is not known.
const Unlabelled = -1

// Comparison is what an int8 network and its float network answer on the same images.
type Comparison struct {
	// Images is how many images both networks ran, Labelled how many of them have a label.
	Images   int `json:"images"`
	Labelled int `json:"labelled"`
	// Float and Int8 are the shares of labelled images that each network gets right.
	Float Accuracy `json:"float"`
	Int8  Accuracy `json:"int8"`
	// Agreement is the share of all images for which both networks answer the same class; of a multi-label network the
	// share of all labels, over all images, that both find more or both less probable than 0.5; and of a network without a
	// classifier the mean cosine similarity of its features.
	Agreement float64 `json:"agreement"`
	// SQNR is the logits', or the features', signal to quantisation noise ratio: the power of the float network's over that
	// of the difference, over all images.
	SQNR Decibel `json:"sqnr_db"`
	// Layers is the same for every convolution's output, in the order in which they run; nil unless asked
	// for.
	Layers []LayerSQNR `json:"layers,omitempty"`
	// FloatSeconds and Int8Seconds are the mean times of one image's forward pass on one thread while
	// CompareOptions.Threads images run at once. Where layers were compared they include that.
	FloatSeconds float64 `json:"float_seconds"`
	Int8Seconds  float64 `json:"int8_seconds"`
}

// Accuracy holds shares from 0 to 1. Both are 0 where no image has a label, and Top5 is 0 for networks of
// up to 5 classes.
type Accuracy struct {
	Top1 float64 `json:"top1"`
	Top5 float64 `json:"top5"`
}

// LayerSQNR is the signal to quantisation noise ratio of one layer's output, with all error that the layers
// before it made.
type LayerSQNR struct {
	Name string  `json:"name"`
	SQNR Decibel `json:"sqnr_db"`
}

// CompareOptions are the choices of Compare. The zero value uses all CPUs and compares logits only.
type CompareOptions struct {
	// Threads is the number of images run at once; 0 means one per CPU.
	Threads int
	// Layers asks for Comparison.Layers. It costs time, and for each thread the memory of all float maps
	// of one image.
	Layers bool
	// Answer, if not nil, is called with what both networks say about each image, in the order of the images
	// and never twice at the same time. It may keep the logits.
	Answer func(Answer)
	// Progress, if not nil, is called after each image, never twice at the same time.
	Progress func(done, total int)
}

// Compare runs n images through both networks. load returns image i as Collect's does and the index of its
// class, or Unlabelled; p normalises the images for the float network, as for Collect. Apart from the times,
// the result is the same for any number of threads.
//
// When ctx ends, Compare returns its error as soon as the images under way are done.
func Compare(ctx context.Context, net *float.Net, model *resnext.Model, n int,
	load func(i int) (rgb []byte, label int, err error), p resnext.Preprocess, o CompareOptions) (*Comparison, error) {
	if err := checkInputs(net, n, p); err != nil {
		return nil, fmt.Errorf("comparison: %w", err)
	}
	if err := checkSame(net.Config, model.Config()); err != nil {
		return nil, fmt.Errorf("comparison: %w", err)
	}
	c := comparer{net: net, model: model, load: load, preprocess: p, layers: o.Layers, answers: o.Answer != nil}
	defer c.close()
	var total accuracyCounter
	fold := func(i int, r accuracyCounter) {
		total.merge(r)
		if o.Answer != nil {
			o.Answer(r.answer)
		}
		if o.Progress != nil {
			o.Progress(i+1, n)
		}
	}
	if err := parallel.InOrder(ctx, n, o.Threads, c.newTask, fold); err != nil {
		return nil, fmt.Errorf("comparison: %w", err)
	}
	return total.comparison(net.Config), nil
}

// comparer makes the workers of Compare.
type comparer struct {
	net        *float.Net
	model      *resnext.Model
	load       func(i int) (rgb []byte, label int, err error)
	preprocess resnext.Preprocess
	layers     bool
	answers    bool
	sessions   []*resnext.Session
}

func (c *comparer) close() {
	for _, s := range c.sessions {
		s.Close()
	}
}

func (c *comparer) newTask() parallel.Task[accuracyCounter] {
	session, err := c.model.NewSession(resnext.SessionOptions{Threads: 1})
	if err != nil {
		return func(int) (accuracyCounter, error) { return accuracyCounter{}, err }
	}
	c.sessions = append(c.sessions, session)
	pair := pair{comparer: c, runner: c.net.NewRunner(), session: session}
	if c.layers {
		pair.watch()
	}
	return pair.run
}

// pair is one worker: both networks.
type pair struct {
	*comparer
	runner  *float.Runner
	session *resnext.Session
	// maps holds the float network's maps of the image under way by name, and powers the comparison with
	// the int8 network's.
	maps   map[string][]float32
	powers map[string]observe.Power
}

// watch makes both networks report their maps.
func (p *pair) watch() {
	p.maps = make(map[string][]float32)
	for _, s := range p.net.Config.Convs() {
		p.maps[s.Name] = make([]float32, s.OutH*s.OutW*s.Out)
	}
	p.runner.Observe = func(name string, _, _, _ int, data []float32) { copy(p.maps[name], data) }
	p.session.Observe = func(name string, _, _, _ int, values []float32) {
		if want := p.maps[name]; len(want) == len(values) {
			var sum observe.Power
			sum.Add(want, values)
			p.powers[name] = sum
		}
	}
}

// run compares the networks on one image.
func (p *pair) run(i int) (accuracyCounter, error) {
	rgb, label, err := p.load(i)
	if err == nil {
		err = checkImage(p.net.Config.Height, p.net.Config.Width, rgb)
	}
	if err == nil && (label < Unlabelled || label >= p.net.Config.Classes) {
		err = fmt.Errorf("label %d, expected 0 to %d, or %d for none", label, p.net.Config.Classes-1, Unlabelled)
	}
	if err != nil {
		return accuracyCounter{}, fmt.Errorf("image %d: %w", i, err)
	}
	p.powers = make(map[string]observe.Power)
	begin := time.Now()
	want := p.runner.Forward(rgb, p.preprocess)
	middle := time.Now()
	ask := p.session.Infer
	if p.net.Config.Head == resnext.Embedding {
		ask = p.session.Embed
	}
	got, err := ask(rgb)
	end := time.Now()
	if err != nil {
		return accuracyCounter{}, fmt.Errorf("image %d: the int8 network: %w", i, err)
	}
	if len(p.powers) != len(p.maps) {
		return accuracyCounter{}, fmt.Errorf("image %d: the int8 network shows %d of %d layers",
			i, len(p.powers), len(p.maps))
	}
	t := score(p.net.Config.Head, want, got, label)
	if !observe.Finite(t.logits.Signal) {
		return accuracyCounter{}, fmt.Errorf("image %d: %w", i, observe.NotFinite("logits"))
	}
	if p.answers {
		t.answer = Answer{Image: i, Label: label, Float: slices.Clone(want), Int8: slices.Clone(got)}
	}
	t.layers = p.powers
	t.float, t.int8 = middle.Sub(begin), end.Sub(middle)
	return t, nil
}

// Answer is what both networks say about one image.
type Answer struct {
	// Image is the image's number, Label its class or Unlabelled.
	Image, Label int
	// Float and Int8 are the logits, one for each class, or the features where there are no classes.
	Float, Int8 []float32
}
