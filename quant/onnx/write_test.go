package onnx

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// write measures the ranges on two pictures and stores q.
func write(t *testing.T, q *resnext.Quantised, o Options) (string, *resnext.Model) {
	t.Helper()
	m, err := resnext.New(q, resnext.Options{})
	require.NoError(t, err)
	ranges, err := Measure(m, [][]byte{testnet.Noise(q.Config, 1), testnet.Noise(q.Config, 2)})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "m.onnx")
	require.NoError(t, Write(path, q, ranges, o))
	return path, m
}

func TestStructure(t *testing.T) {
	for name, cfg := range testnet.Forms() {
		t.Run(name, func(t *testing.T) {
			q := testnet.Random(cfg, 1)
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
			if cfg.Stem.Pool == topology.Max3x3 {
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
	for name, cfg := range testnet.Forms() {
		t.Run(name, func(t *testing.T) {
			require.Greater(t, exactness(t, cfg), 30.0, "dB")
		})
	}
}

// exactness is how far, in dB, the graph of a random network's answers by the operators' definitions are from the
// network's. A graph that leaves the padding to its user must give what one that pads does, to the bit.
func exactness(t *testing.T, cfg resnext.Config) float64 {
	t.Helper()
	q := testnet.Random(cfg, 1)
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
	return 10 * math.Log10(signal/noise)
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
	for name, cfg := range testnet.Forms() {
		for _, gray := range []bool{false, true} {
			q := testnet.Random(cfg, 1)
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
	q := testnet.Random(testnet.Forms()["identity"], 1)
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
	for name, cfg := range testnet.Forms() {
		q := testnet.Random(cfg, 1)
		path := filepath.Join(t.TempDir(), "m.onnx")
		require.NoError(t, Write(path, q, Ranges{}, Options{}))
		p := parse(t, path)
		for _, s := range topology.Lower(cfg).Steps {
			if s.Add == topology.None {
				continue
			}
			last := s.Name
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
	cfg := testnet.Forms()["CIFAR form"]
	rgb := testnet.Noise(cfg, 1)
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
	cfg := testnet.Forms()["CIFAR form"]
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
		q := testnet.Random(cfg, 1)
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
	require.Error(t, Write(path, testnet.Random(testnet.Forms()["CIFAR form"], 1), Ranges{}, Options{}))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
}
