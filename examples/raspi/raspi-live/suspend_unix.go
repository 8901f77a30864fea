//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/libresnext/libresnext/examples/raspi/internal/terminal"
)

// sleepOnRequest gives the terminal back before the program is stopped by Ctrl-Z.
func sleepOnRequest(v *terminal.View) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTSTP)
	go func() {
		for range asked {
			v.Suspend(func() {
				_ = syscall.Kill(syscall.Getpid(), syscall.SIGSTOP) // it may always signal itself
				time.Sleep(50 * time.Millisecond)                   // the signal takes a moment
			})
		}
	}()
}
