package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
)

// TestCompare: two runs stand side by side, with what differs, and the layers that gained or lost.
func TestCompare(t *testing.T) {
	report := func(name string, args ...string) string {
		code, stdout, stderr := invoke(append(args, "--weights", tiny, "--limit", "8", "--layers", "--json", "--out", filepath.Join(t.TempDir(), "m"))...)
		require.Equal(t, cli.Done, code, stderr)
		return write(t, name, []byte(stdout))
	}
	a, b := report("a.json", "--effort", "fast"), report("b.json", "--observer", "minmax")
	code, stdout, stderr := invoke("compare", a, b)
	require.Equal(t, cli.Done, code, stderr)
	require.Empty(t, stderr)
	for _, words := range []string{"a.json", "b.json", "effort", "fast", "default", "differs", "minmax", "logits SQNR", "agreement", "time, int8", "SQNR of the layers that differ by 0.5 dB"} {
		require.Contains(t, stdout, words)
	}
	code, stdout, _ = invoke("compare", a, a)
	require.Equal(t, cli.Done, code)
	require.Regexp(t, `effort +fast +fast *\n`, stdout)
	require.Contains(t, stdout, "the same")
	require.Contains(t, stdout, "+0.0 dB")
	require.Contains(t, stdout, "no layer's SQNR differs by 0.5 dB or more")

	for content, want := range map[string]string{
		"":                 "is not what calib --json prints",
		"[]":               "is not what calib --json prints",
		`{"version": "1"}`: "version and arch are missing",
		`{"version": 1}`:   "is not what calib --json prints",
		`{"version":"1","arch":"` + strings.Repeat("x", 10): "is not what calib --json prints",
	} {
		bad := write(t, "bad.json", []byte(content))
		code, _, stderr := invoke("compare", a, bad)
		require.Equal(t, cli.Failed, code)
		require.Contains(t, stderr, "bad.json: is not what calib --json prints")
		require.Contains(t, stderr, want)
	}
	code, _, stderr = invoke("compare", a)
	require.Equal(t, cli.Misuse, code)
	require.Contains(t, stderr, "a report")
	code, _, _ = invoke("compare", a, filepath.Join(t.TempDir(), "none"))
	require.Equal(t, cli.Failed, code)
}

// TestCompareAlarms: what was wrong in a run stands with its name, and what is not known is a dash.
func TestCompareAlarms(t *testing.T) {
	one := 0.5
	text, err := json.Marshal(report{Version: "1", Arch: "x", Float: accuracy{Top1: &one}, Doubt: "labels are in another order", Warnings: []string{"odd \x1b[31m"}})
	require.NoError(t, err)
	a := write(t, "a.json", text)
	b := write(t, "b.json", []byte(`{"version":"1","arch":"y"}`))
	code, stdout, stderr := invoke("compare", a, b)
	require.Equal(t, cli.Done, code, stderr)
	require.Contains(t, stdout, "a.json: labels are in another order")
	require.NotContains(t, stdout, "\x1b")
	require.Regexp(t, `top-1, float +50.00% +-`, stdout)
}
