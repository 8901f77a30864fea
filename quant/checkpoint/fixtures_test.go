package checkpoint

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// expectation is one file's entry in testdata/expected.json: an error, or what
// PyTorch held in memory when it saved the file.
type expectation struct {
	Error                   string
	Format, Wrapper, Prefix string
	Order, Ignored          []string
	Tensors                 map[string]struct {
		Shape []int
		DType string
		Data  string // base64 of little-endian float32
	}
}

func expectations(t testing.TB) map[string]expectation {
	text, err := os.ReadFile(filepath.Join("testdata", "expected.json"))
	require.NoError(t, err)
	all := map[string]expectation{}
	require.NoError(t, json.Unmarshal(text, &all))
	return all
}

// fixtures lists the checkpoints of testdata.
func fixtures(t testing.TB) []string {
	var names []string
	for _, pattern := range []string{"*.pth", "*.pt", "*.safetensors"} {
		found, err := filepath.Glob(filepath.Join("testdata", pattern))
		require.NoError(t, err)
		names = append(names, found...)
	}
	return names
}

func fixture(t testing.TB, name string) []byte {
	b, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return b
}

// parse reads the last state dict of a checkpoint from memory: what surrounds weights comes first.
func parse(b []byte) (*Checkpoint, error) {
	all, err := parseAll(b)
	if err != nil {
		return nil, err
	}
	return last(all)
}

func parseAll(b []byte) ([]*Checkpoint, error) {
	f, err := recognise(bytes.NewReader(b), int64(len(b)), "x.pth")
	if err != nil {
		return nil, err
	}
	return Read(f)
}

func last(all []*Checkpoint) (*Checkpoint, error) {
	c := all[len(all)-1]
	return c, c.Load(func(string) bool { return true })
}

// openUnder reads the state dict under some keys of a file.
func openUnder(path, wrapper string) (*Checkpoint, error) {
	f, err := Locate(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := Read(f)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(c *Checkpoint) bool { return c.Wrapper == wrapper })
	return last(all[:max(1, i+1)])
}

func TestFixturesOfPyTorch(t *testing.T) {
	all := expectations(t)
	files := fixtures(t)
	require.Len(t, files, len(all), "testdata and expected.json differ")
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			want, ok := all[filepath.Base(path)]
			require.True(t, ok)
			got, err := openUnder(path, want.Wrapper)
			if want.Error != "" {
				require.ErrorContains(t, err, path+": ")
				require.ErrorContains(t, err, want.Error)
				return
			}
			require.NoError(t, err)
			requireExpected(t, want, got)
		})
	}
	_, err := os.Stat("pwned")
	require.ErrorIs(t, err, os.ErrNotExist, "a pickle ran a command")
}

func requireExpected(t *testing.T, want expectation, got *Checkpoint) {
	require.Equal(t, want.Format, got.Format)
	require.Equal(t, want.Wrapper, got.Wrapper)
	prefixed := func(names []string) []string {
		var all []string
		for _, n := range names {
			all = append(all, want.Prefix+n)
		}
		return all
	}
	require.Equal(t, prefixed(want.Order), got.Order)
	require.Equal(t, prefixed(want.Ignored), got.Ignored)
	require.Len(t, got.Tensors, len(want.Tensors))
	for name, w := range want.Tensors {
		name = want.Prefix + name
		g := got.Tensors[name]
		require.NotNil(t, g, name)
		require.Equal(t, name, g.Name)
		require.Equal(t, w.DType, g.DType, name)
		require.Equal(t, w.Shape, g.Shape, name)
		require.Equal(t, w.Data, base64.StdEncoding.EncodeToString(floatBytes(g.Data)), name)
	}
}

func floatBytes(data []float32) []byte {
	var b []byte
	for _, v := range data {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// The reference network: PyTorch's file, with channels-last strides, and the
// safetensors library's agree.
func TestReferenceNetwork(t *testing.T) {
	dir := filepath.Join("..", "..", "testdata", "fashion")
	pth, err := Open(filepath.Join(dir, "resnext20_8x4d.pth"))
	require.NoError(t, err)
	st, err := Open(filepath.Join(dir, "resnext20_8x4d.safetensors"))
	require.NoError(t, err)
	require.Equal(t, FormatZip, pth.Format)
	require.Equal(t, FormatSafetensors, st.Format)
	require.Len(t, pth.Ignored, 22) // num_batches_tracked of each normalisation
	require.Equal(t, []int{64, 3, 3, 3}, pth.Tensors["conv_1_3x3.weight"].Shape)
	require.True(t, same(st, pth), "the two files differ")
}

// Tensors that share a storage in the file must not share memory here, where
// the caller may fold one into another.
func TestTensorsDoNotShareMemory(t *testing.T) {
	c, err := Open(filepath.Join("testdata", "strided.pth"))
	require.NoError(t, err)
	before := slices.Clone(c.Tensors["transposed"].Data)
	for _, name := range c.Order {
		if name != "transposed" {
			clear(c.Tensors[name].Data)
		}
	}
	require.Equal(t, before, c.Tensors["transposed"].Data)
}

func TestFirstNonFinite(t *testing.T) {
	inf, nan := float32(math.Inf(-1)), float32(math.NaN())
	for _, c := range []struct {
		data  []float32
		index int
		found bool
	}{
		{nil, 0, false},
		{[]float32{0, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32}, 0, false},
		{[]float32{1, inf, nan}, 1, true},
		{[]float32{nan}, 0, true},
	} {
		index, value, found := (&Tensor{Data: c.data}).FirstNonFinite()
		require.Equal(t, c.found, found)
		require.Equal(t, c.index, index)
		if found {
			require.Equal(t, math.Float32bits(c.data[index]), math.Float32bits(value))
		}
	}
}
