package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

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

// timeAll times on each number of threads, one after the other; beside busy loops on all in turn, because there it is
// the comparison of one thread with several that counts.
func (c *comparison) timeAll(ctx context.Context, r *Report) error {
	series := slices.Collect(slices.Chunk(c.threads, 1))
	if c.busy > 0 {
		series = [][]int{c.threads}
		stop, err := startBusyLoops(c.busy)
		if err != nil {
			return err
		}
		defer stop()
	}
	for _, threads := range series {
		fmt.Fprintf(c.log, "timing on %s\n", threadsText(threads))
		all, quiet, err := c.time(ctx, threads...)
		if err != nil {
			return err
		}
		r.Quiet, r.Timings = append(r.Quiet, quiet), append(r.Timings, all...)
		for t := range slices.Chunk(all, len(c.entries)) {
			r.Ratios = append(r.Ratios, ratios(t, len(c.networks))...)
		}
	}
	return nil
}

// threadsText is "1 thread", "1 and 2 threads" or "1, 2 and 4 threads".
func threadsText(threads []int) string {
	text := ""
	for i, n := range threads[:len(threads)-1] {
		text += strconv.Itoa(n) + map[bool]string{false: ", ", true: " and "}[i == len(threads)-2]
	}
	return text + cli.Plural(threads[len(threads)-1], "thread")
}

// measure fills a report.
func (c *comparison) measure(ctx context.Context) (*Report, error) {
	r := newReport(c.networks[0], c.inputs)
	r.Busy = c.busy
	if err := c.timeAll(ctx, r); err != nil {
		return nil, err
	}
	r.Load = append(r.Load, procfs.Load())
	if c.busy > 0 {
		return r, nil // what follows wants a quiet machine
	}
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
