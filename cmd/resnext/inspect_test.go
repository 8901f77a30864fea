package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

func TestInspect(t *testing.T) {
	model := testModel(t)
	code, stdout, stderr := invoke("inspect", model)
	require.Equal(t, cli.Done, code)
	require.Empty(t, stderr)
	for _, want := range []string{
		"cardinality 4, base width 4", "28x28 pixels RGB", "format version 1, checksum crc32c:",
		"6: cat, dog, a\\u200e\\u00adb, 猫", "observer  mse", "stage 2", "7x7", "resize to 28x28, bilinear", "for each session",
	} {
		require.Contains(t, stdout, want)
	}
	require.NotContains(t, stdout, "stage1.block0.transform")
	_, withLayers, _ := invoke("inspect", "--layers", model)
	require.True(t, strings.HasPrefix(withLayers, stdout))
	for _, s := range []string{"stem", "stage1.block0.transform", "stage2.block1.expand", "classifier"} {
		require.Contains(t, withLayers, s)
	}
	for line := range strings.Lines(strings.ReplaceAll(withLayers, model, "m")) {
		require.LessOrEqual(t, utf8.RuneCountInString(line), 81, line)
	}
}

func TestInspectJSON(t *testing.T) {
	model := testModel(t)
	code, stdout, stderr := invoke("inspect", "--json", "--layers", model)
	require.Equal(t, cli.Done, code)
	require.Empty(t, stderr)
	var r inspection
	d := json.NewDecoder(strings.NewReader(stdout))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&r))
	info, err := os.Stat(model)
	require.NoError(t, err)
	m, err := resnext.Open(model)
	require.NoError(t, err)
	require.Equal(t, info.Size(), r.FileBytes)
	config, err := topology.Decode(string(r.Config), topology.FirstVersion)
	require.NoError(t, err)
	require.Equal(t, m.Config(), config)
	require.Equal(t, m.Preprocess(), r.Preprocess)
	require.Equal(t, m.Labels(), r.Labels)
	require.Equal(t, m.Calibration(), r.Calibration)
	require.Equal(t, m.Kernels(), r.Kernels)
	require.Equal(t, m.PackedBytes(), r.PackedBytes)
	require.Positive(t, r.ArenaBytes)
	sum, macs := 0.0, int64(0)
	for _, c := range r.Depths {
		sum += c.Share
	}
	require.InDelta(t, 1, sum, 1e-9)
	for _, l := range r.Layers {
		macs += l.MACs
	}
	require.Equal(t, r.MACs, macs+int64(config.Features()*config.Classes))

	_, stdout, _ = invoke("inspect", "--json", model)
	require.NotContains(t, stdout, `"layers"`)
}

func TestStageText(t *testing.T) {
	require.Empty(t, stageText(resnext.Stage{Stride: 2}))
	require.Equal(t, "basic blocks, shortcut padded with zeros", stageText(resnext.Stage{Kind: resnext.Basic, Shortcut: topology.Padded}))
	require.Equal(t, "stride on reduce, anti-aliased, averaged shortcut, gate of 16 hidden channels after expand", stageText(resnext.Stage{
		Stride: 2, StrideOn: topology.Reduce, AntiAlias: resnext.Average2x2, Shortcut: topology.AveragedProjection,
		Gate: topology.Gate{Kind: topology.SqueezeExcite, After: topology.Expand, Hidden: 16},
	}))
	require.Equal(t, "gate of 3 neighbours after expand", stageText(resnext.Stage{
		Gate: topology.Gate{Kind: topology.NeighbourGate, After: topology.Expand, Kernel: 3},
	}))
}

func TestDepthText(t *testing.T) {
	require.Equal(t, "none: all work runs on kernels that need no proof", depthText(shares(map[int]int64{0: 5})))
	require.Equal(t, "4 for 75%, 2 for 20%, none for 5% of the work", depthText(shares(map[int]int64{0: 5, 4: 75, 2: 20})))
}
