package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
)

// TestInterruptedWhileOpening: listing images can take long, and ends as soon as it is not wanted any more.
func TestInterruptedWhileOpening(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stdout, stderr := new(bytes.Buffer), &cancelOn{text: "making weights: ", cancel: cancel} // that is done
	code := run(ctx, []string{"--weights", tiny, "--limit", "3", "--out", t.TempDir() + "/m"}, stdout, stderr)
	require.Equal(t, cli.Failed, code)
	require.Contains(t, stderr.String(), "calib: interrupted\n")
	require.Empty(t, stdout.String())
}
