//go:build unix

package group

import (
	"os/exec"
	"syscall"
)

// own also keeps keys pressed in the terminal away from the program.
func own(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func ask(c *exec.Cmd) error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }

// force finds nobody if all went well.
func force(c *exec.Cmd) { _ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
