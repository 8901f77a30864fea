package board

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// affinity is what Pin did.
var affinity struct {
	sync.Mutex
	pinned       bool
	before, kept unix.CPUSet
}

// Pin keeps the whole program to the given CPUs and lets Go use as many threads as there are of them. Programs that are
// started by way of Elsewhere are not bound by it. Call it before anything that computes.
func Pin(cpus []int) error {
	affinity.Lock()
	defer affinity.Unlock()
	var before, wanted unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("cannot ask which CPUs there are: %w", err)
	}
	for _, n := range cpus {
		if !before.IsSet(n) {
			return fmt.Errorf("there is no CPU %d for this program: it may use %s", n, listCPUs(&before))
		}
		wanted.Set(n)
	}
	if err := pinThreads(&wanted); err != nil {
		return fmt.Errorf("cannot choose CPUs: %w", err)
	}
	runtime.GOMAXPROCS(len(cpus))
	affinity.pinned, affinity.before, affinity.kept = true, before, wanted
	return nil
}

// pinThreads moves every thread of the program. New ones have the CPUs of the thread that makes them, so it is enough to
// look again until there is no thread that was not moved.
func pinThreads(wanted *unix.CPUSet) error {
	moved := map[int]bool{}
	for again := true; again; {
		again = false
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, t := range tasks {
			id, err := strconv.Atoi(t.Name())
			if err != nil || moved[id] {
				continue
			}
			if err := unix.SchedSetaffinity(id, wanted); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
			moved[id], again = true, true
		}
	}
	return nil
}

// Elsewhere calls start, which starts a program, such that the program may use all the CPUs that this one might before
// Pin: a camera's program should not share those of the network.
func Elsewhere(start func() error) error {
	affinity.Lock()
	defer affinity.Unlock()
	if !affinity.pinned {
		return start()
	}
	// A new process has the CPUs of the thread that starts it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.SchedSetaffinity(0, &affinity.before); err != nil {
		return start()
	}
	defer func() { _ = unix.SchedSetaffinity(0, &affinity.kept) }() // it was possible once
	return start()
}

func listCPUs(set *unix.CPUSet) string {
	text := ""
	for n := range maxCPU + 1 {
		if set.IsSet(n) {
			text += fmt.Sprintf(",%d", n)
		}
	}
	return text[min(1, len(text)):]
}
