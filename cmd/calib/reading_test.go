package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// quickly gives a function that calibrates with a few images, and the model's file.
func quickly(t *testing.T) (out string, run func(args ...string) (code int, stderr string)) {
	out = filepath.Join(t.TempDir(), "m.int8.safetensors")
	return out, func(args ...string) (int, string) {
		code, _, stderr := invoke(append(args, "--images", fashion+"calib.zip", "--limit", "4", "--effort", "fast", "--out", out)...)
		return code, stderr
	}
}

// TestStrideOn: what a state dict does not tell can be told, and nothing else can.
func TestStrideOn(t *testing.T) {
	const weights, family = fashion + "resnext20_8x4d.pth", "../../testdata/family/"
	out, run := quickly(t)
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

// TestReadingOptions: what a state dict does not tell can be told, each with what it is for, and nothing else can.
func TestReadingOptions(t *testing.T) {
	const weights, family = fashion + "resnext20_8x4d.pth", "../../testdata/family/"
	out, run := quickly(t)
	code, stderr := run("--weights", weights, "--stem", "3x3/2,pool", "--anti-alias", "blur", "--channels", "bgr")
	require.Equal(t, cli.Done, code, stderr)
	m, err := resnext.Open(out)
	require.NoError(t, err)
	require.Equal(t, 2, m.Config().Stem.Convs[0].Stride)
	require.EqualValues(t, "max_blur", m.Config().Stem.Pool)
	require.EqualValues(t, "blur", m.Config().Stages[1].AntiAlias)
	code, stderr = run("--weights", family+"resnet20_a.safetensors", "--shortcut-pad", "behind")
	require.Equal(t, cli.Done, code, stderr)
	for _, c := range []struct {
		code int
		args []string
		want string
	}{
		{cli.Misuse, []string{"--weights", weights, "--stem", "3x5"}, `--stem is "3x5", expected the kernel`},
		{cli.Misuse, []string{"--weights", weights, "--stem", "3x3/3"}, "expected the kernel"},
		{cli.Misuse, []string{"--weights", weights, "--channels", "gbr"}, `--channels is "gbr", expected rgb or bgr`},
		{cli.Misuse, []string{"--weights", weights, "--anti-alias", "max"}, "expected none, average or blur"},
		{cli.Misuse, []string{"--weights", weights, "--anti-alias", "blur", "--stride-on", "1x1"}, "leave --stride-on out"},
		{cli.Misuse, []string{"--weights", weights, "--shortcut-pad", "left"}, "expected around or behind"},
		{cli.Failed, []string{"--weights", weights, "--stem", "7x7/2,pool"}, "has another: the stem is not one convolution of 7x7: leave --stem out"},
		{cli.Failed, []string{"--weights", weights, "--shortcut-pad", "behind"}, "has no shortcuts that are padded"},
		{cli.Failed, []string{"--weights", "../../quant/weights/testdata/exports/script_folded.onnx", "--stem", "7x7"}, "says itself how the stem is, which is 7x7/2,pool"},
		{cli.Failed, []string{"--weights", "../../quant/weights/testdata/exports/script_folded.onnx", "--anti-alias", "blur"}, "says itself how maps are halved"},
		{cli.Failed, []string{"--weights", "../../quant/weights/testdata/exports/script_folded.onnx", "--shortcut-pad", "around"}, "says itself what is in the shortcuts"},
		{cli.Failed, []string{"--weights", weights, "--key", "teacher"}, `no network under the key "teacher"`},
		{cli.Failed, []string{"--weights", "../../quant/weights/testdata/exports/script_folded.onnx", "--key", "x"}, "holds one network: leave --key out"},
	} {
		code, stderr := run(c.args...)
		require.Equal(t, c.code, code, stderr)
		require.Contains(t, stderr, c.want)
	}
}
