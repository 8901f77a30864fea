package int8

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
)

// TestChain checks the proof against its meaning: with the worst activations of either sign no sum of a lane
// leaves the int16 range, in the lanes of VPMADDUBSW (bytes 0 and 1 of four, and 2 and 3) and of SMLAL (eight
// bytes, one each).
func TestChain(t *testing.T) {
	avx2 := &asm.Kernels{Depths: []int{1, 2, 4}, Lanes: asm.Quads}
	neon := &asm.Kernels{Depths: []int{1, 2, 4}, Lanes: asm.Acc16Lanes{Count: 8, Width: 1}, InputFlip: 0x80}
	rnd := rand.New(rand.NewPCG(1, 1))
	met := map[int]int{}
	for round := range 20000 {
		k, step, least, most := avx2, 4, 0, 255
		lane := func(i int) int { return i / 2 % 2 }
		if round%2 == 1 {
			k, step, least, most = neon, 16, -128, 127
			lane = func(i int) int { return i % 8 }
		}
		taps, run := 1+rnd.IntN(3), 8*(1+rnd.IntN(9))
		w := make([]int8, taps*run)
		spread := 1 + rnd.IntN(127)
		for i := range w {
			w[i] = int8(rnd.IntN(2*spread+1) - spread)
		}
		want := 0
		for _, n := range k.Depths {
			safe := true
			var above, below [8]int
			for i, v := range w {
				if i%run%(n*step) == 0 {
					above, below = [8]int{}, [8]int{}
				}
				above[lane(i)] += max(int(v)*most, int(v)*least)
				below[lane(i)] += min(int(v)*most, int(v)*least)
				safe = safe && above[lane(i)] <= math.MaxInt16 && below[lane(i)] >= math.MinInt16
			}
			if !safe {
				break
			}
			want = n
		}
		met[want]++
		require.Equal(t, want, Depth(w, taps, k.Depths, k))
	}
	require.Len(t, met, 4)
	quad := func(w ...int8) int { return Depth(w, 1, []int{1}, avx2) }
	require.Equal(t, 1, quad(64, 64, 127, 1))
	require.Equal(t, 0, quad(64, 65, 0, 0))
	require.Equal(t, 0, quad(0, 0, -127, -2))
	require.Equal(t, 0, Depth([]int8{1, 1, 1, 1}, 1, nil, avx2))
	depth := func(a, b, c, d int8) int { // all in one lane
		w := make([]int8, 32)
		w[3], w[11], w[19], w[27] = a, b, c, d
		return Depth(w, 1, []int{2}, neon)
	}
	require.Equal(t, 2, depth(64, 64, 64, 64)) // -128 * 256 is the least int16
	require.Equal(t, 0, depth(-64, -64, -64, -64))
	require.Equal(t, 2, depth(-64, -64, -64, -63))
	require.Equal(t, 0, depth(127, -127, 3, 0))
	require.Equal(t, 2, depth(127, -127, 1, 0))
}

// TestChainsAcrossTaps: where the lanes say so and taps are whole steps, a chain goes on at the next tap and is proved as
// one.
func TestChainsAcrossTaps(t *testing.T) {
	depth := func(across bool, width int, taps ...int8) int {
		k := &asm.Kernels{KR: 16, NR: []int{4}, MR: []int{3}, Depths: []int{2, 4}, InputFlip: 0x80,
			Lanes: asm.Acc16Lanes{Count: 8, Width: 1, AcrossTaps: across}}
		l := Grouped(2*width, 2)
		s := ConvSpec{In: l, Out: l, Kernel: 3, Stride: 1, Groups: 2, Weight: make([]int8, 2*width*9*width),
			Bias: make([]int32, 2*width), Multiplier: make([]float32, 2*width)}
		for tap, v := range taps { // channel 0's, two of each, all in one lane
			s.Weight[tap*width], s.Weight[tap*width+8] = v, v
		}
		return NewConv(k, s).operator.(*indirect).runs[0].depth
	}
	require.Equal(t, 4, depth(true, 16, 64, 64, 0, 0, 64, 64))
	require.Equal(t, 2, depth(true, 16, 64, 64, 0, 1))
	require.Equal(t, 0, depth(true, 16, 64, 65))
	require.Equal(t, 4, depth(false, 16, 127, 127))
	require.Equal(t, 4, depth(true, 24, 64, 64, 64)) // a tap is a step and a half
}

// TestLanes: weights that fill every lane to the limit are proved for the depth, and one more step in any
// lane is not. The kernel set is a made-up one that has every depth.
func TestLanes(t *testing.T) {
	kernels := &asm.Kernels{KR: 4, NR: []int{8}, MR: []int{4}, Lanes: asm.Quads, Depths: []int{1, 2, 4},
		Group4: asm.GroupKernel{Channels: 8, Depths: []int{3}}, Group8: asm.GroupKernel{Channels: 8, Depths: []int{6}}}
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
		for _, steps := range []int{1, 2, 4} {
			lane, lanes := s.Lanes(asm.ProductsPerStep * steps)
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
			want := steps
			if s.direct() {
				want = 3 * s.In.Padded / 4
			}
			proved := func() int { // of the panel of channel 0
				c := NewConv(kernels, s)
				if d, ok := c.operator.(*direct); ok {
					return d.depth
				}
				return c.operator.(*indirect).runs[0].depth
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
