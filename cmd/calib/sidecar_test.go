package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
)

const exports = "../../quant/weights/testdata/exports/"

// A hub's sidecars are used and shown, except where the command line says otherwise.
func TestFilesBesideTheWeights(t *testing.T) {
	out := filepath.Join(t.TempDir(), "m.safetensors")
	args := []string{"--weights", exports + "transformers", "--images", fashion + "calib.zip", "--limit", "4", "--out", out}
	code, stdout, stderr := invoke(args...)
	require.Equal(t, cli.Done, code, stderr)
	for _, shown := range []string{
		"model.safetensors (safetensors, transformers names)", "64x64 pixels RGB, width x height (" + fromSidecar,
		"resize the shorter side to 73, bicubic; crop 64x64", "ant, bee, cat, ...", "0.25 (" + fromSidecar,
	} {
		require.Contains(t, stdout, shown)
	}
	model, err := resnext.Open(out)
	require.NoError(t, err)
	require.Equal(t, []string{"ant", "bee", "cat", "dog", "eel"}, model.Labels())

	code, stdout, stderr = invoke(append(args, "--resize-filter", "bilinear", "--crop", "32", "--mean", "0.1", "--std", "0.2")...)
	require.Equal(t, cli.Done, code, stderr)
	require.Contains(t, stdout, "resize the shorter side to 37, bilinear; crop 32x32")
	require.Contains(t, stdout, "0.1 (given)")
	require.Contains(t, stdout, "0.2 (given)")
}

// An ONNX file with a fixed size fixes the input.
func TestONNXWeights(t *testing.T) {
	code, stdout, stderr := invoke("--weights", exports+"dynamo.onnx", "--images", fashion+"calib.zip", "--limit", "4", "--out", filepath.Join(t.TempDir(), "m"))
	require.Equal(t, cli.Done, code, stderr)
	require.Contains(t, stdout, "dynamo.onnx (onnx, opset 20, written by pytorch")
	require.Contains(t, stdout, "64x64 pixels RGB, width x height (fixed by the weights' file)")
}

func TestModelNames(t *testing.T) {
	for reference, want := range map[string]string{
		"a/net.onnx": "net", "net.t7": "net", "net.npz": "net", "a/folder": "folder", "folder/": "folder",
		"model.safetensors.index.json": "model", "x.safetensors": "x",
	} {
		require.Equal(t, want+".int8.safetensors", modelName(&settings{options: options{weights: reference}}), reference)
	}
}
