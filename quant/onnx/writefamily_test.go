package onnx

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// exported are networks with everything that a graph says beside those of testnet.Forms.
func exported() map[string]resnext.Config {
	all := testnet.Gated()
	aa := testnet.Forms()["ImageNet form"].Clone()
	aa.Stem.Pool = topology.Average2x2
	aa.Stages[1].AntiAlias = topology.Average2x2
	all["anti-aliased"] = aa
	blurred := testnet.Forms()["ImageNet form"].Clone()
	blurred.Stem.Pool = topology.MaxBlur
	blurred.Stages[1].AntiAlias = topology.Blur3x3
	all["blurred"] = blurred
	padded := testnet.Forms()["basic blocks"].Clone()
	padded.Stages[1].Shortcut, padded.Head = topology.Padded, topology.MultiLabel
	all["padded"] = padded
	return all
}

// TestFamilyAnswers runs graphs with gates and averages by the operators' definitions. The gates cost as little as the
// rest.
func TestFamilyAnswers(t *testing.T) {
	for name, cfg := range exported() {
		t.Run(name, func(t *testing.T) {
			db := exactness(t, cfg)
			t.Logf("%.1f dB", db)
			require.Greater(t, db, 30.0)
		})
	}
}

// TestGatesAreSeen: without the weights of its gates a graph would be farther from the network.
func TestGatesAreSeen(t *testing.T) {
	for name, cfg := range testnet.Gated() {
		q := testnet.Random(cfg, 1)
		path, m := write(t, q, Options{})
		s, err := m.NewSession(resnext.SessionOptions{})
		require.NoError(t, err)
		defer s.Close()
		logits, err := s.Infer(testnet.Noise(cfg, 1))
		require.NoError(t, err)
		p := parse(t, path)
		ratio := func() float64 {
			var signal, noise float64
			for i, v := range interpret(t, p, planes(cfg, testnet.Noise(cfg, 1))) {
				signal, noise = signal+v*v, noise+(v-float64(logits[i]))*(v-float64(logits[i]))
			}
			return 10 * math.Log10(signal/noise)
		}
		whole := ratio()
		for n, c := range p.constants {
			if filepath.Ext(n) == ".weight" && c.kind == float32Type {
				clear(c.values)
			}
		}
		require.Less(t, ratio(), whole-2, name)
	}
}

// TestWriteEmbedding: the average is the only output.
func TestWriteEmbedding(t *testing.T) {
	cfg := testnet.Gated()["SE after the last"]
	q := testnet.Random(cfg, 1)
	q.Config.Head, q.Config.Classes = topology.Embedding, 0
	path := filepath.Join(t.TempDir(), "m.onnx")
	require.NoError(t, Write(path, q, Ranges{}, Options{}))
	p := parse(t, path)
	kind, dims := shape(p.output)
	require.Equal(t, "embedding", p.output.text(valueName))
	require.Equal(t, float32Type, kind)
	require.Equal(t, []int{anyNumber, 24}, dims)
	require.Len(t, interpret(t, p, planes(cfg, testnet.Noise(cfg, 1))), 24)
}

func TestWriteRefusesGates(t *testing.T) {
	cfg := testnet.Gated()["SE after the 3x3"]
	for _, c := range []struct {
		change func(*resnext.Quantised)
		text   string
	}{
		{func(q *resnext.Quantised) { q.Sigmoid = nil }, "stage1.block0.gate: the network has no table of gates"},
		{func(q *resnext.Quantised) { clear(q.Sigmoid) }, "stage1.block0.gate: the network's table of gates is that of no sigmoid"},
		{func(q *resnext.Quantised) { q.Sigmoid[100] = 9000 }, "that of no sigmoid"},
		{func(q *resnext.Quantised) { delete(q.Convs, "stage1.block0.squeeze") }, "stage1.block0.squeeze: 0 weights"},
		{func(q *resnext.Quantised) { q.Scale["stage2.block1.gate"] = 0 }, "stage2.block1.gate: the output scale is 0"},
	} {
		q := testnet.Random(cfg, 1)
		c.change(q)
		path := filepath.Join(t.TempDir(), "m.onnx")
		require.ErrorContains(t, Write(path, q, Ranges{}, Options{}), c.text)
		require.NoFileExists(t, path)
	}
}
