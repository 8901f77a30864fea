package onnx

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// sigmoidTable is a table of gates in steps of 1/256.
func sigmoidTable() []uint16 {
	table := make([]uint16, resnext.SigmoidSteps)
	for i := range table {
		table[i] = uint16(math.RoundToEven(math.MaxUint16 / (1 + math.Exp(-float64(i-len(table)/2)/256))))
	}
	return table
}

// random is testnet.Random with gates.
func random(cfg resnext.Config, seed uint64) *resnext.Quantised {
	q := testnet.Random(cfg, seed)
	r := rand.New(rand.NewPCG(seed, 3))
	p := topology.Lower(cfg)
	scale := make([]float32, len(p.Maps))
	q.Gates = map[string]float32{}
	for _, s := range p.Steps {
		switch s.Op {
		case topology.MaxPool, topology.AveragePool:
			scale[s.Out] = scale[s.In]
		case topology.Conv:
			scale[s.Out] = q.Scale[s.Name]
		case topology.Gated:
			q.Sigmoid = sigmoidTable()
			scale[s.Out] = 1.0 / 255 * (0.5 + r.Float32())
			q.Scale[s.Name], q.Gates[s.Name] = scale[s.Out], scale[s.In]/math.MaxUint16/scale[s.Out]
			pixels := p.Maps[s.In].H * p.Maps[s.In].W
			input := float64(resnext.PooledMax(pixels)) / 4
			for i, l := range s.Gate {
				reach := 600.0 // of the table's steps
				if len(s.Gate) == 2 && i == 0 {
					reach = 8000
				}
				var c resnext.ConvParams
				for range l.Weights() {
					c.Weight = append(c.Weight, int8(r.IntN(255)-127))
				}
				for range l.Out {
					c.Bias = append(c.Bias, int32(input*100*r.NormFloat64()))
					c.Multiplier = append(c.Multiplier, float32(reach/input/70/math.Sqrt(float64(l.In))))
				}
				q.Convs[l.Name], input = c, reach
			}
		}
		if s.Add != topology.None {
			q.Residual[s.Block] = scale[s.Add] / scale[s.Out]
		}
	}
	return q
}

// exported are networks with everything that a graph says beside those of testnet.Forms.
func exported() map[string]resnext.Config {
	all := testnet.Gated()
	aa := testnet.Forms()["ImageNet form"].Clone()
	aa.Stem.Pool = topology.Average2x2
	aa.Stages[1].AntiAlias = topology.Average2x2
	all["anti-aliased"] = aa
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
			q := random(cfg, 1)
			path, m := write(t, q, Options{Padded: true})
			whole, _ := write(t, q, Options{})
			p, padding := parse(t, path), parse(t, whole)
			s, err := m.NewSession(resnext.SessionOptions{})
			require.NoError(t, err)
			defer s.Close()
			var signal, noise float64
			for seed := range uint64(4) {
				rgb := testnet.Noise(cfg, seed)
				want, err := s.Infer(rgb)
				require.NoError(t, err)
				image, err := Input(cfg, q.Preprocess, rgb)
				require.NoError(t, err)
				got := interpret(t, p, image)
				require.Len(t, got, len(want))
				require.Equal(t, got, interpret(t, padding, planes(cfg, rgb)))
				for i, v := range want {
					signal += float64(v) * float64(v)
					noise += (float64(v) - got[i]) * (float64(v) - got[i])
				}
			}
			db := 10 * math.Log10(signal/noise)
			t.Logf("%.1f dB", db)
			require.Greater(t, db, 30.0)
		})
	}
}

// TestGatesAreSeen: without the weights of its gates a graph would not answer as TestFamilyAnswers wants.
func TestGatesAreSeen(t *testing.T) {
	for name, cfg := range testnet.Gated() {
		q := random(cfg, 1)
		path, m := write(t, q, Options{})
		s, err := m.NewSession(resnext.SessionOptions{})
		require.NoError(t, err)
		defer s.Close()
		logits, err := s.Infer(testnet.Noise(cfg, 1))
		require.NoError(t, err)
		p := parse(t, path)
		for n, c := range p.constants {
			if filepath.Ext(n) == ".weight" && c.kind == float32Type {
				clear(c.values)
			}
		}
		var signal, noise float64
		for i, v := range interpret(t, p, planes(cfg, testnet.Noise(cfg, 1))) {
			signal, noise = signal+v*v, noise+(v-float64(logits[i]))*(v-float64(logits[i]))
		}
		require.Less(t, 10*math.Log10(signal/noise), 30.0, name)
	}
}

// TestWriteEmbedding: the average is the only output.
func TestWriteEmbedding(t *testing.T) {
	cfg := testnet.Gated()["SE after the last"]
	q := random(cfg, 1)
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
		q := random(cfg, 1)
		c.change(q)
		path := filepath.Join(t.TempDir(), "m.onnx")
		require.ErrorContains(t, Write(path, q, Ranges{}, Options{}), c.text)
		require.NoFileExists(t, path)
	}
}
