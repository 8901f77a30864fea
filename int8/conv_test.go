package int8

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/internal/guard"
)

// eachSet runs a test once for every kernel set of this CPU.
func eachSet(t *testing.T, test func(t *testing.T, k *asm.Kernels)) {
	for _, name := range asm.Available() {
		k, _, err := asm.Select(name)
		require.NoError(t, err)
		t.Run(name, func(t *testing.T) { test(t, k) })
	}
}

// tensor is a map without padding, border or offset: [h][w][c].
type tensor struct {
	h, w, c int
	v       []int32
}

func (x tensor) at(y, z, c int) int32 { return x.v[(y*x.w+z)*x.c+c] }

func randomTensor(rnd *rand.Rand, h, w, c int, lo, hi int32) tensor {
	x := tensor{h, w, c, make([]int32, h*w*c)}
	for i := range x.v {
		switch rnd.IntN(12) {
		case 0:
			x.v[i] = lo
		case 1:
			x.v[i] = hi
		default:
			x.v[i] = lo + rnd.Int32N(hi-lo+1)
		}
	}
	return x
}

// store writes x into memory of m's shape, guarded by fences, border and padding included. A pad of nil
// leaves rubbish in padding channels.
func store(t *testing.T, rnd *rand.Rand, x tensor, m Map, xor byte) []byte {
	buf := guard.End[byte](t, m.Bytes())
	for i := range buf {
		buf[i] = byte(rnd.IntN(256))
	}
	for y := -m.Border; y < m.H+m.Border; y++ {
		for z := -m.Border; z < m.W+m.Border; z++ {
			for c := range x.c {
				v := byte(0)
				if y >= 0 && y < m.H && z >= 0 && z < m.W {
					v = byte(x.at(y, z, c))
				}
				buf[m.Offset(y, z)+m.Layout.At(c)] = v ^ xor
			}
		}
	}
	return buf
}

// fetch reads the real channels back.
func fetch(buf []byte, m Map, xor byte, signed bool) tensor {
	x := tensor{m.H, m.W, m.Layout.Channels(), nil}
	for y := range m.H {
		for z := range m.W {
			for c := range x.c {
				b := buf[m.Offset(y, z)+m.Layout.At(c)]
				if signed {
					x.v = append(x.v, int32(int8(b)))
				} else {
					x.v = append(x.v, int32(b^xor))
				}
			}
		}
	}
	return x
}

// reference is the convolution straight from the contract, with padding kernel/2 of the bytes pad.
func reference(x tensor, s ConvSpec, pad [3]byte, res *tensor) tensor {
	oh, ow := (x.h-1)/s.Stride+1, (x.w-1)/s.Stride+1
	out := s.Out.Channels()
	icg, ocg := x.c/s.Groups, out/s.Groups
	y := tensor{oh, ow, out, make([]int32, oh*ow*out)}
	for i := range y.v {
		oy, ox, oc := i/out/ow, i/out%ow, i%out
		acc := s.Bias[oc]
		for ky := range s.Kernel {
			for kx := range s.Kernel {
				iy, ix := oy*s.Stride+ky-s.Kernel/2, ox*s.Stride+kx-s.Kernel/2
				for c := range icg {
					v := int32(0)
					if iy >= 0 && iy < x.h && ix >= 0 && ix < x.w {
						v = x.at(iy, ix, oc/ocg*icg+c)
					} else if s.Stem {
						v = int32(pad[c])
					}
					acc += v * int32(s.Weight[((oc*s.Kernel+ky)*s.Kernel+kx)*icg+c])
				}
			}
		}
		v := float32(float32(acc) * s.Multiplier[oc])
		if res != nil {
			v = float32(v + float32(float32(res.v[i])*s.Residual))
		}
		lo, hi := 0.0, 255.0
		if s.Epilogue == asm.Signed {
			lo, hi = -127, 127
		}
		y.v[i] = int32(math.Min(math.Max(math.RoundToEven(float64(v)), lo), hi))
	}
	return y
}

// randomConv fills in weights; spread is their largest size.
func randomConv(rnd *rand.Rand, s ConvSpec, in, spread int) ConvSpec {
	n := s.Out.Channels() * s.Kernel * s.Kernel * (in / s.Groups)
	s.Weight = make([]int8, n)
	for i := range s.Weight {
		s.Weight[i] = int8(rnd.IntN(2*spread+1) - spread)
		if rnd.IntN(8) == 0 {
			s.Weight[i] = int8(spread - 2*spread*rnd.IntN(2))
		}
	}
	per := float64(n / s.Out.Channels())
	for range s.Out.Channels() {
		s.Bias = append(s.Bias, rnd.Int32N(20001)-10000)
		s.Multiplier = append(s.Multiplier, float32(rnd.Float64()*2/math.Sqrt(per)/float64(spread)))
	}
	s.Residual = 0.61
	return s
}

// TestConv runs every shape class of the family on every kernel set, cut into any number of tasks, and
// compares with the contract's words.
func TestConv(t *testing.T) {
	shapes := []struct {
		h, w, in, out, kernel, stride, groups int
	}{
		{1, 1, 16, 16, 1, 1, 1}, {5, 7, 64, 64, 1, 1, 1}, {7, 7, 40, 100, 1, 1, 1}, {3, 3, 24, 56, 1, 2, 1},
		{6, 5, 16, 33, 1, 2, 1}, {4, 4, 256, 24, 1, 1, 1}, {8, 9, 10, 17, 3, 1, 1}, {9, 8, 16, 32, 3, 2, 1},
		{1, 1, 8, 8, 3, 1, 2}, {5, 5, 12, 12, 3, 1, 3}, {7, 6, 64, 64, 3, 1, 16}, {7, 7, 64, 64, 3, 2, 16},
		{8, 6, 6, 6, 3, 1, 3}, {8, 6, 5, 5, 3, 1, 5}, {5, 6, 64, 64, 3, 1, 8}, {6, 6, 40, 40, 3, 2, 5},
		{4, 4, 28, 28, 3, 1, 4}, {5, 5, 28, 28, 3, 1, 2}, {7, 7, 32, 32, 3, 2, 2}, {4, 5, 48, 48, 3, 1, 2},
		{3, 4, 64, 64, 3, 1, 2}, {5, 3, 80, 80, 3, 1, 2}, {2, 2, 96, 96, 3, 2, 4}, {9, 9, 128, 128, 3, 1, 32},
		{3, 3, 112, 112, 3, 1, 8},
	}
	eachSet(t, func(t *testing.T, k *asm.Kernels) {
		for i, sh := range shapes {
			for _, mode := range []asm.Epilogue{asm.ReLU, asm.Signed, asm.AddUnsigned, asm.AddSigned} {
				if mode != asm.ReLU && sh.groups > 1 {
					continue
				}
				for _, spread := range []int{127, 20, 4} {
					name := fmt.Sprintf("%dx%d_%dto%d_k%d_s%d_g%d_mode%d_w%d", sh.h, sh.w, sh.in, sh.out, sh.kernel, sh.stride, sh.groups, mode, spread)
					t.Run(name, func(t *testing.T) {
						rnd := rand.New(rand.NewPCG(uint64(i), uint64(mode)))
						s := randomConv(rnd, ConvSpec{
							In: Grouped(sh.in, sh.groups), Out: Grouped(sh.out, sh.groups),
							Kernel: sh.kernel, Stride: sh.stride, Groups: sh.groups, Epilogue: mode,
						}, sh.in, spread)
						testConv(t, rnd, k, s, sh.h, sh.w)
					})
				}
			}
		}
	})
}

func testConv(t *testing.T, rnd *rand.Rand, k *asm.Kernels, s ConvSpec, h, w int) {
	x := randomTensor(rnd, h, w, s.In.Channels(), 0, 255)
	in := Map{H: h, W: w, Border: s.Kernel / 2, Layout: s.In}
	out := Map{H: (h-1)/s.Stride + 1, W: (w-1)/s.Stride + 1, Border: rnd.IntN(2), Layout: s.Out}
	b := Buffers{In: store(t, rnd, x, in, k.InputFlip)}
	b.Out = guard.End[byte](t, out.Bytes())
	var res *tensor
	if s.Epilogue == asm.AddUnsigned || s.Epilogue == asm.AddSigned {
		r, xor := randomTensor(rnd, out.H, out.W, s.Out.Channels(), 0, 255), k.InputFlip
		if s.Epilogue == asm.AddSigned {
			r, xor = randomTensor(rnd, out.H, out.W, s.Out.Channels(), -127, 127), 0
		}
		res = &r
		b.Out = store(t, rnd, r, out, xor)
		b.Residual = b.Out
	}
	c := NewConv(k, s)
	p := c.Bind(in, out)
	tasks := c.Tasks(p, 1+rnd.IntN(3))
	require.Positive(t, tasks)
	var scratch Scratch
	for _, task := range rnd.Perm(tasks) {
		c.Run(p, b, task, tasks, &scratch)
	}
	require.Equal(t, reference(x, s, [3]byte{}, res).v, fetch(b.Out, out, k.InputFlip, s.Epilogue == asm.Signed).v)
	macs := 0
	for _, n := range c.MACsByDepth() {
		macs += n
	}
	require.Equal(t, len(s.Weight), macs)
}

func TestStem(t *testing.T) {
	eachSet(t, func(t *testing.T, k *asm.Kernels) {
		for i, sh := range []struct{ h, w, out, kernel, stride int }{
			{1, 1, 16, 3, 1}, {9, 7, 64, 3, 1}, {17, 23, 64, 7, 2}, {32, 32, 20, 7, 2}, {5, 6, 8, 5, 2}, {4, 4, 8, 1, 1}, {3, 5, 12, 11, 4},
		} {
			rnd := rand.New(rand.NewPCG(uint64(i), 9))
			s := randomConv(rnd, ConvSpec{Stem: true, Out: Flat(sh.out), Kernel: sh.kernel, Stride: sh.stride, Groups: 1, Epilogue: asm.ReLU}, 3, 127)
			x := randomTensor(rnd, sh.h, sh.w, 3, 0, 255)
			rgb := make([]byte, len(x.v))
			for j, v := range x.v {
				rgb[j] = byte(v)
			}
			pad := [3]byte{124, 3, 255}
			img := Image{H: sh.h, W: sh.w, Border: sh.kernel / 2}
			buf := guard.End[byte](t, img.Bytes())
			img.Clear(buf, pad, k.InputFlip)
			img.Load(buf, rgb, k.InputFlip)
			out := Map{H: (sh.h-1)/sh.stride + 1, W: (sh.w-1)/sh.stride + 1, Border: 1, Layout: s.Out}
			dst := guard.End[byte](t, out.Bytes())
			c := NewConv(k, s)
			p := c.BindImage(img, out)
			var scratch Scratch
			for task := range c.Tasks(p, 2) {
				c.Run(p, Buffers{In: buf, Out: dst}, task, c.Tasks(p, 2), &scratch)
			}
			require.Equal(t, reference(x, s, pad, nil).v, fetch(dst, out, k.InputFlip, false).v, "%+v", sh)
		}
	})
}

// TestShare: tasks cover all and overlap nowhere, of as many pixels and tasks as there can be too.
func TestShare(t *testing.T) {
	for _, n := range []int{0, 1, 7, 12, 1 << 22} {
		for _, tasks := range []int{1, 2, 7, 87381} {
			at := 0
			for task := range tasks {
				i := share(n, task, tasks)
				require.Equal(t, at, i.from)
				require.GreaterOrEqual(t, i.to, i.from)
				at = i.to
			}
			require.Equal(t, n, at)
		}
	}
}
