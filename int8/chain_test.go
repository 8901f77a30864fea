package int8

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
)

// TestLanes: weights that fill every lane to the limit are proved for the chain, and one more step in any
// lane is not. The kernel set is a made-up one that has every chain.
func TestLanes(t *testing.T) {
	kernels := &asm.Kernels{KB: 4, Widths: []int{8}, Lanes: asm.Quads, Chains: []int{1, 2, 4},
		Group4: asm.GroupKernel{Lanes: 8, Chains: []int{3}}, Group8: asm.GroupKernel{Lanes: 8, Chains: []int{6}}}
	rnd := rand.New(rand.NewPCG(1, 3))
	for _, s := range []ConvSpec{
		{In: Flat(64), Out: Flat(8), Kernel: 1, Stride: 1, Groups: 1},
		{In: Grouped(28, 2), Out: Flat(8), Kernel: 1, Stride: 1, Groups: 1}, // 14 channels padded to 16
		{In: Flat(24), Out: Flat(8), Kernel: 3, Stride: 1, Groups: 1},
		{Stem: true, Out: Flat(8), Kernel: 7, Stride: 2, Groups: 1},
		{In: Grouped(48, 2), Out: Grouped(48, 2), Kernel: 3, Stride: 1, Groups: 2},
		{In: Grouped(16, 4), Out: Grouped(16, 4), Kernel: 3, Stride: 1, Groups: 4},
		{In: Grouped(12, 4), Out: Grouped(12, 4), Kernel: 3, Stride: 1, Groups: 4},
		{In: Grouped(16, 2), Out: Grouped(16, 2), Kernel: 3, Stride: 1, Groups: 2},
	} {
		for _, quads := range []int{1, 2, 4} {
			lane, lanes := s.Lanes(quads)
			out := s.Out.Channels()
			s.Weight = make([]int8, out*len(lane))
			s.Bias, s.Multiplier = make([]int32, out), make([]float32, out)
			left := make([]int, lanes)
			for i := range left {
				left[i] = LaneLimit
			}
			for i, l := range lane {
				v := min(left[l], 60+rnd.IntN(68))
				left[l] -= v
				s.Weight[i] = int8(v)
			}
			want := quads
			if s.direct() {
				want = 3 * s.In.Padded / 4
			}
			proved := func() int { // of the panel of channel 0
				c := NewConv(kernels, s)
				if c.group != nil {
					return c.group.chain
				}
				return c.runs[0].chain
			}
			require.GreaterOrEqual(t, proved(), want, "%+v", s)
			full := lane[rnd.IntN(len(lane))]
			if left[full] > 0 {
				continue
			}
			for i, l := range lane {
				if l == full && s.Weight[i] < 127 {
					s.Weight[i]++
					require.Less(t, proved(), want, "%+v", s)
					break
				}
			}
		}
	}
}
