// Command raspi-live says what a camera sees, all the time: on a Raspberry Pi or any other computer with a camera. It
// needs a model that calib made, and nothing else.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/libresnext/libresnext/internal/cli"
)

// tool is the name with which messages begin.
const tool = "raspi-live"

func main() {
	// Without a receiver the signal of a pipe that nobody reads would end the program before it can say so. To ignore the
	// signal instead would bind the programs that are started from here too.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	context.AfterFunc(ctx, stop) // the second signal ends it at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// endings are the signals that end the program in order. The one of a terminal that is closed is among them, so that no
// camera program is left behind, but not where nohup wants it ignored.
func endings() []os.Signal {
	signals := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// run is the whole program: it runs a command line until ctx ends, and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return cli.Execute(ctx, rootCommand(stdin, stdout, stderr), args, stdout, stderr)
}
