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

// TestNext: kernels are told where the weights lie that the next call wants, across tasks, strips and convolutions.
func TestNext(t *testing.T) {
	eachSet(t, func(t *testing.T, k *asm.Kernels) {
		var calls []asm.IGEMMArgs
		watched := *k
		watched.IGEMM = func(a *asm.IGEMMArgs) { calls = append(calls, *a) }
		rnd := rand.New(rand.NewPCG(1, 8))
		run := func(side, channels, groups, tasks int, then bool) (made []asm.IGEMMArgs, first, after *int8) {
			in := Map{H: side, W: side, Border: 1, Layout: Grouped(channels, groups)}
			spec := ConvSpec{In: in.Layout, Out: in.Layout, Kernel: 3, Stride: 1, Groups: groups}
			c := NewConv(&watched, randomConv(rnd, spec, channels, 127))
			if then {
				next := NewConv(&watched, randomConv(rnd, spec, channels, 127))
				c.Then(next)
				after = &next.numbers.weights[0]
			}
			b := c.Bind(in, in)
			buf := Buffers{In: make([]byte, in.Bytes()), Out: make([]byte, in.Bytes())}
			calls = nil
			var scratch Scratch
			for task := range tasks {
				c.Run(b, buf, task, tasks, &scratch)
			}
			return calls, &c.numbers.weights[0], after
		}
		for _, groups := range []int{1, 4} {
			for _, then := range []bool{false, true} { // by channel
				calls, _, after := run(2, 88*groups, groups, 3, then)
				for i, c := range calls[:len(calls)-1] {
					require.Same(t, calls[i+1].W, c.Next)
					require.LessOrEqual(t, c.NextBytes, c.Taps*c.K*c.NR)
					require.Positive(t, c.NextBytes)
				}
				require.True(t, calls[len(calls)-1].Next == after)
			}
		}
		calls, first, after := run(20, 16, 1, 3, true) // by strips
		require.Len(t, calls, 3)
		for i, want := range []*int8{first, first, after} {
			require.Same(t, want, calls[i].Next)
		}
	})
}
