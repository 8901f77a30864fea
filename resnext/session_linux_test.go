package resnext

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestSessionsKeepToTheirCPUs: a thread that is bound to one CPU gets sessions of one thread unless it asks for more.
func TestSessionsKeepToTheirCPUs(t *testing.T) {
	runtime.LockOSThread() // and never unlocked, so that the thread ends with this goroutine
	var before, one unix.CPUSet
	require.NoError(t, unix.SchedGetaffinity(0, &before))
	for cpu := 0; one.Count() == 0; cpu++ {
		if before.IsSet(cpu) {
			one.Set(cpu)
		}
	}
	require.NoError(t, unix.SchedSetaffinity(0, &one))
	defer func() { require.NoError(t, unix.SchedSetaffinity(0, &before)) }()
	m, err := New(randomQuantised(tinyConfig(), 1), Options{})
	require.NoError(t, err)
	s, err := m.NewSession(SessionOptions{})
	require.NoError(t, err)
	defer s.Close()
	require.Equal(t, 1, s.Threads())
}
