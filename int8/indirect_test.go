package int8

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
)

// TestStrips: where tasks are strips of pixels, only the last one has a ragged tile, and none is too short.
func TestStrips(t *testing.T) {
	eachSet(t, func(t *testing.T, k *asm.Kernels) {
		require.Len(t, k.MR, len(k.NR))
		watched := *k
		watched.IGEMM = func(a *asm.IGEMMArgs) {
			require.Zero(t, a.M%k.MR[slices.Index(k.NR, a.NR)], "pixels of a call before the last task")
			require.GreaterOrEqual(t, a.M, minPixels)
			k.IGEMM(a)
		}
		rnd := rand.New(rand.NewPCG(1, 7))
		in, out := Map{H: 19, W: 19, Layout: Flat(16)}, Map{H: 19, W: 19, Layout: Flat(120)}
		spec := ConvSpec{In: in.Layout, Out: out.Layout, Kernel: 1, Stride: 1, Groups: 1}
		c := NewConv(&watched, randomConv(rnd, spec, 16, 127))
		b := c.Bind(in, out)
		tasks := c.Tasks(b, 4)
		require.Greater(t, tasks, 4)
		buf := Buffers{In: make([]byte, in.Bytes()), Out: make([]byte, out.Bytes())}
		var scratch Scratch
		for task := range tasks - 1 {
			c.Run(b, buf, task, tasks, &scratch)
		}
	})
	require.Equal(t, 12, commonMultiple([]int{3, 6, 4}))
	require.Equal(t, 1, commonMultiple(nil))
}
