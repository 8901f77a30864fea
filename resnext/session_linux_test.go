package resnext

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cores/onecpu"
)

// TestSessionsKeepToTheirCPUs: a thread that is bound to one CPU gets sessions of one thread unless it asks for more.
func TestSessionsKeepToTheirCPUs(t *testing.T) {
	onecpu.Bind(t)
	m, err := New(randomQuantised(tinyConfig(), 1), Options{})
	require.NoError(t, err)
	s, err := m.NewSession(SessionOptions{})
	require.NoError(t, err)
	defer s.Close()
	require.Equal(t, 1, s.Threads())
}
