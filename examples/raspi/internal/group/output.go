package group

import (
	"context"
	"errors"
	"time"
)

// errTooLong ends a program that says more than was asked for.
var errTooLong = errors.New("its output is too long")

// Output runs a program that answers in a few words, and gives its standard output. A program that writes more than
// limit bytes, or is not done when ctx ends, is ended with all that it started.
func Output(ctx context.Context, limit int, name string, args ...string) (string, error) {
	c := Command(ctx, 100*time.Millisecond, name, args...)
	out := &bounded{left: limit}
	c.Stdout = out
	if err := c.Start(); err != nil {
		return "", err
	}
	if err := Wait(c); err != nil {
		return "", err
	}
	return string(out.b), nil
}

// bounded takes so many bytes. It has no method but Write, so that nobody reads into it past the limit.
type bounded struct {
	b    []byte
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	if len(p) > b.left {
		return 0, errTooLong
	}
	b.left -= len(p)
	b.b = append(b.b, p...)
	return len(p), nil
}
