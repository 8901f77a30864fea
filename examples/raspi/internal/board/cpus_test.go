package board

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseCPUs(t *testing.T) {
	for list, want := range map[string][]int{"0": {0}, "2,3": {2, 3}, "1-3": {1, 2, 3}, "3,0-1,1": {0, 1, 3}} {
		got, err := ParseCPUs(list)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, bad := range []string{"", ",", "a", "-1", "3-1", "1-", "0-99999999999", "1024", "1,,2", "0-2-3"} {
		_, err := ParseCPUs(bad)
		require.Error(t, err, bad)
	}
}

func TestDefaultThreads(t *testing.T) {
	for cores, want := range map[int]int{0: 1, 1: 1, 2: 2, 3: 3, 4: 3, 8: 7} {
		require.Equal(t, want, DefaultThreads(cores))
	}
}
