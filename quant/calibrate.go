package quant

import (
	"context"
	"fmt"

	"github.com/libresnext/libresnext/internal/parallel"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/resnext"
)

// Collect runs net over n images and returns the statistics of its activation maps. They are the same for any
// number of threads.
//
// load returns image i, Height*Width*3 bytes RGB, row by row; it is called from several goroutines at once,
// for different images, and must return bytes of its own for each. p normalises them. threads is the number of
// images run at once, each with its own float maps and histograms; 0 means one per CPU. progress, if not
// nil, is called after each image, never twice at the same time.
//
// When ctx ends, Collect returns its error as soon as the images under way are done.
func Collect(ctx context.Context, net *float.Net, n int, load func(i int) ([]byte, error), p resnext.Preprocess,
	threads int, progress func(done, total int)) (*Statistics, error) {
	if err := checkInputs(net, n, p); err != nil {
		return nil, fmt.Errorf("calibration: %w", err)
	}
	var observed []*Statistics
	total := observe.NewStatistics(net.Config)
	newTask := func() parallel.Task[map[string]*Moments] {
		t := collector{
			net: net, load: checked(load, net.Config), preprocess: p, runner: net.NewRunner(),
			stats: observe.NewStatistics(net.Config),
		}
		t.runner.Observe = t.observe
		observed = append(observed, t.stats)
		return t.run
	}
	done := func(i int, m map[string]*Moments) {
		total.MergeMoments(m) // in the order of the images, for equal rounding
		if progress != nil {
			progress(i+1, n)
		}
	}
	if err := parallel.InOrder(ctx, n, threads, newTask, done); err != nil {
		return nil, fmt.Errorf("calibration: %w", err)
	}
	for _, s := range observed {
		total.Merge(s)
	}
	return total, nil
}

// collector is one worker of Collect.
type collector struct {
	net        *float.Net
	load       func(i int) ([]byte, error)
	preprocess resnext.Preprocess
	runner     *float.Runner
	stats      *Statistics
	image      int                 // the one under way
	moments    map[string]*Moments // its
	broken     string              // the layer whose output is not finite
}

func (c *collector) run(i int) (map[string]*Moments, error) {
	rgb, err := c.load(i)
	if err != nil {
		return nil, fmt.Errorf("image %d: %w", i, err)
	}
	c.image, c.moments = i, make(map[string]*Moments)
	c.runner.Forward(rgb, c.preprocess)
	if c.broken != "" {
		return nil, fmt.Errorf("image %d: %w", i, observe.NotFinite(c.broken))
	}
	c.stats.Images++
	return c.moments, nil
}

func (c *collector) observe(name string, _, _, channels int, data []float32) {
	if name == float.InputName {
		return
	}
	if h := c.stats.Maps[name]; h != nil && !h.Add(data) && c.broken == "" {
		c.broken = name
	}
	m := &Moments{}
	m.Add(channels, data)
	if c.image%2 == 0 {
		m.Bound(data)
	}
	c.moments[name] = m
}
