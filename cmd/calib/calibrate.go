package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime/debug"
	"time"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/parallel"
	"github.com/libresnext/libresnext/internal/progress"
	"github.com/libresnext/libresnext/quant"
	"github.com/libresnext/libresnext/resnext"
)

// gcPercent is by how much the heap may grow between collections where maps of images come and go.
const gcPercent = 30

var errInterrupted = errors.New("interrupted")

// calibrate does the whole work. Settings and results go to stdout, or with --json all but the one object
// to stderr; progress and warnings always go to stderr.
func calibrate(ctx context.Context, s *settings, stdout, stderr io.Writer) error {
	w := &work{ctx: ctx, settings: s, progress: progress.New(stderr), begin: time.Now()}
	out := stdout
	if s.json {
		out = stderr
	}
	reading := "reading weights"
	if s.random != nil {
		reading = "making weights"
	}
	net, err := do(w, reading, 0, func(*progress.Phase) (*floatNetwork, error) {
		net, err := readNetwork(s)
		if err == nil {
			err = errors.Join(net.read(&s.reading), net.setHead(s.head))
		}
		return net, err
	})
	if err != nil {
		return err
	}
	// Large folders and slow disks take their time.
	if w.plan, err = await(ctx, func() (*plan, error) { return newPlan(s, net) }); err != nil {
		return err
	}
	defer w.plan.close()
	w.plan.echo(out)
	if err := w.readImages(stderr); err != nil {
		return err
	}
	if err := w.ask(); err != nil {
		return err
	}
	w.sayFindings(out, stderr)
	w.plan.warn(stderr)
	model, size, err := w.makeModel()
	if err != nil {
		return err
	}
	if text := model.Warning(); text != "" {
		cli.Warn(stderr, tool, "%s; using the kernel set %s", text, model.Kernels())
	}
	if err := w.exportONNX(model, w.quantised); err != nil {
		return err
	}
	r, err := w.compare(model, size)
	if err != nil {
		return w.unfinished("not compared", err)
	}
	if r.Doubt = w.confusion.doubt(net.Config.Classes, w.plan.labels); r.Doubt != "" {
		cli.Warn(stderr, tool, "%s", r.Doubt)
	}
	if err := w.writePage(model, r); err != nil {
		return w.unfinished("its report is not", err)
	}
	r.print(out)
	if s.json {
		return r.printJSON(stdout)
	}
	return nil
}

// unfinished is the error of what comes after the model's file.
func (w *work) unfinished(what string, err error) error {
	return fmt.Errorf("%s is written and whole, but %s: %w", w.plan.out, what, err)
}

// work is one run of the tool.
type work struct {
	ctx      context.Context
	settings *settings
	progress *progress.Progress
	plan     *plan
	begin    time.Time
	skipped  []badImage
	findings *findings // nil where the network keeps nothing of its training

	// What the page of --report shows.
	stats      *quant.Statistics // of details.Float
	found      *quant.Diagnostics
	quantised  *resnext.Quantised
	comparison *quant.Comparison
	answers    *answerLog
	confusion  confusion
}

// roundingPhase counts layers, askingPhase readings; all other phases count images.
const (
	roundingPhase = "rounding layers"
	askingPhase   = "asking the network"
)

func item(phase string) string {
	switch phase {
	case roundingPhase:
		return "layer"
	case askingPhase:
		return "reading"
	}
	return "image"
}

// do runs one phase, see await.
func do[T any](w *work, name string, total int, f func(*progress.Phase) (T, error)) (T, error) {
	if w.ctx.Err() != nil {
		return *new(T), errInterrupted
	}
	p := w.progress.Start(name, item(name), total)
	value, err := await(w.ctx, func() (T, error) { return f(p) })
	p.End(err)
	return value, err
}

// await runs f. When ctx ends it returns at once; what f still does in the background is forgotten.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	finished := make(chan outcome, 1)
	go func() {
		value, err := f()
		finished <- outcome{value, err}
	}()
	var o outcome
	select {
	case o = <-finished:
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		o.err = errInterrupted
	}
	return o.value, o.err
}

// makeModel calibrates, quantises and writes, and opens what it wrote.
func (w *work) makeModel() (*resnext.Model, int64, error) {
	p, s := w.plan, w.settings
	expected, err := p.expect() // of the images that can be read
	if err != nil {
		return nil, 0, err
	}
	few := subsample{p.calibration, expected.Collect}
	n := few.len()
	load := func(i int) ([]byte, error) {
		rgb, _, err := few.load(i)
		return rgb, err
	}
	// Maps of images come and go by the hundred megabytes: collect what is gone early, most of all near the limit.
	options := s.quantOptions()
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(expected.Memory))
	stats, err := do(w, "calibrating", n, func(f *progress.Phase) (*quant.Statistics, error) {
		f.Predict("calibrating and rounding", expected.Collecting, expected.Quantising, parallel.Workers(s.threads, n))
		return quant.Collect(w.ctx, p.net.Net, n, load, p.preprocess, s.threads, f.Step)
	})
	if err != nil {
		return nil, 0, err
	}
	var details *quant.Diagnostics
	q, err := do(w, roundingPhase, len(p.net.Config.Convs())+1, func(f *progress.Phase) (q *resnext.Quantised, err error) {
		options.Progress = f.Step
		q, details, err = quant.Quantise(w.ctx, p.net.Net, quant.Images{N: n, Load: load}, stats, p.preprocess, options)
		return q, err
	})
	if err != nil {
		return nil, 0, err
	}
	q.Labels = p.labels
	w.stats, w.quantised, w.found = details.Statistics, q, details
	w.note(q.Calibration)
	// Writing is quick, and is not left half done.
	size, err := q.WriteFile(p.out)
	if err != nil {
		return nil, 0, err
	}
	// This machine had the memory to calibrate it; warn has told of devices.
	model, err := resnext.OpenWith(p.out, resnext.Options{MemoryLimit: math.MaxInt64})
	return model, size, err
}

// quantOptions are the settings that concern Quantise.
func (s *settings) quantOptions() quant.Options {
	return quant.Options{
		Observer: s.observer, Percentile: s.percentile, Depth: s.acc16, Effort: s.effort, Without: s.without,
		Memory: s.memory, Threads: s.threads,
	}
}

// note adds to the calibration notes where the numbers come from: no folder names and no dates, so that the
// same inputs give the same file everywhere.
func (w *work) note(notes map[string]string) {
	s := w.settings
	notes["tool"] = tool + " " + resnext.Version
	notes["weights"] = s.weights
	notes["pictures"] = "synthetic" // the model file's key for the name of --images
	if s.random == nil {
		notes["weights"] = lastName(s.weights)
	}
	if s.images != "" {
		notes["pictures"] = lastName(s.images)
	}
	notes["seed"] = fmt.Sprint(s.seed)
}

// compare runs both networks.
func (w *work) compare(model *resnext.Model, size int64) (*report, error) {
	p, s := w.plan, w.settings
	n := p.compared.len()
	w.confusion = confusion{}
	log := w.answerLog()
	answer := func(a quant.Answer) {
		w.confusion.add(a)
		if log != nil {
			log(a)
		}
	}
	c, err := do(w, "comparing", n, func(f *progress.Phase) (*quant.Comparison, error) {
		return quant.Compare(w.ctx, p.net.Net, model, n, p.compared.load, p.preprocess, quant.CompareOptions{Threads: s.threads, Answer: answer, Progress: f.Step})
	})
	if err != nil {
		return nil, err
	}
	if s.layers || s.report != "" {
		// On its own, because it would slow down what is timed.
		few := subsample{p.compared, defaultCompared}
		l, err := do(w, "comparing layers", few.len(), func(f *progress.Phase) (*quant.Comparison, error) {
			return quant.Compare(w.ctx, w.found.Float, model, few.len(), few.load, p.preprocess,
				quant.CompareOptions{Threads: s.threads, Layers: true, Progress: f.Step})
		})
		if err != nil {
			return nil, err
		}
		c.Layers = l.Layers
	}
	w.comparison = c
	return newReport(w, c, size), nil
}
