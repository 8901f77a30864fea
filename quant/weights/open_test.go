package weights

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/checkpoint"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/hub"
	"github.com/libresnext/libresnext/quant/match"
	"github.com/libresnext/libresnext/quant/onnx"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

const exports = "testdata/exports/"

// exportImage is the image of testdata/exports/make_exports.py.
func exportImage() []byte {
	rgb := make([]byte, 64*64*3)
	for i := range rgb {
		rgb[i] = byte(uint32(i) * 2654435761 >> 24)
	}
	return rgb
}

// exportLogits are PyTorch's logits by file.
func exportLogits(t *testing.T) map[string][]float32 {
	t.Helper()
	var all map[string][]float32
	require.NoError(t, json.Unmarshal(readFile(t, exports+"logits.json"), &all))
	return all
}

// forward runs a network on the image of the exports.
func forward(t *testing.T, n *float.Net) []float32 {
	t.Helper()
	require.NoError(t, n.SetInputSize(64, 64))
	return n.NewRunner().Forward(exportImage(), resnext.ImageNetPreprocess())
}

// Every format in which PyTorch and transformers write a network must give PyTorch's logits.
func TestExportsGivePyTorchsLogits(t *testing.T) {
	small := []resnext.Stage{
		{Blocks: 2, Inner: 8, Out: 16, Stride: 1}, {Blocks: 1, Inner: 8, Out: 16, Stride: 2},
		{Blocks: 1, Inner: 12, Out: 24, Stride: 2}, {Blocks: 1, Inner: 12, Out: 24, Stride: 2},
	}
	resnext.Uniform(4, small)
	logits := exportLogits(t)
	for _, c := range []struct {
		path, format, dialect string
		sized                 bool
		stages                []resnext.Stage
		tolerance             float64 // of the largest logit
	}{
		{"small.safetensors", "safetensors", "torchvision names", false, small, 1e-6},
		{"script_folded.onnx", "onnx", "opset 11, written by pytorch 2.15.0", true, small, 1e-6},
		{"script_open.onnx", "onnx", "opset 18, written by pytorch 2.15.0", false, small, 1e-6},
		{"dynamo.onnx", "onnx", "opset 20, written by pytorch 2.15.0+cu132", true, small, 1e-6},
		{"dynamo_plain.onnx", "onnx", "opset 18, written by pytorch 2.15.0+cu132", true, small, 1e-6},
		{"half.onnx", "onnx", "opset 13, written by pytorch 2.15.0", true, small, 1e-2},
		{"transformers", "safetensors", "transformers names", false, resnext.Uniform(1, []resnext.Stage{
			{Blocks: 2, Inner: 4, Out: 16, Stride: 1}, {Blocks: 1, Inner: 6, Out: 24, Stride: 2}, {Blocks: 1, Inner: 8, Out: 32, Stride: 2},
		}), 1e-6},
	} {
		t.Run(c.path, func(t *testing.T) {
			n, from, err := Open(exports+c.path, Options{})
			require.NoError(t, err)
			require.Equal(t, c.format, from.Format)
			require.Equal(t, c.dialect, from.Dialect)
			require.Equal(t, c.sized, from.Sized)
			require.Equal(t, c.stages, n.Config.Stages)
			if c.sized {
				require.Equal(t, []int{64, 64}, []int{n.Config.Height, n.Config.Width})
			}
			want, got := logits[c.path], forward(t, n)
			require.Len(t, got, len(want))
			largest := 0.0
			for _, v := range want {
				largest = max(largest, math.Abs(float64(v)))
			}
			for i := range want {
				require.InDelta(t, want[i], got[i], c.tolerance*largest)
			}
		})
	}
}

// The files beside transformers' weights give labels and preparation.
func TestHubFiles(t *testing.T) {
	n, from, err := Open(exports+"transformers", Options{Arch: "auto"})
	require.NoError(t, err)
	require.Equal(t, filepath.Join(exports, "transformers", "model.safetensors"), from.Path)
	require.Equal(t, []string{"ant", "bee", "cat", "dog", "eel"}, from.Hub.Labels)
	require.Equal(t, &hub.Prepare{
		Size: 64, Resize: 73, Filter: "bicubic",
		Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{0.25, 0.25, 0.25},
	}, from.Hub.Prepare)
	require.Equal(t, &hub.Form{Model: "resnet", Activation: "relu"}, from.Hub.Form)
	require.Equal(t, 1, n.Config.Stages[0].Cardinality)
}

// config.json decides where the strides are.
func TestHubStrides(t *testing.T) {
	config := string(readFile(t, exports+"transformers/config.json"))
	for name, c := range map[string]struct{ from, to, want string }{
		"as it is":            {"", "", ""},
		"original ResNet":     {`"downsample_in_bottleneck": false`, `"downsample_in_bottleneck": true`, ""},
		"another activation":  {`"hidden_act": "relu"`, `"hidden_act": "gelu"`, `activation "gelu"`},
		"stride of a text":    {`"downsample_in_bottleneck": false`, `"downsample_in_bottleneck": "no"`, `downsample_in_bottleneck is "no"; expected true or false`},
		"damaged":             {"{", "[[", "config.json: not JSON"},
		"first stage strided": {`"downsample_in_first_stage": false`, `"downsample_in_first_stage": true`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			copied := strings.Replace(config, c.from, c.to, 1)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(copied), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "model.safetensors"), readFile(t, exports+"transformers/model.safetensors"), 0o600))
			n, _, err := Open(dir, Options{})
			if c.want != "" {
				require.ErrorContains(t, err, dir)
				require.ErrorContains(t, err, c.want)
				return
			}
			require.NoError(t, err)
			stride := map[bool]int{false: 1, true: 2}[name == "first stage strided"]
			require.Equal(t, stride, n.Config.Stages[0].Stride)
			on := map[bool]topology.Role{true: topology.Reduce}[name == "original ResNet"]
			require.Equal(t, on, n.Config.Stages[1].StrideOn)
			require.Equal(t, map[bool]int{false: 1, true: 2}[name == "original ResNet"], n.Convs["stage2.block0.reduce"].Shape.Stride)
			require.Equal(t, resnext.Max3x3, n.Config.Stem.Pool)
		})
	}
}

// Without config.json the network is taken for the usual form, and says so.
func TestHubWithoutConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.safetensors")
	require.NoError(t, os.WriteFile(path, readFile(t, exports+"transformers/model.safetensors"), 0o600))
	_, from, err := Open(path, Options{})
	require.NoError(t, err)
	require.Contains(t, from.Dialect, "no config.json")
}

// A file of that name beside other weights is nobody's business.
func TestForeignConfigIsPassedOver(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "w.safetensors")
	require.NoError(t, os.WriteFile(path, readFile(t, exports+"small.safetensors"), 0o600))
	for text, warnings := range map[string]int{"not JSON": 1, "[1, 2]": 0, `{"id2label": 7, "pretrained_cfg": "x"}`: 1} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600))
		_, from, err := Open(path, Options{})
		require.NoError(t, err, text)
		require.Nil(t, from.Hub.Labels)
		require.Nil(t, from.Hub.Prepare)
		require.Len(t, from.Warnings, warnings, text)
	}
	path = filepath.Join(dir, "w.onnx")
	data := filepath.Join(dir, "dynamo.onnx.data")
	require.NoError(t, os.WriteFile(path, readFile(t, exports+"dynamo.onnx"), 0o600))
	require.NoError(t, os.WriteFile(data, readFile(t, exports+"dynamo.onnx.data"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte("{"), 0o600))
	_, from, err := Open(path, Options{})
	require.NoError(t, err)
	require.Len(t, from.Warnings, 1)
	require.Contains(t, from.Warnings[0], filepath.Join(dir, "config.json")+": not JSON")
	require.Equal(t, append([]string{path, data}, hub.Files(path)...), from.Files)
}

// What is wrong with the numbers of a graph is named by its nodes.
func TestGraphNumbersAreChecked(t *testing.T) {
	nan := float32(math.NaN())
	for name, c := range map[string]struct {
		damage func(stem, classifier match.Layer)
		want   string
	}{
		"weight":     {func(stem, _ match.Layer) { stem.Weight[7] = nan }, `Conv "/conv1/Conv": number 7 of its weights is NaN`},
		"bias":       {func(_, c match.Layer) { c.Bias[3] = nan }, `Gemm "/fc/Gemm": number 3 of its biases is NaN`},
		"statistics": {func(stem, _ match.Layer) { stem.Norm.Mean[2] = nan }, `BatchNormalization "/bn1/BatchNormalization": number 2 of its statistics is NaN`},
		"variance":   {func(stem, _ match.Layer) { stem.Norm.Variance[1] = -1 }, "variance 1 is -1, a variance cannot be negative"},
		"overflow":   {func(stem, _ match.Layer) { stem.Norm.Gain[0], stem.Norm.Variance[0] = 3e38, 0 }, "leaves the range of float32"},
	} {
		t.Run(name, func(t *testing.T) {
			f := readONNX(t, exports+"script_open.onnx")
			c.damage(f.Layers[resnext.StemName], f.Layers[resnext.ClassifierName])
			_, err := FromGraph(f.Network, "auto")
			require.ErrorContains(t, err, c.want)
		})
	}
	_, _, err := Open(exports+"script_folded.onnx", Options{Arch: "resnext50_32x4d"})
	require.ErrorContains(t, err, exports+"script_folded.onnx: the tensors are not resnext50_32x4d")
}

func readONNX(t *testing.T, path string) *onnx.Float {
	t.Helper()
	file, err := checkpoint.Locate(path)
	require.NoError(t, err)
	defer file.Close()
	f, err := onnx.Read(file, file.Size(), path)
	require.NoError(t, err)
	return f
}

// A Net must not share the memory of what it was made from.
func TestGraphIsCopied(t *testing.T) {
	f := readONNX(t, exports+"script_folded.onnx")
	n, err := FromGraph(f.Network, "")
	require.NoError(t, err)
	before := n.Clone()
	for _, l := range f.Layers {
		clear(l.Weight)
		clear(l.Bias)
	}
	require.Equal(t, before.Convs, n.Convs)
	require.Equal(t, before.Classifier, n.Classifier)
}
