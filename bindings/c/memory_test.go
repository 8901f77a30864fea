package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRoom(t *testing.T) {
	for _, size := range []int64{0, 1, arena, 3*arena + 1} {
		require.NoError(t, room(size), "%d", size)
	}
	for _, size := range []int64{-1, most + 1, math.MaxInt64 - arena, math.MaxInt64, math.MinInt64} {
		err := room(size)
		var f *failure
		require.ErrorAs(t, err, &f, "%d", size)
		require.Equal(t, statusMemory, f.status)
		require.ErrorContains(t, err, "bytes of memory")
	}
}
