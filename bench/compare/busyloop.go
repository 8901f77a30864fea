package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
)

// startBusyLoops starts n processes that only burn CPU time, as other programs on a busy machine do. They end with stop,
// or with this process.
func startBusyLoops(n int) (stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var stops []func()
	stop = func() {
		for _, s := range stops {
			s()
		}
	}
	for range n {
		cmd := exec.Command(self, busyArgument)
		life, err := cmd.StdinPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			stop()
			return nil, err
		}
		stops = append(stops, func() { _ = errors.Join(life.Close(), cmd.Wait()) })
	}
	return stop, nil
}

// busyLoop burns CPU time until life ends.
func busyLoop(life io.Reader) {
	var over atomic.Bool
	go func() {
		_, _ = io.Copy(io.Discard, life)
		over.Store(true)
	}()
	for !over.Load() {
	}
}
