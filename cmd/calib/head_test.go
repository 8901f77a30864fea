package main

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
)

// TestHead: the model file has the head that was asked for, and the report words the comparison as suits it.
func TestHead(t *testing.T) {
	for head, want := range map[string]struct {
		head    string
		classes int
		words   []string
	}{
		"classes":    {"", 10, []string{"10 classes", "same answer for", "next: resnext classify"}},
		"multilabel": {"multilabel", 10, []string{"10 labels, any of which", "% of the labels on", "next: resnext classify"}},
		"embedding":  {"embedding", 0, []string{"a vector of 256 numbers, no classes", "mean cosine similarity 0.9", "next: resnext embed"}},
	} {
		t.Run(head, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "m.int8.safetensors")
			code, stdout, stderr := invoke("--weights", tiny, "--limit", "8", "--head", head, "--out", out)
			require.Equal(t, cli.Done, code, stderr)
			for _, words := range want.words {
				require.Contains(t, stdout, words)
			}
			m, err := resnext.Open(out)
			require.NoError(t, err)
			require.EqualValues(t, want.head, m.Config().Head)
			require.Equal(t, want.classes, m.Config().Classes)
			require.Empty(t, m.Labels())
		})
	}
	out := filepath.Join(t.TempDir(), "m.int8.safetensors")
	code, stdout, stderr := invoke("--weights", tiny, "--limit", "8", "--head", "embedding", "--layers", "--json", "--effort", "fast", "--out", out)
	require.Equal(t, cli.Done, code, stderr)
	var r report
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	require.Greater(t, r.Agreement, 0.9)
	require.NotEmpty(t, r.Layers)
}

// TestHeadMisuse: what compares or names classes is refused where there are none.
func TestHeadMisuse(t *testing.T) {
	labels := write(t, "labels.txt", []byte("a\nb\n"))
	for _, c := range []struct {
		code int
		args []string
		want string
	}{
		{cli.Misuse, []string{"--head", "tail"}, `--head is "tail", expected classes, multilabel or embedding`},
		{cli.Misuse, []string{"--head", "embedding", "--eval", fashion + "test.zip"}, "--eval compares classes, and a network without a classifier has no classes"},
		{cli.Misuse, []string{"--head", "multilabel", "--report", filepath.Join(t.TempDir(), "r.html")}, "--report compares classes, and a multi-label network has no one right class"},
		{cli.Misuse, []string{"--head", "embedding", "--labels", labels}, "--labels names classes"},
		{cli.Failed, []string{"--head", "embedding", "--export-onnx", filepath.Join(t.TempDir(), "m.onnx")}, "--export-onnx cannot say"},
	} {
		code, stdout, stderr := invoke(append([]string{"--weights", tiny, "--limit", "8", "--out", filepath.Join(t.TempDir(), "m")}, c.args...)...)
		require.Equal(t, c.code, code, stderr)
		require.Empty(t, stdout)
		require.Contains(t, stderr, c.want)
	}
}
