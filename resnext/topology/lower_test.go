package topology

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// randomConfig is a network of any kinds, which may be impossible.
func randomConfig(r *rand.Rand) Config {
	pick := func(from ...int) int { return from[r.IntN(len(from))] }
	c := Config{Classes: 3, Height: 1 + r.IntN(40), Width: 1 + r.IntN(40)}
	c.Stem.Pool = []Pool{NoPool, Max3x3, Average2x2, MaxBlur}[r.IntN(4)]
	for range pick(1, 1, 2, 3) {
		c.Stem.Convs = append(c.Stem.Convs, StemConv{Kernel: pick(1, 3, 7), Stride: pick(1, 2), Width: 4 * pick(1, 2, 3)})
	}
	if r.IntN(4) == 0 {
		c.Head, c.Classes = Embedding, 0
	}
	for range pick(1, 2, 3) {
		s := Stage{
			Kind: Kinds()[r.IntN(len(Kinds()))], Blocks: pick(1, 2, 3), Inner: 4 * pick(1, 2, 3), Out: 4 * pick(1, 2, 3),
			Cardinality: pick(1, 2, 4), Stride: pick(1, 2, 2, 3),
			Shortcut: []ShortcutKind{Projection, AveragedProjection, Padded}[r.IntN(3)],
		}
		role := func() Role { return s.Kind.Branch()[r.IntN(len(s.Kind.Branch()))].Role }
		if r.IntN(2) == 0 {
			s.StrideOn = role()
		}
		if r.IntN(3) == 0 {
			s.AntiAlias = []Pool{Average2x2, Blur3x3}[r.IntN(2)]
		}
		switch r.IntN(4) {
		case 0:
			s.Gate = Gate{Kind: SqueezeExcite, After: role(), Hidden: pick(1, 4, 7)}
		case 1:
			s.Gate = Gate{Kind: NeighbourGate, After: role(), Kernel: pick(1, 3, 9)}
		}
		c.Stages = append(c.Stages, s)
	}
	return c
}

// TestLoweredNetworksHold: what everybody who walks a program takes for granted.
func TestLoweredNetworksHold(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	met := 0
	for met < 500 {
		c := randomConfig(r)
		if c.Validate() != nil {
			continue
		}
		met++
		p := Lower(c)
		written := map[MapID]bool{Image: true}
		names := map[string]bool{}
		adds := 0
		for i, s := range p.Steps {
			require.False(t, names[s.Name], "%s comes twice", s.Name)
			names[s.Name] = true
			require.True(t, written[s.In], "%s reads what is not there", s.Name)
			in := p.Maps[s.In]
			if s.Op != Gated {
				require.False(t, in.Signed, "%s reads signed values", s.Name)
			}
			if s.Out == None {
				require.Equal(t, len(p.Steps)-1, i)
				require.True(t, s.Op == Classify || s.Op == Embed)
				require.Equal(t, c.Features(), in.Channels)
				continue
			}
			out := p.Maps[s.Out]
			require.False(t, written[s.Out], "%s is written twice", out.Name)
			written[s.Out] = true
			if s.Add != None {
				adds++
				add := p.Maps[s.Add]
				require.True(t, s.Op == Conv || s.Op == Gated, "%s adds", s.Name)
				require.True(t, written[s.Add])
				require.Equal(t, []int{out.H, out.W, out.Channels, out.Groups, out.Border}, []int{add.H, add.W, add.Channels, add.Groups, add.Border})
				require.False(t, out.Signed)
			}
			if s.Op != Conv {
				require.Equal(t, []int{in.Channels, in.Groups}, []int{out.Channels, out.Groups}, s.Name)
			}
			if s.Op == Gated && s.Add != None {
				require.True(t, in.Signed)
			}
			require.Equal(t, s.Stage >= 0, s.Block != "")
		}
		blocks := 0
		for _, s := range c.Stages {
			blocks += s.Blocks
		}
		require.Equal(t, blocks, adds, "every block adds once")
		require.Len(t, written, len(p.Maps))
	}
}
