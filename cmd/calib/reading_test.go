package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// TestStrideOn: what a state dict does not tell can be told, and nothing else can.
func TestStrideOn(t *testing.T) {
	const weights, family = fashion + "resnext20_8x4d.pth", "../../testdata/family/"
	out := filepath.Join(t.TempDir(), "m.int8.safetensors")
	run := func(args ...string) (int, string) {
		code, _, stderr := invoke(append(args, "--images", fashion+"calib.zip", "--limit", "8", "--effort", "fast", "--out", out)...)
		return code, stderr
	}
	for where, want := range map[string]topology.Role{"1x1": topology.Reduce, "3x3": topology.Transform} {
		code, stderr := run("--weights", weights, "--stride-on", where)
		require.Equal(t, cli.Done, code, stderr)
		m, err := resnext.Open(out)
		require.NoError(t, err)
		require.Equal(t, want, m.Config().Stages[1].StrideRole())
	}
	for _, c := range []struct {
		code int
		args []string
		want string
	}{
		{cli.Misuse, []string{"--weights", weights, "--stride-on", "5x5"}, `--stride-on is "5x5", expected 1x1 or 3x3`},
		{cli.Failed, []string{"--weights", family + "resnet20_a.safetensors", "--stride-on", "1x1"}, "has no bottlenecks: leave --stride-on out"},
		{cli.Failed, []string{"--weights", "../../quant/weights/testdata/exports/script_folded.onnx", "--stride-on", "1x1"}, "says itself where the strides are"},
	} {
		code, stderr := run(c.args...)
		require.Equal(t, c.code, code, stderr)
		require.Contains(t, stderr, c.want)
	}
}

// TestGuessIsSaid: what a state dict does not tell is not taken in silence.
func TestGuessIsSaid(t *testing.T) {
	const said = "strides: on the 3x3 convolution ("
	out := filepath.Join(t.TempDir(), "m.int8.safetensors")
	for _, c := range []struct {
		args []string
		said bool
	}{
		{[]string{"--weights", fashion + "resnext20_8x4d.pth"}, true},
		{[]string{"--weights", fashion + "resnext20_8x4d.pth", "--stride-on", "3x3"}, false},
		{[]string{"--weights", fashion + "resnext20_8x4d.pth", "--arch", "resnext20_8x4d_w2"}, false},
		{[]string{"--weights", "../../quant/weights/testdata/exports/script_folded.onnx"}, false},
	} {
		code, stdout, stderr := invoke(append(c.args, "--images", fashion+"calib.zip", "--limit", "4", "--effort", "fast", "--out", out)...)
		require.Equal(t, cli.Done, code, stderr)
		if c.said {
			require.Contains(t, stdout, said)
		} else {
			require.NotContains(t, stdout, said)
		}
	}
}
