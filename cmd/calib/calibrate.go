package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant"
	"github.com/libresnext/libresnext/resnext"
)

var errInterrupted = errors.New("interrupted")

// calibrate does the whole work. Settings and results go to stdout, or with --json all but the one object
// to stderr; progress and warnings always go to stderr.
func calibrate(ctx context.Context, s *settings, stdout, stderr io.Writer) error {
	w := &work{ctx: ctx, settings: s, progress: newProgress(stderr), begin: time.Now()}
	out := stdout
	if s.json {
		out = stderr
	}
	reading := "reading weights"
	if s.random != nil {
		reading = "making weights"
	}
	net, err := do(w, reading, 0, func(*phase) (*floatNetwork, error) { return readNetwork(s) })
	if err != nil {
		return err
	}
	if w.plan, err = newPlan(s, net); err != nil {
		return err
	}
	defer w.plan.close()
	w.plan.echo(out)
	w.plan.warn(stderr)
	model, size, err := w.makeModel()
	if err != nil {
		return err
	}
	if text := model.Warning(); text != "" {
		cli.Warn(stderr, tool, "%s; using the kernel set %s", text, model.Kernels())
	}
	r, err := w.compare(model, size)
	if err != nil {
		return fmt.Errorf("%s is written and whole, but not compared: %w", w.plan.out, err)
	}
	if s.json {
		return r.printJSON(stdout)
	}
	r.print(stdout)
	return nil
}

// work is one run of the tool.
type work struct {
	ctx      context.Context
	settings *settings
	progress *progress
	plan     *plan
	begin    time.Time
}

// do runs one phase. When the context ends it returns at once; what the phase still does in the background
// is forgotten.
func do[T any](w *work, name string, total int, f func(*phase) (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	if w.ctx.Err() != nil {
		return *new(T), errInterrupted
	}
	p := w.progress.start(name, total)
	finished := make(chan outcome, 1)
	go func() {
		value, err := f(p)
		finished <- outcome{value, err}
	}()
	var o outcome
	select {
	case o = <-finished:
	case <-w.ctx.Done():
	}
	if w.ctx.Err() != nil {
		o.err = errInterrupted
	}
	p.end(o.err)
	return o.value, o.err
}

// makeModel calibrates, quantises and writes, and opens what it wrote.
func (w *work) makeModel() (*resnext.Model, int64, error) {
	p, s := w.plan, w.settings
	n := p.calibration.len()
	stats, err := do(w, "calibrating", n, func(f *phase) (*quant.Statistics, error) {
		load := func(i int) ([]byte, error) {
			rgb, _, err := p.calibration.load(i)
			return rgb, err
		}
		return quant.Collect(w.ctx, p.net.Net, n, load, p.preprocess, s.threads, f.step)
	})
	if err != nil {
		return nil, 0, err
	}
	q, err := do(w, "quantising", 0, func(*phase) (*resnext.Quantised, error) {
		return quant.Quantise(p.net.Net, stats, p.preprocess,
			quant.Options{Observer: s.observer, Percentile: s.percentile, Chains: s.chains, Threads: s.threads})
	})
	if err != nil {
		return nil, 0, err
	}
	q.Labels = p.labels
	w.note(q.Calibration)
	// Writing is quick, and is not left half done.
	size, err := q.WriteFile(p.out)
	if err != nil {
		return nil, 0, err
	}
	model, err := resnext.Open(p.out)
	return model, size, err
}

// note adds to the calibration notes where the numbers come from: no folder names and no dates, so that the
// same inputs give the same file everywhere.
func (w *work) note(notes map[string]string) {
	s := w.settings
	notes["tool"] = tool + " " + resnext.Version
	notes["weights"] = s.weights
	notes["pictures"] = "synthetic"
	if s.random == nil {
		notes["weights"] = filepath.Base(s.weights)
	}
	if s.images != "" {
		notes["pictures"] = filepath.Base(s.images)
	}
	notes["seed"] = fmt.Sprint(s.seed)
}

// compare runs both networks.
func (w *work) compare(model *resnext.Model, size int64) (*report, error) {
	p, s := w.plan, w.settings
	n := p.compared.len()
	c, err := do(w, "comparing", n, func(f *phase) (*quant.Comparison, error) {
		return quant.Compare(w.ctx, p.net.Net, model, n, p.compared.load, p.preprocess, quant.CompareOptions{Threads: s.threads, Progress: f.step})
	})
	if err != nil {
		return nil, err
	}
	if s.layers {
		// On its own, because it would slow down what is timed.
		few := spread{p.compared, defaultCompared}
		l, err := do(w, "comparing layers", few.len(), func(f *phase) (*quant.Comparison, error) {
			return quant.Compare(w.ctx, p.net.Net, model, few.len(), few.load, p.preprocess,
				quant.CompareOptions{Threads: s.threads, Layers: true, Progress: f.step})
		})
		if err != nil {
			return nil, err
		}
		c.Layers = l.Layers
	}
	return newReport(w, c, size), nil
}
