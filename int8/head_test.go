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
			rnd := rand.New(rand.NewPCG(uint64(i), 5))
			x := randomTensor(rnd, sh.h, sh.w, sh.c, 0, 255)
			in := Map{H: sh.h, W: sh.w, Border: 1, Layout: Flat(sh.c)}
			out := Map{H: (sh.h-1)/2 + 1, W: (sh.w-1)/2 + 1, Layout: Flat(sh.c)}
			want := tensor{out.H, out.W, sh.c, make([]int32, out.H*out.W*sh.c)}
			for j := range want.v {
				oy, ox, c := j/sh.c/out.W, j/sh.c%out.W, j%sh.c
				for y := max(0, 2*oy-1); y <= min(sh.h-1, 2*oy+1); y++ {
					for z := max(0, 2*ox-1); z <= min(sh.w-1, 2*ox+1); z++ {
						want.v[j] = max(want.v[j], x.at(y, z, c))
					}
				}
			}
			src, dst := store(t, rnd, x, in, k.InputFlip), guard.End[byte](t, out.Bytes())
			m := NewMaxPool(k, in, out)
			var scratch Scratch
			for task := range m.Tasks() {
				m.Run(src, dst, task, m.Tasks(), &scratch)
			}
			require.Equal(t, want.v, fetch(dst, out, k.InputFlip, false).v)
		}
	})
}

func TestHead(t *testing.T) {
	eachSet(t, func(t *testing.T, k *asm.Kernels) {
		for i, sh := range []struct {
			h, w, c, classes int
			pool             float32
		}{{7, 7, 64, 10, 1}, {1, 1, 20, 3, 1}, {8, 16, 32, 7, 1}, {16, 16, 24, 1, 32767.0 / (255 * 256)}} {
			rnd := rand.New(rand.NewPCG(uint64(i), 5))
			x := randomTensor(rnd, sh.h, sh.w, sh.c, 0, 255)
			in := Map{H: sh.h, W: sh.w, Layout: Flat(sh.c)}
			s := randomConv(rnd, ConvSpec{Out: Flat(sh.classes), Kernel: 1, Stride: 1, Groups: 1}, sh.c, 127)
			h := NewHead(k, in, sh.pool, s.Weight, s.Bias, s.Multiplier)
			st := h.NewState()
			got := make([]float32, h.Classes())
			var scratch Scratch
			h.Pool(store(t, rnd, x, in, k.InputFlip), st, &scratch)
			for task := range 3 {
				h.Logits(got, st, task, 3, &scratch)
			}
			for n := range got {
				acc := s.Bias[n]
				for c := range sh.c {
					sum := int32(0)
					for p := range sh.h * sh.w {
						sum += x.v[p*sh.c+c]
					}
					pooled := int32(math.RoundToEven(float64(float32(float32(sum) * sh.pool))))
					acc += pooled * int32(s.Weight[n*sh.c+c])
				}
				require.Equal(t, float32(float32(acc)*s.Multiplier[n]), got[n])
			}
		}
	})
}
