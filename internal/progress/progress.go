// Package progress shows how long work goes on.
package progress

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/libresnext/libresnext/internal/cli"
)

// Progress shows how the work goes: with a bar on a terminal, elsewhere with one line at the start and one at the end of
// each phase, and at every tick between.
type Progress struct {
	w        io.Writer
	terminal bool
	now      func() time.Time
	ticker   func() (ticks <-chan time.Time, stop func())
}

// tick is the time between two lines of a phase.
const tick = 15 * time.Second

// New shows progress on w, which is standard error as a rule.
func New(w io.Writer) *Progress {
	return &Progress{w, cli.IsTerminal(w), time.Now, func() (<-chan time.Time, func()) {
		t := time.NewTicker(tick)
		return t.C, t.Stop
	}}
}

// Phase is one part of the work. Once it has ended, late calls of Step do nothing. Any goroutine may call its methods.
type Phase struct {
	progress *Progress
	name     string
	item     string // what is counted, in the singular
	total    int
	begin    time.Time

	mu    sync.Mutex
	bar   *progressbar.ProgressBar
	done  int
	ended bool
	over  chan struct{} // closed at the end
	stop  func()        // the ticker; nil where there is none

	work, rest float64 // see Predict
	what       string
	cores      int
	warm       time.Time // when each core had done an item
}

// Start begins a phase of so many items, each called item, or of no countable work if total is 0.
func (p *Progress) Start(name, item string, total int) *Phase {
	f := &Phase{progress: p, name: name, item: item, total: total, begin: p.now(), over: make(chan struct{})}
	switch {
	case p.terminal && total > 0:
		f.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription(name), progressbar.OptionSetWidth(20),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(item),
			progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetRenderBlankState(true))
	case p.terminal:
		fmt.Fprintf(p.w, "%s ...", name)
	case total > 0:
		fmt.Fprintf(p.w, "%s %s\n", name, cli.Plural(total, item))
		ticks, stop := p.ticker()
		f.stop = stop
		go f.tell(ticks)
	default:
		fmt.Fprintf(p.w, "%s\n", name)
	}
	return f
}

// tell writes how far the phase is, at each tick.
func (f *Phase) tell(ticks <-chan time.Time) {
	for {
		select {
		case <-f.over:
			return
		case <-ticks:
			f.mu.Lock()
			if !f.ended {
				fmt.Fprintf(f.progress.w, "%s: %d of %s\n", f.name, f.done, cli.Plural(f.total, f.item))
			}
			f.mu.Unlock()
		}
	}
}

// Predict has the phase say, once it knows its speed, how long its work and the rest after it will take on so many cores;
// both in the same unit. What names the two together.
func (f *Phase) Predict(what string, work, rest float64, cores int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.what, f.work, f.rest, f.cores = what, work, rest, cores
}

// measured is how many items on each core it takes to know the speed; the first, for which memory comes to be used, does
// not count.
const measured = 4

// Step shows that done items are finished; its second argument, their number, is for those who are told both.
func (f *Phase) Step(done, _ int) {
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
			fmt.Fprintf(f.progress.w, "%s: %s\n", f.what, text)
		}
	}
	if f.bar != nil {
		_ = f.bar.Set(done)
	}
}

// End closes the phase. After an error only the bar is taken away; the error speaks for itself.
func (f *Phase) End(err error) {
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
		fmt.Fprintf(f.progress.w, " (%.3g %ss/s)", float64(f.total)/max(took, 1).Seconds(), f.item)
	}
	fmt.Fprintln(f.progress.w)
}
