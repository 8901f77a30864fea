package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/procfs"
)

// comparison is everything that is measured.
type comparison struct {
	*options
	log      io.Writer
	networks []*network
	inputs   *inputs
	engines  []engine // this library, and the others
	entries  []entry  // what is timed: this library on every network, the others on the first
}

// entry is an engine with the network that it is timed on.
type entry struct {
	engine  engine
	network *network
}

// prepare reads the networks and writes what the workers read.
func prepare(o *options, log io.Writer) (*comparison, error) {
	c := &comparison{options: o, log: log}
	err := os.MkdirAll(o.dir, 0o777)
	if err != nil {
		return nil, err
	}
	if c.networks, err = readNetworks(o.models, o.dir); err != nil {
		return nil, err
	}
	first := c.networks[0]
	if c.inputs, err = makeInputs(first, o.images, o.count); err != nil {
		return nil, err
	}
	if err := c.inputs.write(first, o.dir); err != nil {
		return nil, err
	}
	own, err := ownEngine()
	if err != nil {
		return nil, err
	}
	c.engines = []engine{own}
	for _, n := range c.networks {
		c.entries = append(c.entries, entry{own, n})
	}
	for _, name := range o.runtimes {
		e := pythonEngine(o.python, o.scripts, name)
		c.engines, c.entries = append(c.engines, e), append(c.entries, entry{e, first})
	}
	return c, c.export()
}

// export writes the ONNX files if a runtime wants them.
func (c *comparison) export() error {
	if len(c.runtimes) == 0 {
		return nil
	}
	for _, n := range c.networks {
		fmt.Fprintf(c.log, "writing %s\n", n.onnx)
		if err := n.export(c.inputs.some(rangePictures)); err != nil {
			return err
		}
	}
	return nil
}

// measure fills a report.
func (c *comparison) measure(ctx context.Context) (*Report, error) {
	r := newReport(c.networks[0], c.inputs)
	for _, threads := range c.threads {
		fmt.Fprintf(c.log, "timing on %s\n", cli.Plural(threads, "thread"))
		t, quiet, err := c.time(ctx, threads)
		if err != nil {
			return nil, err
		}
		r.Quiet = append(r.Quiet, quiet)
		r.Timings, r.Ratios = append(r.Timings, t...), append(r.Ratios, ratios(t, len(c.networks))...)
	}
	r.Load = append(r.Load, procfs.Load())
	if c.profile {
		for _, e := range c.entries {
			p, err := profile(ctx, e, c.inputs)
			if err != nil {
				return nil, err
			}
			r.Profiles = append(r.Profiles, p)
		}
	}
	if len(c.runtimes) == 0 {
		return r, nil
	}
	fmt.Fprintln(c.log, "comparing answers")
	var err error
	r.Agreements, err = c.agree(ctx)
	return r, err
}
