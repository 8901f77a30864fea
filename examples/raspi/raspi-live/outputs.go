package main

import (
	"context"
	"io"
	"os"
	"sync"

	"github.com/libresnext/libresnext/examples/raspi/internal/hook"
	"github.com/libresnext/libresnext/examples/raspi/internal/live"
	"github.com/libresnext/libresnext/examples/raspi/internal/mqtt"
	"github.com/libresnext/libresnext/examples/raspi/internal/terminal"
	"github.com/libresnext/libresnext/examples/raspi/internal/web"
	"github.com/libresnext/libresnext/internal/cli"
)

// outputs are everybody who is told of updates.
type outputs struct {
	sinks  []live.Sink
	wanted func() bool // whether anybody looks at pictures; nil where nobody can
	say    *console
}

// openOutputs makes the outputs that the options ask for. cancel ends the program when there is nobody left to tell.
func openOutputs(o options, about live.About, stdout io.Writer, say *console, cancel context.CancelCauseFunc) (*outputs, error) {
	outs := &outputs{say: say}
	if err := outs.open(o, about, stdout, cancel); err != nil {
		outs.close()
		return nil, err
	}
	return outs, nil
}

func (outs *outputs) open(o options, about live.About, stdout io.Writer, cancel context.CancelCauseFunc) error {
	if len(o.on)+len(o.onChange) > 0 {
		h, err := hook.New(o.on, o.onChange, about.Labels, hook.Options{Timeout: o.hookTimeout, Cooldown: o.cooldown, Report: outs.say.Report})
		if err != nil {
			return cli.Usage("--on: %v", err)
		}
		outs.sinks = append(outs.sinks, h)
	}
	if o.web != "" {
		s, err := web.New(about, o.web, outs.say.Report)
		if err != nil {
			return err
		}
		for _, name := range o.webHosts {
			s.AllowHost(name)
		}
		outs.sinks, outs.wanted = append(outs.sinks, s), s.Wanted
	}
	if o.mqtt.Broker != "" {
		c, err := mqtt.New(about, o.mqtt, outs.say.Report)
		if err != nil {
			return cli.Usage("%v", err) // it does not wait for the broker
		}
		outs.sinks = append(outs.sinks, c)
	}
	others := len(outs.sinks)
	gone := func(error) {
		if others == 0 {
			cancel(errNobodyReads)
		} else {
			outs.say.Report("standard output was closed by its reader; going on without it")
		}
	}
	file, _ := stdout.(*os.File)
	switch {
	case o.quiet:
	case o.json:
		outs.sinks = append(outs.sinks, live.Async(terminal.NewJSON(stdout, about, outs.say.Report, gone)))
	case file != nil && cli.IsTerminal(file):
		view := terminal.NewView(file, about, terminal.Environment())
		outs.say.show(view)
		sleepOnRequest(view)
		outs.sinks = append(outs.sinks, view)
	default:
		outs.sinks = append(outs.sinks, live.Async(terminal.NewPlain(stdout, outs.say.Report, gone)))
	}
	return nil
}

// close ends all outputs at the same time, so that the slow ones do not add up.
func (outs *outputs) close() {
	var all sync.WaitGroup
	for _, s := range outs.sinks {
		all.Go(func() {
			if err := s.Close(); err != nil {
				outs.say.Report("%v", err)
			}
		})
	}
	all.Wait()
	outs.say.show(nil)
}
