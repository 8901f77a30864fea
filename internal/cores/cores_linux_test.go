package cores

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cores/onecpu"
)

// TestBound: a thread that is bound to one CPU may use one.
func TestBound(t *testing.T) {
	before := bound()
	require.Equal(t, before, onecpu.Bind(t))
	require.Equal(t, 1, bound())
	require.Equal(t, 1, Usable())
}
