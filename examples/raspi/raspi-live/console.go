package main

import (
	"fmt"
	"io"
	"sync"

	"github.com/libresnext/libresnext/examples/raspi/internal/terminal"
	"github.com/libresnext/libresnext/internal/cli"
)

// keptMessages is how many messages are told again when the view, which hid them, is gone.
const keptMessages = 5

// console tells people what happens: on standard error, or in the view while that has the terminal.
type console struct {
	stderr io.Writer

	mu   sync.Mutex
	view *terminal.View
	kept []string
}

// Report tells one message.
func (c *console) Report(format string, args ...any) {
	text := cli.Printable(fmt.Sprintf(format, args...))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.view == nil {
		c.print(text)
		return
	}
	c.view.Message(text)
	if !cli.IsTerminal(c.stderr) {
		c.print(text)
		return
	}
	c.kept = append(c.kept, text)
	c.kept = c.kept[max(0, len(c.kept)-keptMessages):]
}

func (c *console) print(text string) { fmt.Fprintf(c.stderr, "%s: %s\n", tool, text) }

// show lets the view have the terminal, or, if it is nil, gives it back.
func (c *console) show(v *terminal.View) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.view = v
	if v == nil {
		for _, text := range c.kept {
			c.print(text)
		}
		c.kept = nil
	}
}
