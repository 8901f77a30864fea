// Package group runs programs such that they end together with everything they started.
package group

import (
	"context"
	"os/exec"
	"time"
)

// Command is exec.CommandContext for a program in a group of its own. When ctx ends, the program and everything it
// started are asked to end, and killed after the grace period. End it with Wait.
func Command(ctx context.Context, grace time.Duration, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...)
	own(c)
	c.Cancel = func() error { return ask(c) }
	c.WaitDelay = grace
	return c
}

// Wait is exec.Cmd.Wait, and kills what the program leaves behind.
func Wait(c *exec.Cmd) error {
	err := c.Wait()
	force(c)
	return err
}
