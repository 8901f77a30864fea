//go:build unix

package guard

import (
	"runtime/debug"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// TestFences touches one byte outside of each end and wants the fault.
func TestFences(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	for _, n := range []int{1, 7, 4096, 5000} {
		end, start := End[int8](t, n), Start[int8](t, n)
		end[0], end[n-1], start[0], start[n-1] = 1, 2, 3, 4
		require.Panics(t, func() { sink = *(*int8)(unsafe.Add(unsafe.Pointer(&end[0]), n)) })
		require.Panics(t, func() { sink = *(*int8)(unsafe.Add(unsafe.Pointer(&start[0]), -1)) })
	}
	require.Equal(t, []int32{5, 6}, Copy(t, []int32{5, 6}, true))
	require.Equal(t, []int32{5, 6}, Copy(t, []int32{5, 6}, false))
}

var sink int8
