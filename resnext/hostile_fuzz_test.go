//go:build unix

package resnext

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/internal/safetensors"
	"github.com/libresnext/libresnext/resnext/topology"
)

// FuzzModelFile changes the bytes of model files and puts the checksum right again, as a hostile maker would: each is
// refused in words, or runs alike on all kernels without touching a byte outside its memory.
func FuzzModelFile(f *testing.F) {
	for _, q := range hostileSeeds() {
		f.Add(encoded(f, q))
	}
	f.Fuzz(func(t *testing.T, data []byte) { tryModel(t, mended(data)) })
}

// FuzzModelMetadata makes a file of any metadata. Its tensors are what the configuration calls for, if it can be
// understood, so that more files get past the comparison of the two.
func FuzzModelMetadata(f *testing.F) {
	for _, q := range hostileSeeds() {
		metadata, _, err := q.content()
		require.NoError(f, err)
		f.Add(metadata[keyVersion], metadata[keyConfig], metadata[keyPreprocess], metadata[keyLabels])
	}
	f.Fuzz(func(t *testing.T, version, config, preprocess, labels string) {
		q := randomQuantised(tinyConfig(), 1)
		number, _ := strconv.Atoi(version)
		if c, err := topology.Decode(config, number); err == nil && c.Validate() == nil && weightsOf(c) < 1<<20 {
			q = randomQuantised(c, 1)
		}
		metadata, tensors, err := q.content()
		require.NoError(t, err)
		metadata[keyVersion], metadata[keyConfig], metadata[keyPreprocess], metadata[keyLabels] = version, config, preprocess, labels
		var b bytes.Buffer
		if _, err := safetensors.Encode(&b, metadata, tensors); err != nil {
			return // no UTF-8
		}
		tryModel(t, mended(b.Bytes()))
	})
}

// hostileSeeds are small networks of each kind of stem, shortcut and head.
func hostileSeeds() []*Quantised {
	two := tinyConfig()
	two.Stem = SimpleStem(5, 2, 8, Max3x3)
	two.Height, two.Width = 12, 9
	two.Stages = Uniform(2, []Stage{{Blocks: 2, Inner: 4, Out: 8, Stride: 1}, {Blocks: 1, Inner: 8, Out: 8, Stride: 2}})
	latest := tinyConfig() // what only the latest version of the format can say
	latest.Stem.Convs = append(latest.Stem.Convs, topology.StemConv{Kernel: 3, Stride: 2, Width: 5})
	latest.Stages[0].StrideOn = topology.Reduce
	gated := tinyConfig()
	gated.Stages[0].Gate = se(topology.Transform, 3)
	return []*Quantised{
		randomQuantised(tinyConfig(), 1), randomQuantised(two, 2), randomQuantised(latest, 3), randomQuantised(gated, 4),
		headless(randomQuantised(two, 5)),
	}
}

func weightsOf(c Config) (n int64) {
	for _, s := range c.Convs() {
		n += int64(s.Weights())
	}
	return n + int64(c.Classes)*int64(c.Features())
}

func encoded(t testing.TB, q *Quantised) []byte {
	t.Helper()
	metadata, tensors, err := q.content()
	require.NoError(t, err)
	var b bytes.Buffer
	_, err = safetensors.Encode(&b, metadata, tensors)
	require.NoError(t, err)
	return b.Bytes()
}

// mended puts the right checksum in the place of the one that a file has, if it can be read at all.
func mended(data []byte) []byte {
	file, err := safetensors.Parse(bytes.NewReader(data), int64(len(data)), "fuzz")
	if err != nil {
		return data
	}
	old := file.Metadata()[safetensors.ChecksumKey]
	sum, err := safetensors.Checksum(file)
	if err != nil || len(old) != len(sum) {
		return data
	}
	return bytes.Replace(slices.Clone(data), []byte(old), []byte(sum), 1)
}

// tryModel opens a file, and if it is sound runs it.
func tryModel(t *testing.T, data []byte) {
	t.Helper()
	const limit = 8 << 20
	m, err := OpenReaderAt(bytes.NewReader(data), int64(len(data)), "fuzz", Options{Kernels: "generic", MemoryLimit: limit})
	if err != nil {
		if !errors.Is(err, ErrModelFile) && !errors.Is(err, ErrMemoryLimit) {
			t.Fatalf("an error of no known kind: %v", err)
		}
		return
	}
	for _, label := range append(slices.Clone(m.Labels()), m.Config().Name) {
		require.NoError(t, checkText("it", label))
	}
	_, err = NewPreparer(m.Config(), m.Preprocess())
	require.NoError(t, err, "a model that opens can prepare pictures")
	c := m.Config()
	if c.MACs() > mostMACs {
		return
	}
	image := randomImage(c, 1)
	var want []uint32
	for _, kernels := range []string{"generic", asm.Available()[0]} {
		m, err := OpenReaderAt(bytes.NewReader(data), int64(len(data)), "fuzz", Options{Kernels: kernels, MemoryLimit: limit})
		require.NoError(t, err)
		fence(t, m, false)
		s := fencedSession(t, m, false)
		got := bitsOf(answer(t, s, image))
		s.Close()
		if want == nil {
			want = got
		}
		require.Equal(t, want, got, kernels)
	}
}
