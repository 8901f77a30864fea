package resnext

import (
	"testing"

	"github.com/stretchr/testify/require"

	i8 "github.com/libresnext/libresnext/int8"
	"github.com/libresnext/libresnext/resnext/topology"
)

// wide is a network whose first map has 2048x2048 pixels of so many channels.
func wide(channels int) Config {
	return Config{
		Stem: SimpleStem(1, 1, channels, NoPool), Classes: 2, Height: 2048, Width: 2048,
		Stages: Uniform(1, []Stage{{Blocks: 1, Inner: 1, Out: 16, Stride: 4}}),
	}
}

// TestMapsStayInReach: kernels find pixels by offsets of 32 bits, so a file of a few kilobytes whose first map has 2^31
// bytes or more must not pass, on CPUs with an int of 32 bits neither.
func TestMapsStayInReach(t *testing.T) {
	require.NoError(t, wide(496).Validate())
	for _, channels := range []int{512, 528, 1024, 1040, 1536, 2048, 1 << 15} {
		c := wide(channels)
		require.ErrorIs(t, c.Validate(), ErrConfig)
		require.ErrorContains(t, c.Validate(), "stem: 2048x2048 pixels of")
		_, err := New(&Quantised{Config: c, Preprocess: CIFARPreprocess()}, Options{})
		require.ErrorContains(t, err, "expected at most 2147483647")
	}
	// A map inside a block, whose border and padding of groups alone bring it out of reach: groups of 3 channels take 4
	// bytes.
	for groups, want := range map[int]string{103: "over the memory limit", 128: "stage1.block0.reduce: 2048x2048 pixels of 384 channels"} {
		c := wide(16)
		c.Stages[0].Cardinality, c.Stages[0].Inner = groups, 3*groups
		_, err := New(&Quantised{Config: c, Preprocess: CIFARPreprocess()}, Options{})
		require.ErrorContains(t, err, want)
	}
}

// TestProductsOfSizesDoNotWrap: with an int of 32 bits these would be small numbers again.
func TestProductsOfSizesDoNotWrap(t *testing.T) {
	c := wide(16)
	c.Height, c.Width, c.Stages[0].Out, c.Classes = 1, 1, 1<<15, 1<<17
	require.ErrorContains(t, c.Validate(), "classifier has 4294967296 weights")
	c = wide(1 << 15)
	c.Height, c.Width, c.Stages[0].Inner = 1, 1, 1<<15
	require.ErrorContains(t, c.Validate(), "stage1.block0.reduce has 1073741824 weights")
}

func TestMemoryLimit(t *testing.T) {
	// Every map is in reach, all together are too much for a small device.
	c := wide(496)
	q := &Quantised{Config: c, Preprocess: CIFARPreprocess()}
	_, err := New(q, Options{})
	require.ErrorIs(t, err, ErrMemoryLimit)
	require.ErrorContains(t, err, "at 2048x2048 pixels needs")
	require.ErrorContains(t, err, "the limit is 512 MB")
	_, err = New(q, Options{MemoryLimit: -1})
	require.ErrorContains(t, err, "a memory limit of -1 bytes")

	for _, text := range []string{"0", "-5", "1GB", "99999999999999999999", "4398046511104"} {
		t.Setenv(MemoryLimitEnv, text)
		_, err = New(q, Options{})
		require.ErrorContains(t, err, "RESNEXT_MEMORY_LIMIT is \""+text)
	}
	t.Setenv(MemoryLimitEnv, "700")
	_, err = New(q, Options{})
	require.ErrorContains(t, err, "the limit is 700 MB: set RESNEXT_MEMORY_LIMIT=")

	c = small()["4x8d"]
	q = randomQuantised(c, 1)
	need := SessionBytes(c) + tableBytes(topology.Lower(c))
	_, err = New(q, Options{MemoryLimit: need - 1})
	require.ErrorIs(t, err, ErrMemoryLimit)
	m, err := New(q, Options{MemoryLimit: need})
	require.NoError(t, err)
	s, err := m.NewSession(SessionOptions{Threads: 1})
	require.NoError(t, err)
	defer s.Close()
	require.EqualValues(t, SessionBytes(c), s.ArenaBytes())

	// The largest published network stays far below the default, so the limit meets nobody who means well.
	for _, arch := range Architectures() {
		c, err := Named(arch)
		require.NoError(t, err)
		_, err = checkMemory(topology.Lower(c), 64<<20)
		require.NoError(t, err, arch)
	}
}

// TestEqualLayersShareTheirOffsets: a file of thousands of layers would otherwise cost megabytes for each.
func TestEqualLayersShareTheirOffsets(t *testing.T) {
	c := small()["8x4d"]
	c.Stages[0].Blocks = 9
	m, err := New(randomQuantised(c, 1), Options{})
	require.NoError(t, err)
	bindings := map[*i8.Binding]bool{}
	for _, l := range m.layers() {
		bindings[l.binding] = true
	}
	// Stem; the shortcuts, reduces, transforms and expands of both stages' first blocks; the reduce of the first
	// stage's others.
	require.Len(t, bindings, 1+4+4+1)
}
