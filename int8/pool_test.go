package int8

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/internal/guard"
)

func TestMaxPool(t *testing.T) {
	eachSet(t, func(t *testing.T, k *asm.Kernels) {
		for i, sh := range []struct{ h, w, c int }{{1, 1, 16}, {8, 6, 64}, {7, 9, 20}} {
			for stride := 1; stride <= 2; stride++ {
				rnd := rand.New(rand.NewPCG(uint64(i), 5))
				x := randomTensor(rnd, sh.h, sh.w, sh.c, 0, 255)
				in := Map{H: sh.h, W: sh.w, Border: 1, Layout: Flat(sh.c)}
				out := Map{H: (sh.h-1)/stride + 1, W: (sh.w-1)/stride + 1, Border: stride - 1, Layout: Flat(sh.c)}
				want := tensor{out.H, out.W, sh.c, make([]int32, out.H*out.W*sh.c)}
				for j := range want.v {
					oy, ox, c := j/sh.c/out.W, j/sh.c%out.W, j%sh.c
					for y := max(0, stride*oy-1); y <= min(sh.h-1, stride*oy+1); y++ {
						for z := max(0, stride*ox-1); z <= min(sh.w-1, stride*ox+1); z++ {
							want.v[j] = max(want.v[j], x.at(y, z, c))
						}
					}
				}
				src, dst := store(t, rnd, x, in, k.InputFlip), guard.End[byte](t, out.Bytes())
				out.ClearBorder(dst, 99)
				m := NewMaxPool(k, in, out, stride)
				tasks := 1 + rnd.IntN(m.Tasks()+1)
				var scratch Scratch
				for _, task := range rnd.Perm(tasks) {
					m.Run(src, dst, task, tasks, &scratch)
				}
				require.Equal(t, want.v, fetch(dst, out, k.InputFlip, false).v, "%+v, stride %d", sh, stride)
				requireBorder(t, out, dst, 99)
			}
		}
	})
}

// TestAveragePool: sides of any parity and any borders; what the input's border holds does not count.
func TestAveragePool(t *testing.T) {
	eachSet(t, func(t *testing.T, k *asm.Kernels) {
		for i, sh := range []struct{ h, w, c int }{{1, 1, 16}, {1, 4, 8}, {4, 1, 33}, {8, 6, 64}, {7, 9, 20}, {6, 5, 32}, {5, 2, 16}} {
			for borders := range 4 {
				rnd := rand.New(rand.NewPCG(uint64(i), uint64(borders)))
				x := randomTensor(rnd, sh.h, sh.w, sh.c, 0, 255)
				in := Map{H: sh.h, W: sh.w, Border: borders % 2, Layout: Flat(sh.c)}
				out := Map{H: (sh.h + 1) / 2, W: (sh.w + 1) / 2, Border: borders / 2, Layout: Flat(sh.c)}
				want := tensor{out.H, out.W, sh.c, make([]int32, out.H*out.W*sh.c)}
				for j := range want.v {
					oy, ox, c := j/sh.c/out.W, j/sh.c%out.W, j%sh.c
					sum, n := int32(0), 0
					for y := 2 * oy; y < min(sh.h, 2*oy+2); y++ {
						for z := 2 * ox; z < min(sh.w, 2*ox+2); z++ {
							sum, n = sum+x.at(y, z, c), n+1
						}
					}
					want.v[j] = int32(math.RoundToEven(float64(sum) / float64(n)))
				}
				src, dst := store(t, rnd, x, in, k.InputFlip), guard.End[byte](t, out.Bytes())
				in.ClearBorder(src, 77)
				out.ClearBorder(dst, 99)
				m := NewAveragePool(k, in, out)
				tasks := 1 + rnd.IntN(m.Tasks()+1)
				var scratch Scratch
				for _, task := range rnd.Perm(tasks) {
					m.Run(src, dst, task, tasks, &scratch)
				}
				require.Equal(t, want.v, fetch(dst, out, k.InputFlip, false).v, "%+v", sh)
				requireBorder(t, out, dst, 99)
			}
		}
	})
}

// TestBlur: sides of any parity down to one pixel, and any borders; what the input's border holds does not count.
func TestBlur(t *testing.T) {
	reflect := func(i, side int) int {
		if side == 1 {
			return 0
		}
		if i < 0 {
			i = -i
		}
		return min(i, 2*(side-1)-i)
	}
	weights := [...]int32{1, 2, 1}
	eachSet(t, func(t *testing.T, k *asm.Kernels) {
		for h := 1; h <= 7; h++ {
			for w := 1; w <= 7; w++ {
				for borders := range 4 {
					rnd := rand.New(rand.NewPCG(uint64(8*h+w), uint64(borders)))
					channels := []int{16, 20, 33, 64}[rnd.IntN(4)]
					x := randomTensor(rnd, h, w, channels, 0, 255)
					in := Map{H: h, W: w, Border: borders % 2, Layout: Flat(channels)}
					out := Map{H: (h + 1) / 2, W: (w + 1) / 2, Border: borders / 2, Layout: Flat(channels)}
					want := tensor{out.H, out.W, channels, make([]int32, out.H*out.W*channels)}
					for j := range want.v {
						oy, ox, c := j/channels/out.W, j/channels%out.W, j%channels
						sum := int32(0)
						for ky, down := range weights {
							for kx, right := range weights {
								sum += down * right * x.at(reflect(2*oy+ky-1, h), reflect(2*ox+kx-1, w), c)
							}
						}
						want.v[j] = int32(math.RoundToEven(float64(sum) / 16))
					}
					src, dst := store(t, rnd, x, in, k.InputFlip), guard.End[byte](t, out.Bytes())
					in.ClearBorder(src, 77)
					out.ClearBorder(dst, 99)
					m := NewBlur(k, in, out)
					tasks := 1 + rnd.IntN(m.Tasks()+1)
					var scratch Scratch
					for _, task := range rnd.Perm(tasks) {
						m.Run(src, dst, task, tasks, &scratch)
					}
					require.Equal(t, want.v, fetch(dst, out, k.InputFlip, false).v, "%dx%d pixels, %d channels", h, w, channels)
					requireBorder(t, out, dst, 99)
				}
			}
		}
	})
}

// requireBorder: an operator has written nothing into the border, which held v.
func requireBorder(t *testing.T, m Map, buf []byte, v byte) {
	again := append([]byte(nil), buf...)
	m.ClearBorder(again, v)
	require.Equal(t, again, append([]byte(nil), buf...))
}
