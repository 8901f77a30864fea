// Package onecpu binds tests to one CPU.
package onecpu

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// Bind binds the test's thread to one of the CPUs that it may run on, until the test ends, and returns how many these are.
// The thread is locked to the test's goroutine and ends with it.
func Bind(t testing.TB) int {
	t.Helper()
	runtime.LockOSThread()
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	for cpu := 0; one.Count() == 0; cpu++ {
		if before.IsSet(cpu) {
			one.Set(cpu)
		}
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.SchedSetaffinity(0, &before); err != nil {
			t.Error(err)
		}
	})
	return before.Count()
}
