package asm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// extremeSums are accumulators whose products with extremeMults lie at and around halves, the bounds of the
// output, 2^22, 1.5*2^23 and 2^24, where ways of rounding by addition change, and far beyond.
func extremeSums(rnd *rand.Rand, n int) []int32 {
	around := []int32{0, 1, 254, 255, 256, 508, 510, 511, 512, 1 << 22, 1 << 23, 3 << 22, 1 << 24, 3 << 23, 1 << 25, math.MaxInt32 - 8}
	sums := make([]int32, n)
	for i := range sums {
		sums[i] = around[rnd.IntN(len(around))] + int32(rnd.IntN(9)-4)
		if rnd.IntN(2) == 0 {
			sums[i] = -sums[i]
		}
		if rnd.IntN(16) == 0 {
			sums[i] = math.MinInt32
		}
	}
	return sums
}

func extremeMults(rnd *rand.Rand, n int) []float32 {
	mults := make([]float32, n)
	for i := range mults {
		switch rnd.IntN(6) {
		case 0:
			mults[i] = 0
		case 1:
			mults[i] = math.SmallestNonzeroFloat32
		default:
			mults[i] = float32(math.Ldexp(1, -1-rnd.IntN(4)))
		}
	}
	return mults
}

// TestExtremeSums gives every kernel's epilogue accumulators of any size, as biases of sums of no products.
func TestExtremeSums(t *testing.T) {
	const m, rounds = 5, 50
	eachSet(t, func(t *testing.T, k *Kernels) {
		for _, nr := range k.NR {
			for epilogue := ReLU; epilogue <= AddSigned; epilogue++ {
				t.Run(fmt.Sprintf("nr%d_mode%d", nr, epilogue), func(t *testing.T) {
					d := newData(t, uint64(nr)+uint64(epilogue))
					in, w := d.activations(8), make([]int8, 8*nr)
					inOff, outOff, tapOff := make([]int32, m), steps(m, nr), []int32{0}
					for range rounds {
						bias, mult, res := extremeSums(d.rnd, nr), extremeMults(d.rnd, nr), d.activations(m*nr)
						got, want := make([]byte, m*nr), make([]byte, m*nr)
						a := IGEMMArgs{In: &in[0], InOff: &inOff[0], TapOff: &tapOff[0], W: &w[0], Bias: &bias[0], Mult: &mult[0],
							Out: &want[0], OutOff: &outOff[0], Res: &res[0], ResOff: &outOff[0],
							M: m, Taps: 1, K: 8, NR: nr, Panels: 1, ResMult: float32(d.rnd.IntN(9)) / 4, Epilogue: epilogue}
						IGEMMReference(&a, k.KR, k.InputFlip)
						a.Out = &got[0]
						k.IGEMM(&a)
						require.Equal(t, want, got, "sums %v, multipliers %v", bias, mult)
					}
				})
			}
		}
		for _, width := range []int{4, 8} {
			t.Run(fmt.Sprintf("group%d", width), func(t *testing.T) {
				g, d := k.Group(width), newData(t, uint64(width))
				c := g.Channels
				in, w := d.activations(3*(m+2)*c), make([]int8, 9*width*c)
				for range rounds {
					bias, mult := extremeSums(d.rnd, c), extremeMults(d.rnd, c)
					got, want := make([]byte, m*c), make([]byte, m*c)
					a := GroupArgs{In: &in[0], InRow: (m + 2) * c, InCol: c, TapRow: (m + 2) * c, TapCol: c, W: &w[0],
						Bias: &bias[0], Mult: &mult[0], Out: &want[0], OutRow: m * c, OutCol: c, Rows: 1, Cols: m, Panels: 1}
					GroupReference(&a, width, c, g.Order, k.InputFlip)
					a.Out = &got[0]
					g.Run(&a)
					require.Equal(t, want, got, "sums %v, multipliers %v", bias, mult)
				}
			})
		}
	})
}
