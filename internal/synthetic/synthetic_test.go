package synthetic

import (
	"fmt"
	"hash/crc32"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPicture: made-up pictures are the same on every machine, differ from each other, are smooth, and use
// the range of a byte.
func TestPicture(t *testing.T) {
	sum := crc32.NewIEEE()
	seen := map[uint32]bool{}
	used := map[byte]bool{}
	steps, total := 0, 0
	for i := range uint64(16) {
		rgb, err := Picture(96, 64, 1, i)
		require.NoError(t, err)
		require.Len(t, rgb, 64*96*3)
		sum.Write(rgb)
		seen[crc32.ChecksumIEEE(rgb)] = true
		for at := 3; at < len(rgb); at++ {
			used[rgb[at]] = true
			if at%(96*3) >= 3 {
				steps += max(int(rgb[at])-int(rgb[at-3]), int(rgb[at-3])-int(rgb[at]))
				total++
			}
		}
	}
	require.Len(t, seen, 16)
	require.Greater(t, len(used), 200)
	require.Less(t, float64(steps)/float64(total), 8.0) // 85 in white noise
	require.Equal(t, "bb7da5fa", fmt.Sprintf("%08x", sum.Sum32()))
	other, err := Picture(96, 64, 2, 0)
	require.NoError(t, err)
	require.False(t, seen[crc32.ChecksumIEEE(other)])
}

func TestPictureRefusesImpossibleSizes(t *testing.T) {
	_, err := Picture(0, 10, 1, 1)
	require.Error(t, err)
}
