package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/libresnext/libresnext/internal/cli"
)

// progress shows on standard error how the work goes: with a bar on a terminal, elsewhere with one line at the start
// and one at the end of each phase, and at every tick between.
type progress struct {
	w        io.Writer
	terminal bool
	now      func() time.Time
	ticker   func() (ticks <-chan time.Time, stop func())
}

// tick is the time between two lines of a phase.
const tick = 15 * time.Second

func newProgress(w io.Writer) *progress {
	return &progress{w, cli.IsTerminal(w), time.Now, func() (<-chan time.Time, func()) {
		t := time.NewTicker(tick)
		return t.C, t.Stop
	}}
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

// phase is one part of the work. Once it has ended, late calls of step do nothing.
type phase struct {
	progress *progress
	name     string
	total    int
	begin    time.Time

	mu    sync.Mutex
	bar   *progressbar.ProgressBar
	done  int
	ended bool
	over  chan struct{} // closed at the end
	stop  func()        // the ticker; nil where there is none

	work, rest float64 // see predict
	cores      int
	warm       time.Time // when each core had done an item
}

// start begins a phase of so many images or layers, or of no countable work if total is 0.
func (p *progress) start(name string, total int) *phase {
	f := &phase{progress: p, name: name, total: total, begin: p.now(), over: make(chan struct{})}
	switch {
	case p.terminal && total > 0:
		f.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription(name), progressbar.OptionSetWidth(20),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(item(name)),
			progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetRenderBlankState(true))
	case p.terminal:
		fmt.Fprintf(p.w, "%s ...", name)
	case total > 0:
		fmt.Fprintf(p.w, "%s %s\n", name, cli.Plural(total, item(name)))
		ticks, stop := p.ticker()
		f.stop = stop
		go f.tell(ticks)
	default:
		fmt.Fprintf(p.w, "%s\n", name)
	}
	return f
}

// tell writes how far the phase is, at each tick.
func (f *phase) tell(ticks <-chan time.Time) {
	for {
		select {
		case <-f.over:
			return
		case <-ticks:
			f.mu.Lock()
			if !f.ended {
				fmt.Fprintf(f.progress.w, "%s: %d of %s\n", f.name, f.done, cli.Plural(f.total, item(f.name)))
			}
			f.mu.Unlock()
		}
	}
}

// predict has the phase say, once it knows its speed, how long its work and the rest after it will take; both in the same
// unit.
func (f *phase) predict(work, rest float64, cores int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.work, f.rest, f.cores = work, rest, cores
}

// measured is how many items on each core it takes to know the speed; the first, for which memory comes to be used, does
// not count.
const measured = 4

// step shows that done items are finished.
func (f *phase) step(done, _ int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return
	}
	f.done = done
	if f.work > 0 && done == f.cores {
		f.warm = f.progress.now()
	}
	if f.work > 0 && done > f.cores && done == min(f.total, measured*f.cores) {
		each := float64(f.progress.now().Sub(f.warm)) / float64(done-f.cores)
		all := each * float64(f.total) * (1 + f.rest/f.work)
		text := fmt.Sprintf("about %s on %s in all", cli.Seconds(time.Duration(all)), cli.Plural(f.cores, "core"))
		if f.bar != nil {
			f.bar.Describe(f.name + ", " + text)
		} else {
			fmt.Fprintf(f.progress.w, "calibrating and rounding: %s\n", text)
		}
	}
	if f.bar != nil {
		_ = f.bar.Set(done)
	}
}

// end closes the phase. After an error only the bar is taken away; the error speaks for itself.
func (f *phase) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	close(f.over)
	if f.stop != nil {
		f.stop()
	}
	if f.progress.terminal {
		fmt.Fprint(f.progress.w, "\r\x1b[K") // back to the start of the line and clear it
	}
	if err != nil {
		return
	}
	took := f.progress.now().Sub(f.begin)
	fmt.Fprintf(f.progress.w, "%s: %s", f.name, cli.Seconds(took))
	if f.total > 0 {
		fmt.Fprintf(f.progress.w, " (%.3g %ss/s)", float64(f.total)/max(took, 1).Seconds(), item(f.name))
	}
	fmt.Fprintln(f.progress.w)
}
