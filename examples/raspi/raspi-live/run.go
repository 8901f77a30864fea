package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/libresnext/libresnext/examples/raspi/internal/board"
	"github.com/libresnext/libresnext/examples/raspi/internal/camera"
	"github.com/libresnext/libresnext/examples/raspi/internal/live"
	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
)

// cameraEnds is how long the end waits for the camera's program: it is asked to end, then killed.
const cameraEnds = 700 * time.Millisecond

// errNobodyReads ends the program when it has nobody left to tell.
var errNobodyReads = errors.New("standard output was closed by its reader, and nobody else listens")

// start makes everything ready and runs until ctx or the source ends.
func start(ctx context.Context, o options, stdin io.Reader, stdout, stderr io.Writer) error {
	say := &console{stderr: stderr}
	source, err := chooseSource(o, stdin)
	if err != nil {
		return err
	}
	path, err := findModel(o.model)
	if err != nil {
		return err
	}
	if o.cpuList != nil { // first of all, so that every thread obeys
		if err := board.Pin(o.cpuList); err != nil {
			return err
		}
	}
	m, err := openModel(path, o.kernels, say.Report)
	if err != nil {
		return err
	}
	c, err := newClassifier(m, o.computing)
	if err != nil {
		return err
	}
	defer c.session.Close()
	reader := board.NewReader()
	about := describe(c, path, source, reader)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	outs, err := openOutputs(o, about, stdout, say, cancel)
	if err != nil {
		return err
	}
	defer outs.close()
	return watch(ctx, o, c, source, reader, outs, say)
}

// smoothing is the time to average over: none where pictures do not follow each other.
func (o *options) smoothing(source camera.Camera) time.Duration {
	if source.Still && !o.smoothed {
		return 0
	}
	return o.smooth
}

// computing is how many threads the network computes with where so many are usual: those that the user wants, those of
// the chosen CPUs, or nearly all that there are.
func (o *options) computing(usual int) int {
	switch {
	case o.threads > 0:
		return o.threads
	case o.cpuList != nil:
		return len(o.cpuList)
	}
	return board.DefaultThreads(usual)
}

func describe(c *classifier, path string, source camera.Camera, reader *board.Reader) live.About {
	return live.About{
		Program: tool + " " + resnext.Version, Model: filepath.Base(path), Network: cli.ArchName(c.Config()), Labels: c.labels(),
		Kernels: c.Kernels(), Threads: c.session.Threads(), Source: source.Name, Board: reader.Name(),
	}
}

// watch runs the camera, the network and what looks after the board.
func watch(ctx context.Context, o options, c *classifier, source camera.Camera, reader *board.Reader, outs *outputs, say *console) error {
	governor := board.NewGovernor(o.hot)
	monitor := board.NewMonitor(reader, governor)
	frames := live.NewMailbox()
	smoother := live.NewSmoother(o.smoothing(source))
	smoother.MultiLabel = c.Config().Head == resnext.MultiLabel
	loop := &live.Loop{
		Classifier: c, Frames: frames, Sinks: outs.sinks, Smoother: smoother, Top: o.top, MaxFPS: o.maxFPS,
		Board: func() live.Board { return boardOf(monitor.State(), governor.Slowed()) }, Rest: governor.Rest,
		Wanted: outs.wanted, Report: say.Report,
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	go monitor.Run(running)
	go watchdog(running, loop.Alive)

	put := frames.Put
	if source.Every {
		put = func(f *camera.Frame) { frames.PutWait(running, f) }
	}
	ended := make(chan error, 1)
	go func() {
		err := source.Run(running, put, say.Report)
		frames.Close()
		ended <- err
	}()
	notify("READY=1")
	loop.Run(running)
	interrupted := ctx.Err() != nil
	stop()
	notify("STOPPING=1")
	var err error
	select {
	case err = <-ended:
	case <-time.After(cameraEnds): // a read that nothing can end
	}
	if interrupted {
		err = nil
		if cause := context.Cause(ctx); errors.Is(cause, errNobodyReads) {
			err = cause
		}
	}
	return sourceError(source, err)
}

// sourceError names the source unless the error does.
func sourceError(source camera.Camera, err error) error {
	if path := (*os.PathError)(nil); err == nil || errors.Is(err, errNobodyReads) || errors.As(err, &path) {
		return err
	}
	return fmt.Errorf("%s: %w", source.Name, err)
}

// boardOf words the board's state for updates.
func boardOf(s board.State, slowed bool) live.Board {
	return live.Board{TemperatureC: s.TemperatureC, Throttled: s.Now, ThrottledBefore: s.Before, Slowed: slowed}
}
