package int8

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
)

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
			sums := make([]int32, sh.c)
			for i, v := range x.v {
				sums[i%sh.c] += v
			}
			alone := NewHead(k, in, sh.pool, nil, nil, nil) // of a network without classes
			aloneState := alone.NewState()
			alone.Pool(store(t, rnd, x, in, k.InputFlip), aloneState, &scratch)
			features, same := make([]float32, sh.c), make([]float32, sh.c)
			h.Features(features, 0.3, st)
			alone.Features(same, 0.3, aloneState)
			require.Equal(t, features, same)
			require.Zero(t, alone.Classes()+alone.Bytes())
			for c, sum := range sums {
				require.Equal(t, float32(float64(sum)*float64(float32(0.3))/float64(sh.h*sh.w)), features[c])
			}
			for n := range got {
				acc := s.Bias[n]
				for c, sum := range sums {
					pooled := int32(math.RoundToEven(float64(float32(float32(sum) * sh.pool))))
					acc += pooled * int32(s.Weight[n*sh.c+c])
				}
				require.Equal(t, float32(float32(acc)*s.Multiplier[n]), got[n])
			}
		}
	})
}
