package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant"
)

// TestExportONNX writes both files, and refuses names that cannot be meant before any work.
func TestExportONNX(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a b.onnx")
	code, stdout, stderr := invoke("--weights", tiny, "--limit", "3", "--out", filepath.Join(dir, "m"), "--export-onnx", path)
	require.Equal(t, cli.Done, code, stderr)
	require.Contains(t, stdout, "wrote "+path)
	require.Contains(t, string(read(t, path)), "calibration")
	r, _, _ := jsonReport(t, "--weights", tiny, "--limit", "3", "--export-onnx", path)
	require.Equal(t, path, r.ONNX)

	for name, c := range map[string]struct {
		args, want string
		code       int
	}{
		"the model":      {"--out m --export-onnx ./m", "--export-onnx ./m: it is also the file of --out", cli.Misuse},
		"the report":     {"--report r --export-onnx r", "it is also the file of --report", cli.Misuse},
		"no such folder": {"--export-onnx x/m.onnx", "--export-onnx x/m.onnx: the folder x cannot be used", cli.Failed},
		"a folder":       {"--export-onnx .", "--export-onnx .: it is a folder", cli.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			code, _, stderr := invoke(append([]string{"--weights", tiny, "--limit", "3"}, strings.Fields(c.args)...)...)
			require.Equal(t, c.code, code)
			require.Contains(t, stderr, c.want)
			require.NotContains(t, stderr, "calibrating")
			require.Empty(t, listing(t, "."))
		})
	}
}

// TestExportDepth: what other runtimes run too cannot overflow there, unless a depth is given.
func TestExportDepth(t *testing.T) {
	for _, given := range []string{"", acc16Flag, oldAcc16Flag} {
		o := options{weights: tiny, exportONNX: "m.onnx", acc16: "auto", observer: "mse", effort: "fast", percentile: 99.99, filter: "bilinear"}
		s, err := o.settings(func(flag string) bool { return flag == given })
		require.NoError(t, err)
		want := quant.DepthAuto
		if given == "" {
			want = exportDepth
		}
		require.Equal(t, want, s.acc16, given)
	}
}
