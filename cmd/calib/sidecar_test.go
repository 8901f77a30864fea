package main

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant/hub"
	"github.com/libresnext/libresnext/quant/match"
	"github.com/libresnext/libresnext/quant/weights"
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

// TestNormalisation: what a file says of its images holds unless the command line says more; a graph that normalises itself
// allows no more, and a network for gray images wants the same of all colours.
func TestNormalisation(t *testing.T) {
	in := &match.Normalisation{Mean: [3]float32{0.1, 0.2, 0.3}, Std: [3]float32{0.4, 0.5, 0.6}}
	one := func(v float32) *[3]float32 { return &[3]float32{v, v, v} }
	many := &[3]float32{1, 2, 3}
	for name, c := range map[string]struct {
		from      weights.Source
		mean, std *[3]float32
		want      [2][3]float32
		err       string
	}{
		"neither":            {weights.Source{}, nil, nil, [2][3]float32{{0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}}, ""},
		"a checkpoint":       {weights.Source{Normalisation: in}, nil, nil, [2][3]float32{in.Mean, in.Std}, ""},
		"a checkpoint, mean": {weights.Source{Normalisation: in}, one(0.7), nil, [2][3]float32{*one(0.7), in.Std}, ""},
		"a graph":            {weights.Source{Normalisation: in, Graph: true}, nil, nil, [2][3]float32{in.Mean, in.Std}, ""},
		"a graph, std":       {weights.Source{Normalisation: in, Graph: true, Path: "x.onnx"}, nil, one(1), [2][3]float32{}, "x.onnx normalises its images itself, by the mean 0.1, 0.2, 0.3"},
		"gray":               {weights.Source{Gray: true}, nil, nil, [2][3]float32{*one(0.449), *one(0.226)}, ""},
		"gray, mean":         {weights.Source{Gray: true}, one(0.13), nil, [2][3]float32{*one(0.13), *one(0.226)}, ""},
		"gray, three means":  {weights.Source{Gray: true}, many, nil, [2][3]float32{}, "--mean is 1, 2, 3, and the network takes gray images: give one number"},
	} {
		t.Run(name, func(t *testing.T) {
			c.from.Hub = &hub.Info{}
			p := &plan{net: &floatNetwork{from: &c.from}, settings: &settings{mean: c.mean, std: c.std}, preprocess: resnext.ImageNetPreprocess()}
			if c.mean != nil {
				p.preprocess.Mean = *c.mean
			}
			if c.std != nil {
				p.preprocess.Std = *c.std
			}
			err := errors.Join(p.normaliseAsFile(), p.normaliseGray())
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			for i := range 3 {
				require.InDelta(t, c.want[0][i], p.preprocess.Mean[i], 1e-3)
				require.InDelta(t, c.want[1][i], p.preprocess.Std[i], 1e-3)
			}
		})
	}
}
