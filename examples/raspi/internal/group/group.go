// Package group runs programs such that they end together with everything they started.
package group

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// Command is exec.CommandContext for a program in a group of its own. When ctx ends, the program and everything it
// started are asked to end, and killed after the grace period. End it with Wait.
func Command(ctx context.Context, grace time.Duration, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...)
	c.Env = Environ()
	own(c)
	c.Cancel = func() error { return ask(c) }
	c.WaitDelay = grace
	return c
}

// private names what is meant for this program alone: systemd's watch over it, and its password.
var private = []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "RESNEXT_MQTT_PASSWORD"}

// Environ is os.Environ without what is meant for this program alone.
func Environ() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(private, name)
	})
}

// Wait is exec.Cmd.Wait, and kills what the program leaves behind.
func Wait(c *exec.Cmd) error {
	err := c.Wait()
	force(c)
	return err
}
