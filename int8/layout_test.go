package int8

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLayout(t *testing.T) {
	require.Equal(t, Layout{8, 14, 16, 128}, Grouped(112, 8))
	require.Equal(t, Layout{4, 24, 24, 96}, Grouped(96, 4))
	require.Equal(t, Layout{3, 2, 4, 16}, Grouped(6, 3))
	require.Equal(t, Layout{1, 33, 33, 48}, Grouped(33, 1))
	l := Grouped(28, 2)
	require.Equal(t, 28, l.Channels())
	require.Equal(t, 16+1, l.At(15))
}
