// Package cli holds what the command-line tools share: exit codes and one-line errors, help that fits a
// terminal of 80 columns, tables, and numbers with units.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/libresnext/libresnext/internal/text"
)

// The exit codes of every tool.
const (
	Done   = 0 // everything asked for was done
	Failed = 1 // something could not be done; standard error says what
	Misuse = 2 // the command line cannot be meant; nothing was done
)

// usageError is a command line that cannot be meant.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// Usage makes an error that ends the tool with the exit code Misuse.
func Usage(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// ErrReported ends a tool with the exit code Failed and no further words: the errors were printed as they came.
var ErrReported = errors.New("errors were reported")

// Execute runs the command line and returns the exit code. An error becomes one message on stderr, which
// begins with the tool's name. Failing to write to stdout is an error too.
func Execute(ctx context.Context, root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	out := &output{w: stdout}
	setUp(root)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil && out.err != nil {
		err = fmt.Errorf("cannot write the output: %w", out.err)
	}
	if err == nil {
		return Done
	}
	if !errors.Is(err, ErrReported) {
		Report(stderr, root.Name(), err)
	}
	if usage := (*usageError)(nil); errors.As(err, &usage) {
		return Misuse
	}
	return Failed
}

// Report prints an error as Execute does.
func Report(stderr io.Writer, tool string, err error) {
	fmt.Fprintf(stderr, "%s: %s\n", tool, message(err))
}

// Warn prints a warning.
func Warn(stderr io.Writer, tool, format string, args ...any) {
	fmt.Fprintf(stderr, "%s: warning: %s\n", tool, text.PrintableLines(fmt.Sprintf(format, args...)))
}

// packages are the names with which libraries begin their messages. People need the file's name first.
var packages = []string{"images: ", "resnext: ", "pixel: "}

// message words an error for people: the file comes first, and nothing in it can steer the terminal.
func message(err error) string {
	words := err.Error()
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		words = strings.Replace(words, path.Error(), path.Path+": "+path.Err.Error(), 1)
	}
	for _, p := range packages {
		words = strings.TrimPrefix(words, p)
	}
	return text.PrintableLines(words)
}

// Plain is an error with the words that Report uses, to be put into a longer one.
func Plain(err error) error { return &plain{err} }

type plain struct{ err error }

func (p *plain) Error() string { return message(p.err) }
func (p *plain) Unwrap() error { return p.err }

// output remembers the first failure to write.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}
