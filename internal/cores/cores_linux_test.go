package cores

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestBound: a thread that is bound to one CPU may use one.
func TestBound(t *testing.T) {
	runtime.LockOSThread() // and never unlocked, so that the thread ends with this goroutine
	var before, one unix.CPUSet
	require.NoError(t, unix.SchedGetaffinity(0, &before))
	require.Equal(t, before.Count(), bound())
	for cpu := 0; one.Count() == 0; cpu++ {
		if before.IsSet(cpu) {
			one.Set(cpu)
		}
	}
	require.NoError(t, unix.SchedSetaffinity(0, &one))
	defer func() { require.NoError(t, unix.SchedSetaffinity(0, &before)) }()
	require.Equal(t, 1, bound())
	require.Equal(t, 1, Usable())
}
