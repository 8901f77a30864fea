package hook

import (
	"bytes"
	"context"
	"time"

	"github.com/libresnext/libresnext/examples/raspi/internal/board"
	"github.com/libresnext/libresnext/examples/raspi/internal/group"
)

const (
	// graceTime is how long a command may take to end when it is asked to.
	graceTime = 300 * time.Millisecond
	// longestLine bounds a line of a command's output, in bytes, mostLines how many of them are told.
	longestLine = 500
	mostLines   = 100
)

// run runs a command to its end, or until its time is up.
func (h *Hooks) run(k *hook, env []string) {
	ctx, cancel := context.WithTimeout(h.open, h.options.Timeout)
	defer cancel()
	cmd := group.Command(ctx, graceTime, "sh", "-c", k.command)
	lines := &lineWriter{say: func(line string) { h.options.Report("%s: %s", k.name, line) }}
	cmd.Env, cmd.Stdout, cmd.Stderr = env, lines, lines
	err := board.Elsewhere(cmd.Start)
	if err == nil {
		err = group.Wait(cmd)
	}
	lines.flush()
	switch {
	case h.open.Err() != nil: // the program ends
	case ctx.Err() != nil:
		h.options.Report("%s: %q ran longer than %s and was ended", k.name, k.command, h.options.Timeout)
	case err != nil:
		h.options.Report("%s: %q: %v", k.name, k.command, err)
	}
}

// lineWriter hands on what is written line by line.
type lineWriter struct {
	say  func(string)
	told int // lines
	part []byte
}

func (w *lineWriter) Write(b []byte) (int, error) {
	left := append(w.part, b...)
	for {
		line, rest, whole := bytes.Cut(left, []byte("\n"))
		if len(line) > longestLine {
			line, rest = left[:longestLine], left[longestLine:]
		} else if !whole && len(line) < longestLine {
			w.part = append(w.part[:0], left...)
			return len(b), nil
		}
		w.tell(line)
		left = rest
	}
}

// tell hands on a line, but not without end.
func (w *lineWriter) tell(line []byte) {
	switch w.told++; {
	case w.told <= mostLines:
		w.say(string(line))
	case w.told == mostLines+1:
		w.say("it says more, which is left out")
	}
}

// flush hands on the last line if it has no end.
func (w *lineWriter) flush() {
	if len(w.part) > 0 {
		w.tell(w.part)
	}
}
