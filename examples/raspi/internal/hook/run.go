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
	// longestLine bounds a line of a command's output.
	longestLine = 500
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
	part []byte
}

func (w *lineWriter) Write(b []byte) (int, error) {
	w.part = append(w.part, b...)
	for {
		line, rest, whole := bytes.Cut(w.part, []byte("\n"))
		if !whole && len(line) < longestLine {
			return len(b), nil
		}
		w.say(string(line))
		w.part = append(w.part[:0], rest...)
	}
}

// flush hands on the last line if it has no end.
func (w *lineWriter) flush() {
	if len(w.part) > 0 {
		w.say(string(w.part))
	}
}
