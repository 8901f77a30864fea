package terminal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/libresnext/libresnext/examples/raspi/internal/live"
	"github.com/libresnext/libresnext/internal/cli"
)

// Lines is a live.Sink that writes lines of text for programs.
type Lines struct {
	out    io.Writer
	report func(format string, args ...any)
	gone   func(error)
	line   func(u *live.Update) []byte // nil: nothing to say

	failing bool // the last write failed
	ended   bool // nobody reads any more
}

// NewJSON writes one JSON object a line: first what does not change, as {"about": ...}, then each update. report is told
// once when writing fails; a full disk is tried again with the next update. gone is called when the reader is gone.
func NewJSON(out io.Writer, about live.About, report func(string, ...any), gone func(error)) *Lines {
	l := &Lines{out: out, report: report, gone: gone, line: func(u *live.Update) []byte { return encode(u) }}
	l.write(encode(map[string]any{"about": about}))
	return l
}

// NewPlain writes a line whenever the shown class changes: the time, the probability and the label, separated by tabs.
// See NewJSON for the rest.
func NewPlain(out io.Writer, report func(string, ...any), gone func(error)) *Lines {
	shown := -1
	return &Lines{out: out, report: report, gone: gone, line: func(u *live.Update) []byte {
		if u.Shown.Class == shown {
			return nil
		}
		shown = u.Shown.Class
		at := u.Time.Format("2006-01-02T15:04:05.000Z07:00")
		return fmt.Appendf(nil, "%s\t%.4f\t%s\n", at, u.Shown.Probability, cli.Printable(u.Shown.Label))
	}}
}

// encode gives a value as a line of JSON. Labels are written as they are: they are not meant for web pages.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return nil // a probability that is no number: no line is better than a wrong one
	}
	return b.Bytes()
}

// Publish writes a line.
func (l *Lines) Publish(u *live.Update) {
	if b := l.line(u); b != nil {
		l.write(b)
	}
}

// Close does nothing: every line was written at once.
func (l *Lines) Close() error { return nil }

func (l *Lines) write(b []byte) {
	if l.ended {
		return
	}
	if l.failing {
		b = append([]byte{'\n'}, b...) // the last line may have been written in part
	}
	_, err := l.out.Write(b)
	switch {
	case err == nil:
		if l.failing {
			l.report("the output can be written again")
		}
		l.failing = false
	case errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) || errors.Is(err, io.ErrClosedPipe):
		l.ended = true
		l.gone(err)
	case !l.failing:
		l.failing = true
		l.report("cannot write the output: %v; trying again", err)
	}
}
