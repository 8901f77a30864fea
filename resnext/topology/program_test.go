package topology

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// tiny is a network with max pooling, a projection and identities.
func tiny() Config {
	return Config{
		Stem: SimpleStem(5, 2, 8, Max3x3), Classes: 3, Height: 12, Width: 9,
		Stages: Uniform(2, []Stage{{Blocks: 2, Inner: 4, Out: 8, Stride: 1}, {Blocks: 1, Inner: 8, Out: 8, Stride: 2}}),
	}
}

// TestLower writes out what the steps of a small network are.
func TestLower(t *testing.T) {
	p := Lower(tiny())
	type row struct {
		name, block                    string
		op                             Op
		role                           Role
		stage, index                   int
		in, add                        string
		kernel, stride, groups, h, w   int
		border, mapGroups, channelsOut int
		signed                         bool
	}
	var got []row
	name := func(id MapID) string {
		if id == None {
			return ""
		}
		return p.Maps[id].Name
	}
	for _, s := range p.Steps {
		r := row{name: s.Name, block: s.Block, op: s.Op, role: s.Role, stage: s.Stage, index: s.Index, in: name(s.In), add: name(s.Add)}
		if s.Op == Conv {
			c := s.Conv
			r.kernel, r.stride, r.groups = c.Kernel, c.Stride, c.Groups
			require.Equal(t, p.Maps[s.In].Channels, c.In)
			require.Equal(t, p.Maps[s.In].Groups, c.InGroups)
			require.Equal(t, p.Maps[s.Out].Groups, c.OutGroups)
			require.Equal(t, s.In == Image, c.Image)
			require.Equal(t, !p.Maps[s.Out].Signed, c.ReLU)
			require.Equal(t, s.Name, c.Name)
		}
		if s.Out != None {
			m := p.Maps[s.Out]
			require.Equal(t, s.Name, m.Name)
			r.h, r.w, r.border, r.mapGroups, r.channelsOut, r.signed = m.H, m.W, m.Border, m.Groups, m.Channels, m.Signed
		}
		got = append(got, r)
	}
	require.Equal(t, []row{
		{"stem", "", Conv, StemRole, -1, -1, "input", "", 5, 2, 1, 6, 5, 1, 1, 8, false},
		{"pool", "", MaxPool, PoolRole, -1, -1, "stem", "", 0, 0, 0, 3, 3, 0, 1, 8, false},
		{"stage1.block0.reduce", "stage1.block0", Conv, Reduce, 0, 0, "pool", "", 1, 1, 1, 3, 3, 1, 2, 4, false},
		{"stage1.block0.transform", "stage1.block0", Conv, Transform, 0, 0, "stage1.block0.reduce", "", 3, 1, 2, 3, 3, 0, 2, 4, false},
		{"stage1.block0.expand", "stage1.block0", Conv, Expand, 0, 0, "stage1.block0.transform", "pool", 1, 1, 1, 3, 3, 0, 1, 8, false},
		{"stage1.block1.reduce", "stage1.block1", Conv, Reduce, 0, 1, "stage1.block0.expand", "", 1, 1, 1, 3, 3, 1, 2, 4, false},
		{"stage1.block1.transform", "stage1.block1", Conv, Transform, 0, 1, "stage1.block1.reduce", "", 3, 1, 2, 3, 3, 0, 2, 4, false},
		{"stage1.block1.expand", "stage1.block1", Conv, Expand, 0, 1, "stage1.block1.transform", "stage1.block0.expand", 1, 1, 1, 3, 3, 0, 1, 8, false},
		{"stage2.block0.shortcut", "stage2.block0", Conv, Shortcut, 1, 0, "stage1.block1.expand", "", 1, 2, 1, 2, 2, 0, 1, 8, true},
		{"stage2.block0.reduce", "stage2.block0", Conv, Reduce, 1, 0, "stage1.block1.expand", "", 1, 1, 1, 3, 3, 1, 2, 8, false},
		{"stage2.block0.transform", "stage2.block0", Conv, Transform, 1, 0, "stage2.block0.reduce", "", 3, 2, 2, 2, 2, 0, 2, 8, false},
		{"stage2.block0.expand", "stage2.block0", Conv, Expand, 1, 0, "stage2.block0.transform", "stage2.block0.shortcut", 1, 1, 1, 2, 2, 0, 1, 8, false},
		{"classifier", "", Classify, ClassifierRole, -1, -1, "stage2.block0.expand", "", 0, 0, 0, 0, 0, 0, 0, 0, false},
	}, got)
	require.Equal(t, Map{Name: InputName, H: 12, W: 9, Channels: 3, Border: 2, Groups: 1}, p.Maps[Image])
	require.Equal(t, ConvShape{Name: "classifier", In: 8, Out: 3, Kernel: 1, Stride: 1, Groups: 1, InH: 1, InW: 1, OutH: 1, OutW: 1},
		p.Head().Conv)
	require.Len(t, p.Convs(), 11)
	require.Equal(t, 8*5*5*3, p.LargestLayer())
	require.Equal(t, 11, tiny().Layers())
}

// TestUses: who touches each map follows from the steps, and the last of all is the last.
func TestUses(t *testing.T) {
	p := Lower(tiny())
	uses := p.Uses()
	id := func(name string) MapID {
		for i, m := range p.Maps {
			if m.Name == name {
				return MapID(i)
			}
		}
		t.Fatal(name)
		return None
	}
	require.Equal(t, Uses{Writer: -1, Readers: []int{0}}, uses[Image])
	require.Equal(t, Uses{Writer: 1, Readers: []int{2}, Adders: []int{4}, Last: 4}, uses[id("pool")])
	require.Equal(t, Uses{Writer: 7, Readers: []int{8, 9}, Last: 9}, uses[id("stage1.block1.expand")])
	require.Equal(t, Uses{Writer: 8, Adders: []int{11}, Last: 11}, uses[id("stage2.block0.shortcut")])
	require.True(t, p.InsideBlock(id("stage1.block0.reduce")))
	require.False(t, p.InsideBlock(id("stage1.block0.expand")), "the next block reads it")
	require.False(t, p.InsideBlock(id("stage2.block0.shortcut")), "it is added")
	require.False(t, p.InsideBlock(Image))
	require.Equal(t, "stem", p.Writer(id("stem")).Name)

	var groups [][]string
	for _, g := range p.ResidualGroups() {
		var names []string
		for _, id := range g {
			names = append(names, p.Maps[id].Name)
		}
		groups = append(groups, names)
	}
	require.Equal(t, [][]string{
		{"stage1.block0.reduce"}, {"stage1.block0.transform"}, {"stage1.block1.reduce"}, {"stage1.block1.transform"},
		{"stage2.block0.reduce"}, {"stage2.block0.transform"},
		{"stem", "pool", "stage1.block0.expand", "stage1.block1.expand"}, {"stage2.block0.shortcut", "stage2.block0.expand"},
	}, groups)
}

// TestArena: no two maps that are needed at the same time share a byte, but the one that is added and the sum; and
// a network takes no more than the largest maps of each kind would.
func TestArena(t *testing.T) {
	configs := []Config{tiny()}
	for _, name := range Architectures() {
		c, err := Named(name)
		require.NoError(t, err)
		configs = append(configs, c)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		c := tiny()
		c.Stem.Pool = []Pool{NoPool, Max3x3}[r.IntN(2)]
		c.Stages = nil
		for range 1 + r.IntN(4) {
			c.Stages = append(c.Stages, Stage{Blocks: 1 + r.IntN(3), Inner: 2 + 2*r.IntN(20), Out: 1 + r.IntN(30), Cardinality: 2, Stride: 1 + r.IntN(3)})
		}
		require.NoError(t, c.Validate())
		configs = append(configs, c)
	}
	for len(configs) < 500 {
		if c := randomConfig(r); c.Validate() == nil {
			configs = append(configs, c)
		}
	}
	for _, c := range configs {
		p := Lower(c)
		size := func(id MapID) int64 { return int64(p.Maps[id].Values()) }
		offset, total := p.Arena(size)
		uses := p.Uses()
		uses[Image].Last = len(p.Steps)
		for a := range p.Maps {
			require.LessOrEqual(t, offset[a]+size(MapID(a)), total)
			for b := range a {
				apart := uses[a].Writer > uses[b].Last || uses[b].Writer > uses[a].Last
				sum := uses[a].Writer >= 0 && p.Steps[uses[a].Writer].Add == MapID(b) && uses[b].Last == uses[a].Writer
				disjoint := offset[a] >= offset[b]+size(MapID(b)) || offset[b] >= offset[a]+size(MapID(a))
				if !apart && !disjoint && !(sum && offset[a] == offset[b]) {
					t.Fatalf("%s and %s of %+v share memory", p.Maps[a].Name, p.Maps[b].Name, c)
				}
			}
		}
		var largest int64
		for id := range p.Maps {
			largest = max(largest, size(MapID(id)))
		}
		require.LessOrEqual(t, total, 5*largest)
	}
}
