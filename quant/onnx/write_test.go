package onnx

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// networks are small ones of both stems, with projections and identities, and one whose first block has the
// pooled stem as its shortcut.
func networks() map[string]resnext.Config {
	stages := func(stem, cardinality, width int) []resnext.Stage {
		return []resnext.Stage{
			{Blocks: 2, Inner: cardinality * width, Out: stem, Stride: 1},
			{Blocks: 2, Inner: cardinality * width * 2, Out: 24, Stride: 2},
		}
	}
	large := resnext.Stem{Kernel: 7, Stride: 2, Width: 16, MaxPool: true}
	small := resnext.Stem{Kernel: 3, Stride: 1, Width: 8}
	return map[string]resnext.Config{
		"ImageNet form": {Cardinality: 4, Stem: large, Classes: 7, Height: 29, Width: 33, Stages: stages(20, 4, 3)},
		"CIFAR form":    {Cardinality: 2, Stem: small, Classes: 5, Height: 14, Width: 16, Stages: stages(12, 2, 4)},
		"identity":      {Cardinality: 1, Stem: large, Classes: 3, Height: 21, Width: 20, Stages: stages(16, 1, 8)},
	}
}

// random makes a network whose activations neither die nor saturate. The weights are small enough for any
// kernel.
func random(cfg resnext.Config) *resnext.Quantised {
	rnd := rand.New(rand.NewPCG(1, 2))
	params := func(out, per int) resnext.ConvParams {
		var p resnext.ConvParams
		for range out * per {
			p.Weight = append(p.Weight, int8(rnd.IntN(255)-127))
		}
		for range out {
			p.Bias = append(p.Bias, rnd.Int32N(4000)-1000)
			p.Multiplier = append(p.Multiplier, float32((0.5+rnd.Float64())/math.Sqrt(float64(per))/127))
		}
		return p
	}
	q := &resnext.Quantised{
		Config: cfg, Preprocess: resnext.CIFARPreprocess(), Convs: map[string]resnext.ConvParams{},
		Residual: map[string]float32{}, Scale: map[string]float32{},
	}
	step := float32(1.0 / 255)
	for _, s := range cfg.Convs() {
		q.Convs[s.Name] = params(s.Out, s.Weights()/s.Out)
		q.Scale[s.Name] = step * (1 + rnd.Float32())
	}
	program := topology.Lower(cfg)
	steps := make([]float32, len(program.Maps)) // of each map
	for _, s := range program.Steps {
		switch s.Op {
		case topology.MaxPool:
			steps[s.Out] = steps[s.In]
		case topology.Conv:
			steps[s.Out] = q.Scale[s.Name]
			if s.Add != topology.None {
				q.Residual[s.Block] = steps[s.Add] / steps[s.Out]
			}
		}
	}
	q.Classifier = params(cfg.Classes, cfg.Features())
	return q
}

func picture(cfg resnext.Config, seed uint64) []byte {
	rnd := rand.New(rand.NewPCG(seed, 3))
	rgb := make([]byte, cfg.Height*cfg.Width*3)
	for i := range rgb {
		rgb[i] = byte(rnd.Uint32())
	}
	return rgb
}

// write measures the ranges on two pictures and stores q.
func write(t *testing.T, q *resnext.Quantised, o Options) (string, *resnext.Model) {
	t.Helper()
	m, err := resnext.New(q, resnext.Options{})
	require.NoError(t, err)
	ranges, err := Measure(m, [][]byte{picture(q.Config, 1), picture(q.Config, 2)})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "m.onnx")
	require.NoError(t, Write(path, q, ranges, o))
	return path, m
}

func TestStructure(t *testing.T) {
	for name, cfg := range networks() {
		t.Run(name, func(t *testing.T) {
			q := random(cfg)
			path, _ := write(t, q, Options{Padded: true})
			p := parse(t, path)
			require.Equal(t, irVersion, p.model.number(modelIRVersion))
			require.Equal(t, opset, p.model.child(modelOpsetImport).number(opsetVersion))
			h, w := InputSize(cfg)
			kind, dims := shape(p.input)
			require.Equal(t, imageName, p.input.text(valueName))
			require.Equal(t, uint8Type, kind)
			require.Equal(t, []int{1, 3, h, w}, dims)
			kind, dims = shape(p.output)
			require.Equal(t, logitsName, p.output.text(valueName))
			require.Equal(t, float32Type, kind)
			require.Equal(t, []int{1, cfg.Classes}, dims)

			count := map[string]int{}
			for _, n := range p.nodes {
				count[n.op]++
			}
			convs, blocks, pools := len(cfg.Convs()), len(q.Residual), 0
			if cfg.Stem.MaxPool {
				pools = 1
			}
			// Rounded are the outputs of convolutions, of blocks, of the pool and of the average; unrounded
			// again all these, the image, and every layer's weights and biases.
			rounded := convs + blocks + pools + 1
			want := map[string]int{
				"Conv": convs, "Add": blocks, "QuantizeLinear": rounded, "DequantizeLinear": rounded + 1 + 2*convs + 2,
				"GlobalAveragePool": 1, "Flatten": 1, "Gemm": 1,
			}
			if pools > 0 {
				want["MaxPool"] = pools
			}
			require.Equal(t, want, count)
			for _, s := range cfg.Convs() {
				weight := p.constants[s.Name+".weight"]
				require.Equal(t, []int{s.Out, s.In / s.Groups, s.Kernel, s.Kernel}, weight.dims)
				require.Equal(t, int8Type, weight.kind)
				require.Equal(t, []int{s.Out}, p.constants[s.Name+".weight.scale"].dims)
			}
		})
	}
}

// TestAnswers runs the graph by the operators' definitions. What it cannot say as the network does costs little.
func TestAnswers(t *testing.T) {
	for name, cfg := range networks() {
		t.Run(name, func(t *testing.T) {
			q := random(cfg)
			path, m := write(t, q, Options{Padded: true})
			whole, _ := write(t, q, Options{})
			p, padding := parse(t, path), parse(t, whole)
			s, err := m.NewSession(resnext.SessionOptions{})
			require.NoError(t, err)
			defer s.Close()
			var signal, noise float64
			for seed := range uint64(4) {
				rgb := picture(cfg, seed)
				want, err := s.Infer(rgb)
				require.NoError(t, err)
				image, err := Input(cfg, q.Preprocess, rgb)
				require.NoError(t, err)
				got := interpret(t, p, image)
				require.Len(t, got, len(want))
				// A graph that pads does it to the bit.
				require.Equal(t, got, interpret(t, padding, planes(cfg, rgb)))
				for i, v := range want {
					signal += float64(v) * float64(v)
					noise += (float64(v) - got[i]) * (float64(v) - got[i])
				}
			}
			require.Greater(t, 10*math.Log10(signal/noise), 30.0, "dB")
		})
	}
}

// planes brings pixels to the order [3][H][W].
func planes(cfg resnext.Config, rgb []byte) []byte {
	out := make([]byte, len(rgb))
	for i, v := range rgb {
		out[i%3*cfg.Height*cfg.Width+i/3] = v
	}
	return out
}

// TestUserForm: any number of images as they are, one padding where the bytes around all channels are the same,
// and the metadata that a program needs.
func TestUserForm(t *testing.T) {
	for name, cfg := range networks() {
		for _, gray := range []bool{false, true} {
			q := random(cfg)
			for i := range cfg.Classes {
				q.Labels = append(q.Labels, fmt.Sprintf("class \"%d\" ä", i))
			}
			q.Calibration = map[string]string{"tool": "calib 1.2"}
			nodes := map[string]int{"Pad": 3, "Gather": 3, "Concat": 1}
			if gray {
				q.Preprocess.Mean = [3]float32{0.5, 0.5, 0.5}
				nodes = map[string]int{"Pad": 1}
			}
			path, _ := write(t, q, Options{})
			p := parse(t, path)
			kind, dims := shape(p.input)
			require.Equal(t, uint8Type, kind)
			require.Equal(t, []int{anyNumber, 3, cfg.Height, cfg.Width}, dims, name)
			_, dims = shape(p.output)
			require.Equal(t, []int{anyNumber, cfg.Classes}, dims)
			count := map[string]int{}
			for _, n := range p.nodes {
				if _, ok := map[string]bool{"Pad": true, "Gather": true, "Concat": true}[n.op]; ok {
					count[n.op]++
				}
			}
			require.Equal(t, nodes, count)

			require.Equal(t, resnext.Version, p.model.text(modelProducerVersion))
			metadata := map[string]string{}
			for _, m := range p.model.children(modelMetadata) {
				metadata[m.text(entryKey)] = m.text(entryValue)
			}
			var labels []string
			var preprocess resnext.Preprocess
			require.NoError(t, json.Unmarshal([]byte(metadata["labels"]), &labels))
			require.NoError(t, json.Unmarshal([]byte(metadata["preprocess"]), &preprocess))
			require.Equal(t, q.Labels, labels)
			require.Equal(t, q.Preprocess, preprocess)
			require.JSONEq(t, `{"tool": "calib 1.2"}`, metadata["calibration"])
			require.Contains(t, metadata["config"], "ardinality")
		}
	}
}

// TestSameBytes: the file depends on the network alone.
func TestSameBytes(t *testing.T) {
	q := random(networks()["identity"])
	var first []byte
	for range 3 {
		path, _ := write(t, q, Options{})
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		if first == nil {
			first = b
		}
		require.Equal(t, first, b)
	}
}

// TestWidestRanges: without measured ranges nothing is clipped either.
func TestWidestRanges(t *testing.T) {
	for name, cfg := range networks() {
		q := random(cfg)
		path := filepath.Join(t.TempDir(), "m.onnx")
		require.NoError(t, Write(path, q, Ranges{}, Options{}))
		p := parse(t, path)
		for block := range q.Residual {
			last := topology.LayerName(block, topology.Expand)
			step, zero := p.constants[last+".scale"].values[0], p.constants[last+".zero"].values[0]
			out := float64(q.Scale[last]) * 255
			require.GreaterOrEqual(t, (255-zero)*step, out*0.99, name)
			require.Negative(t, -zero*step, name)
		}
	}
}

func TestRangeQuantise(t *testing.T) {
	for _, c := range []struct {
		r    Range
		step float32
		zero uint8
	}{
		{Range{}, 1, 0}, {Range{0, 255}, 1, 0}, {Range{-255, 0}, 1, 255}, {Range{-51, 204}, 1, 51}, {Range{-128, 382}, 2, 64},
	} {
		step, zero := c.r.quantise()
		require.Equal(t, c.step, step)
		require.Equal(t, c.zero, zero)
	}
}

func TestInput(t *testing.T) {
	cfg := networks()["CIFAR form"]
	rgb := picture(cfg, 1)
	in, err := Input(cfg, resnext.CIFARPreprocess(), rgb)
	require.NoError(t, err)
	pad := resnext.CIFARPreprocess().PadBytes()
	for c := range 3 {
		for y := range 16 {
			for x := range 18 {
				want := pad[c]
				if y > 0 && y < 15 && x > 0 && x < 17 {
					want = rgb[((y-1)*16+x-1)*3+c]
				}
				require.Equal(t, want, in[(c*16+y)*18+x])
			}
		}
	}
	_, err = Input(cfg, resnext.CIFARPreprocess(), rgb[1:])
	require.ErrorContains(t, err, "expected 672")
}

func TestWriteRefuses(t *testing.T) {
	cfg := networks()["CIFAR form"]
	for _, c := range []struct {
		change func(*resnext.Quantised)
		text   string
	}{
		{func(q *resnext.Quantised) { q.Config.Stages = nil }, "0 stages"},
		{func(q *resnext.Quantised) { delete(q.Convs, "stage1.block0.reduce") }, "stage1.block0.reduce: 0 weights"},
		{func(q *resnext.Quantised) { q.Scale["stem"] = 0 }, "stem: the output scale is 0"},
		{func(q *resnext.Quantised) { q.Scale["stem"] = float32(math.NaN()) }, "stem: the output scale is NaN"},
		{func(q *resnext.Quantised) { q.Convs["stem"].Multiplier[2] = float32(math.Inf(1)) }, "stem: channel 2"},
		{func(q *resnext.Quantised) { q.Classifier.Bias = nil }, "classifier: 120 weights, 0 biases"},
		{func(q *resnext.Quantised) {
			q.Config.Stages[0].Inner, q.Config.Stages[0].Blocks = 2048, 512
		}, "an ONNX file holds"},
	} {
		q := random(cfg)
		q.Config.Stages = append([]resnext.Stage(nil), cfg.Stages...)
		c.change(q)
		path := filepath.Join(t.TempDir(), "m.onnx")
		err := Write(path, q, Ranges{}, Options{})
		require.ErrorContains(t, err, c.text)
		require.ErrorContains(t, err, path)
		require.NoFileExists(t, path)
	}
}

// TestWriteLeavesNothingBehind: a folder in the way is an error, and no temporary file stays.
func TestWriteLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.onnx")
	require.NoError(t, os.Mkdir(path, 0o755))
	require.Error(t, Write(path, random(networks()["CIFAR form"]), Ranges{}, Options{}))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
}
