package resnext

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/internal/safetensors"
	"github.com/libresnext/libresnext/resnext/topology"
)

// write stores a small network and returns its path.
func write(t *testing.T, q *Quantised) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.int8.safetensors")
	n, err := q.WriteFile(path)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, info.Size(), n)
	return path
}

func tinyConfig() Config {
	return Config{
		Stem: SimpleStem(3, 1, 8, NoPool), Classes: 3, Height: 4, Width: 4,
		Stages: Uniform(2, []Stage{{Blocks: 1, Inner: 8, Out: 16, Stride: 1}}),
	}
}

func TestModelFileKeepsEverything(t *testing.T) {
	q := randomQuantised(small()["2x14d"], 3)
	q.Labels = []string{"a", "b", "ç", "", "e", "f", "g"}
	q.Config.Name = "tiny"
	m, err := Open(write(t, q))
	require.NoError(t, err)
	require.Equal(t, q.Config, m.Config())
	require.Equal(t, q.Preprocess, m.Preprocess())
	require.Equal(t, q.Labels, m.Labels())
	require.Equal(t, q.Calibration, m.Calibration())
	k, _, err := asm.Select("")
	require.NoError(t, err)
	require.Equal(t, k.Name, m.Kernels())
	first, err := os.ReadFile(write(t, q))
	require.NoError(t, err)
	second, err := os.ReadFile(write(t, q))
	require.NoError(t, err)
	require.Equal(t, first, second, "the same network must give the same bytes")
}

// TestDamagedFile flips every bit and cuts at every length: an error, never a crash or a model.
func TestDamagedFile(t *testing.T) {
	data, err := os.ReadFile(write(t, randomQuantised(tinyConfig(), 3)))
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "damaged.safetensors")
	try := func(b []byte) error {
		require.NoError(t, os.WriteFile(path, b, 0o600))
		_, err := Open(path)
		if err != nil {
			require.Contains(t, err.Error(), path)
		}
		return err
	}
	require.NoError(t, try(data))
	step := 1
	if testing.Short() {
		step = 7
	}
	for i := 0; i < len(data); i += step {
		b := append([]byte(nil), data...)
		b[i] ^= 1 << (i % 8)
		require.Error(t, try(b), "byte %d of %d flipped", i, len(data))
		if i%5 == 0 {
			require.Error(t, try(data[:i]), "cut at %d of %d", i, len(data))
		}
	}
	require.Error(t, try(append(data[:len(data):len(data)], 0)))
}

// rewrite changes a model file's metadata and tensors and puts the checksum right again: what a hostile or
// newer tool might make.
func rewrite(t *testing.T, path string, change func(meta map[string]string, tensors map[string]*safetensors.Tensor)) string {
	t.Helper()
	f, err := safetensors.Open(path)
	require.NoError(t, err)
	defer f.Close()
	meta, tensors := f.Metadata(), map[string]*safetensors.Tensor{}
	for _, name := range f.Names() {
		i, _ := f.Info(name)
		b, err := f.Read(name, nil)
		require.NoError(t, err)
		tensors[name] = &safetensors.Tensor{Name: name, DType: i.DType, Shape: i.Shape, Data: b}
	}
	change(meta, tensors)
	var list []safetensors.Tensor
	for _, x := range tensors {
		list = append(list, *x)
	}
	delete(meta, safetensors.ChecksumKey)
	meta[safetensors.ChecksumKey] = safetensors.ChecksumOf(meta, list)
	out := filepath.Join(t.TempDir(), "changed.safetensors")
	_, err = safetensors.Write(out, meta, list)
	require.NoError(t, err)
	return out
}

// TestGatedFile: a network with gates comes back from its file, which is of the latest version, and gates that would take
// kernels out of their integers are refused.
func TestGatedFile(t *testing.T) {
	cfg := tinyConfig()
	cfg.Stages[0].Gate = se(topology.Expand, 3)
	path := write(t, randomQuantised(cfg, 3))
	q, err := ReadQuantised(path)
	require.NoError(t, err)
	require.Equal(t, cfg, q.Config)
	require.Len(t, q.Sigmoid, SigmoidSteps)
	require.Len(t, q.Gates, 1)
	require.Equal(t, randomQuantised(cfg, 3).Convs, q.Convs)
	type tensors = map[string]*safetensors.Tensor
	const gate, squeeze = "stage1.block0.gate", "stage1.block0.squeeze"
	nan := float32(math.NaN())
	for want, change := range map[string]func(tensors){
		"gate: the multiplier of its gate or shortcut is 64":  func(x tensors) { x[gate+".multiplier"].Data = bytesOf([]float32{64}) },
		"gate: the multiplier of its gate or shortcut is NaN": func(x tensors) { x[gate+".multiplier"].Data = bytesOf([]float32{nan}) },
		"block0: the shortcut's multiplier is -1":             func(x tensors) { x["stage1.block0.residual"].Data = bytesOf([]float32{-1}) },
		"gate: the output scale is 0":                         func(x tensors) { x[gate+".scale"].Data = bytesOf([]float32{0}) },
		"sigmoid is missing":                                  func(x tensors) { delete(x, "sigmoid") },
		"sigmoid is U16 [2], expected U16 [8192]":             func(x tensors) { x["sigmoid"].Shape, x["sigmoid"].Data = []int{2}, []byte{0, 0, 0, 0} },
		"squeeze.weight is I8 [16 3], expected I8 [3 16]":     func(x tensors) { x[squeeze+".weight"].Shape = []int{16, 3} },
		"squeeze: channel 0 has a weight of -128":             func(x tensors) { x[squeeze+".weight"].Data[0] = 0x80 },
		"squeeze: channel 0 has a multiplier of":              func(x tensors) { x[squeeze+".multiplier"].Data = bytesOf([]float32{nan, 1, 1}) },
		"squeeze: channel 0 could sum up to":                  func(x tensors) { x[squeeze+".bias"].Data = bytesOf([]int32{math.MaxInt32, 0, 0}) },
	} {
		_, err := Open(rewrite(t, path, func(_ map[string]string, x map[string]*safetensors.Tensor) { change(x) }))
		require.ErrorIs(t, err, ErrModelFile)
		require.ErrorContains(t, err, want)
	}
}

func TestHostileFile(t *testing.T) {
	type tensors = map[string]*safetensors.Tensor
	type meta = map[string]string
	floats := func(v ...float32) []byte { return bytesOf(v) }
	cases := map[string]struct {
		change func(meta, tensors)
		want   string
	}{
		"a float checkpoint":  {func(m meta, _ tensors) { delete(m, keyFormat) }, "is it a float checkpoint? Convert it with calib"},
		"a newer format":      {func(m meta, _ tensors) { m[keyVersion] = "3" }, `format version "3", this program reads versions 1 to 2`},
		"a spelled version":   {func(m meta, _ tensors) { m[keyVersion] = "01" }, `format version "01"`},
		"no configuration":    {func(m meta, _ tensors) { delete(m, keyConfig) }, `metadata "config"`},
		"unknown field":       {func(m meta, _ tensors) { m[keyConfig] = strings.Replace(m[keyConfig], "{", `{"depth":7,`, 1) }, `unknown field "depth"`},
		"text behind a value": {func(m meta, _ tensors) { m[keyConfig] += ` {"x":1} garbage` }, `metadata "config": text follows its end`},
		"a key twice": {func(m meta, _ tensors) {
			m[keyConfig] = strings.Replace(m[keyConfig], "{", `{"classes":3,`, 1)
		}, `the key "classes" comes twice`},
		"a key in another case": {func(m meta, _ tensors) {
			m[keyPreprocess] = strings.Replace(m[keyPreprocess], `"filter"`, `"Filter"`, 1)
		}, `metadata "preprocess": unknown key "Filter"`},
		"a resize below the input": {func(m meta, _ tensors) {
			m[keyPreprocess] = strings.Replace(m[keyPreprocess], `"resize":0`, `"resize":3`, 1)
		}, "resize to 3 pixels is smaller than the crop of 4x4"},
		"a name that a terminal obeys": {func(m meta, _ tensors) {
			m[keyConfig] = strings.Replace(m[keyConfig], `"name":""`, `"name":"\u001b]0;owned\u0007"`, 1)
		}, `the network's name is "\x1b]0;owned\a"`},
		"huge network": {func(m meta, _ tensors) {
			m[keyConfig] = strings.Replace(m[keyConfig], `"out":16`, `"out":1000000000`, 1)
		}, "1000000000 output channels"},
		"endless blocks": {func(m meta, _ tensors) {
			m[keyConfig] = strings.Replace(m[keyConfig], `"blocks":1`, `"blocks":100000000`, 1)
		}, "100000000 blocks"},
		"zero cardinality": {func(m meta, _ tensors) {
			m[keyConfig] = strings.Replace(m[keyConfig], `"cardinality":2`, `"cardinality":0`, 1)
		}, "cardinality is 0"},
		"another network": {func(m meta, _ tensors) { m[keyConfig] = strings.Replace(m[keyConfig], `"classes":3`, `"classes":4`, 1) }, "classifier.weight is I8 [3 16], expected I8 [4 16]"},
		"labels":          {func(m meta, _ tensors) { m[keyLabels] = `["one"]` }, "1 labels for 3 classes"},
		"preprocessing":   {func(m meta, _ tensors) { m[keyPreprocess] = strings.Replace(m[keyPreprocess], "bilinear", "magic", 1) }, `filter is "magic"`},
		"missing tensor":  {func(_ meta, x tensors) { delete(x, "stem.bias") }, "stem.bias is missing"},
		"unknown tensor": {func(_ meta, x tensors) {
			x["stem.bios"] = &safetensors.Tensor{Name: "stem.bios", DType: "I8", Data: []byte{1}}
		}, "unknown tensor stem.bios"},
		"wrong type":     {func(_ meta, x tensors) { x["stem.bias"].DType = "F32" }, "stem.bias is F32 [8], expected I32 [8]"},
		"weight of -128": {func(_ meta, x tensors) { x["stem.weight"].Data[30] = 0x80 }, "stem: channel 1 has a weight of -128"},
		"NaN multiplier": {func(_ meta, x tensors) {
			x["stem.multiplier"].Data = bytesOf([]float32{1, 1, float32(math.NaN()), 1, 1, 1, 1, 1})
		}, "stem: channel 2 has a multiplier of NaN"},
		"multiplier out of 32 bits": {func(_ meta, x tensors) {
			x["stage1.block0.reduce.multiplier"].Data = bytesOf([]float32{1, 1, 1, 1, 1, 1, 1, 1e30})
		}, "stage1.block0.reduce: channel 7 has a multiplier of 1e+30"},
		"negative residual": {func(_ meta, x tensors) { x["stage1.block0.residual"].Data = floats(-1) }, "stage1.block0: the shortcut's multiplier is -1"},
		"infinite residual": {func(_ meta, x tensors) { x["stage1.block0.residual"].Data = floats(float32(math.Inf(1))) }, "the shortcut's multiplier is +Inf"},
		"zero scale":        {func(_ meta, x tensors) { x["stem.scale"].Data = floats(0) }, "stem: the output scale is 0"},
		"bias out of 32 bits": {func(_ meta, x tensors) {
			x["classifier.bias"].Data = bytesOf([]int32{0, math.MaxInt32, 0})
		}, "classifier: channel 1 could sum up to"},
	}
	path := write(t, randomQuantised(tinyConfig(), 3))
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := Open(rewrite(t, path, c.change))
			require.ErrorIs(t, err, ErrModelFile)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "changed.safetensors")
		})
	}
}

func TestOpenWithUnknownKernels(t *testing.T) {
	_, err := OpenWith(write(t, randomQuantised(tinyConfig(), 3)), Options{Kernels: "z80"})
	require.ErrorIs(t, err, asm.ErrKernels)
	_, err = Open(filepath.Join(t.TempDir(), "nowhere"))
	require.True(t, errors.Is(err, os.ErrNotExist), "%v", err)
}

// TestWriteFileRefusesNonsense: what could not be read back is not written, and nothing is left behind.
func TestWriteFileRefusesNonsense(t *testing.T) {
	for name, spoil := range map[string]func(*Quantised){
		"labels":                   func(q *Quantised) { q.Labels = []string{"a"} },
		"no weights":               func(q *Quantised) { delete(q.Convs, "stem") },
		"config":                   func(q *Quantised) { q.Config.Classes = 0 },
		"a label of two lines":     func(q *Quantised) { q.Labels = []string{"a", "b\nc", "d"} },
		"a resize below the input": func(q *Quantised) { q.Preprocess.Resize = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			q := randomQuantised(tinyConfig(), 3)
			spoil(q)
			dir := t.TempDir()
			_, err := q.WriteFile(filepath.Join(dir, "m"))
			require.Error(t, err)
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}

// TestLabelsAreClean: a file of another maker keeps opening, but no label of it reaches a terminal as an order.
func TestLabelsAreClean(t *testing.T) {
	path := rewrite(t, write(t, randomQuantised(tinyConfig(), 3)), func(m map[string]string, _ map[string]*safetensors.Tensor) {
		m[keyLabels] = `["\u001b]0;owned\u0007", "one\ttwo\u202e\u2028", "şafak 👩‍🚀"]`
	})
	m, err := Open(path)
	require.NoError(t, err)
	require.Equal(t, []string{"�]0;owned�", "one�two��", "şafak 👩‍🚀"}, m.Labels())
	require.Equal(t, "a�b", CleanLabel("a\xffb"))
}

// TestOpenReaderAt: a file in memory is as good as one on disk, and an error tells the two kinds of trouble apart.
func TestOpenReaderAt(t *testing.T) {
	data, err := os.ReadFile(write(t, randomQuantised(tinyConfig(), 3)))
	require.NoError(t, err)
	open := func(r io.ReaderAt, size int) (*Model, error) {
		return OpenReaderAt(r, int64(size), "memory", Options{})
	}
	m, err := open(bytes.NewReader(data), len(data))
	require.NoError(t, err)
	s, err := m.NewSession(SessionOptions{})
	require.NoError(t, err)
	defer s.Close()
	require.Equal(t, s.ArenaBytes(), m.SessionBytes())
	for _, n := range []int{0, 7, 100, len(data) - 1} {
		_, err = open(bytes.NewReader(data[:n]), n)
		require.ErrorIs(t, err, ErrModelFile, "%d bytes", n)
		require.ErrorContains(t, err, "memory: ")
		_, err = open(bytes.NewReader(data[:n]), len(data))
		require.Error(t, err, "%d bytes of %d", n, len(data))
	}
	_, err = open(brokenReader{}, len(data))
	require.NotErrorIs(t, err, ErrModelFile)
	require.ErrorIs(t, err, os.ErrPermission)
}

type brokenReader struct{}

func (brokenReader) ReadAt([]byte, int64) (int, error) {
	return 0, &os.PathError{Op: "read", Path: "memory", Err: os.ErrPermission}
}
