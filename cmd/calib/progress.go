package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/libresnext/libresnext/internal/cli"
)

// progress shows on standard error how the work goes: with a bar on a terminal, with one line at the start
// and one at the end of each phase elsewhere.
type progress struct {
	w        io.Writer
	terminal bool
}

func newProgress(w io.Writer) *progress { return &progress{w, cli.IsTerminal(w)} }

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
	ended bool
}

// start begins a phase of so many images or layers, or of no countable work if total is 0.
func (p *progress) start(name string, total int) *phase {
	f := &phase{progress: p, name: name, total: total, begin: time.Now()}
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
	default:
		fmt.Fprintf(p.w, "%s\n", name)
	}
	return f
}

// step shows that done items are finished.
func (f *phase) step(done, _ int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bar != nil && !f.ended {
		_ = f.bar.Set(done)
	}
}

// end closes the phase. After an error only the bar is taken away; the error speaks for itself.
func (f *phase) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	if f.progress.terminal {
		fmt.Fprint(f.progress.w, "\r\x1b[K") // back to the start of the line and clear it
	}
	if err != nil {
		return
	}
	took := time.Since(f.begin)
	fmt.Fprintf(f.progress.w, "%s: %s", f.name, cli.Seconds(took))
	if f.total > 0 {
		fmt.Fprintf(f.progress.w, " (%.3g %ss/s)", float64(f.total)/max(took, 1).Seconds(), item(f.name))
	}
	fmt.Fprintln(f.progress.w)
}
