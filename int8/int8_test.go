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
	for _, name := range asm.Names() {
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
		if s.Mode == asm.Signed {
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
			for _, mode := range []asm.Mode{asm.ReLU, asm.Signed, asm.AddUnsigned, asm.AddSigned} {
				if mode != asm.ReLU && sh.groups > 1 {
					continue
				}
				for _, spread := range []int{127, 20, 4} {
					name := fmt.Sprintf("%dx%d_%dto%d_k%d_s%d_g%d_mode%d_w%d", sh.h, sh.w, sh.in, sh.out, sh.kernel, sh.stride, sh.groups, mode, spread)
					t.Run(name, func(t *testing.T) {
						rnd := rand.New(rand.NewPCG(uint64(i), uint64(mode)))
						s := randomConv(rnd, ConvSpec{
							In: Grouped(sh.in, sh.groups), Out: Grouped(sh.out, sh.groups),
							Kernel: sh.kernel, Stride: sh.stride, Groups: sh.groups, Mode: mode,
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
	b := Buffers{In: store(t, rnd, x, in, k.Offset)}
	b.Out = guard.End[byte](t, out.Bytes())
	var res *tensor
	if s.Mode == asm.AddUnsigned || s.Mode == asm.AddSigned {
		r, xor := randomTensor(rnd, out.H, out.W, s.Out.Channels(), 0, 255), k.Offset
		if s.Mode == asm.AddSigned {
			r, xor = randomTensor(rnd, out.H, out.W, s.Out.Channels(), -127, 127), 0
		}
		res = &r
		b.Out = store(t, rnd, r, out, xor)
		b.Residual = b.Out
	}
	c := NewConv(k, s)
	p := c.Place(in, out)
	tasks := c.Tasks(p, 1+rnd.IntN(3))
	require.Positive(t, tasks)
	var scratch Scratch
	for _, task := range rnd.Perm(tasks) {
		c.Run(p, b, task, tasks, &scratch)
	}
	require.Equal(t, reference(x, s, [3]byte{}, res).v, fetch(b.Out, out, k.Offset, s.Mode == asm.Signed).v)
	macs := 0
	for _, n := range c.MACsByChain() {
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
			s := randomConv(rnd, ConvSpec{Stem: true, Out: Flat(sh.out), Kernel: sh.kernel, Stride: sh.stride, Groups: 1, Mode: asm.ReLU}, 3, 127)
			x := randomTensor(rnd, sh.h, sh.w, 3, 0, 255)
			rgb := make([]byte, len(x.v))
			for j, v := range x.v {
				rgb[j] = byte(v)
			}
			pad := [3]byte{124, 3, 255}
			img := Image{H: sh.h, W: sh.w, Border: sh.kernel / 2}
			buf := guard.End[byte](t, img.Bytes())
			img.Clear(buf, pad, k.Offset)
			img.Load(buf, rgb, k.Offset)
			out := Map{H: (sh.h-1)/sh.stride + 1, W: (sh.w-1)/sh.stride + 1, Border: 1, Layout: s.Out}
			dst := guard.End[byte](t, out.Bytes())
			c := NewConv(k, s)
			p := c.PlaceStem(img, out)
			var scratch Scratch
			for task := range c.Tasks(p, 2) {
				c.Run(p, Buffers{In: buf, Out: dst}, task, c.Tasks(p, 2), &scratch)
			}
			require.Equal(t, reference(x, s, pad, nil).v, fetch(dst, out, k.Offset, false).v, "%+v", sh)
		}
	})
}

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
			src, dst := store(t, rnd, x, in, k.Offset), guard.End[byte](t, out.Bytes())
			m := NewMaxPool(k, in, out)
			var scratch Scratch
			for task := range m.Tasks() {
				m.Run(src, dst, task, m.Tasks(), &scratch)
			}
			require.Equal(t, want.v, fetch(dst, out, k.Offset, false).v)
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
			h.Pool(store(t, rnd, x, in, k.Offset), st, &scratch)
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

// TestChain checks the proof against its meaning: with the worst activations of either sign no sum of a lane
// leaves the int16 range, in the lanes of VPMADDUBSW (bytes 0 and 1 of four, and 2 and 3) and of SMLAL (eight
// bytes, one each).
func TestChain(t *testing.T) {
	avx2 := &asm.Kernels{Chains: []int{1, 2, 4}, Lanes: asm.Quads}
	neon := &asm.Kernels{Chains: []int{1, 2, 4}, Lanes: asm.Lanes{Count: 8, Width: 1}, Offset: 0x80}
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
		for _, n := range k.Chains {
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
		require.Equal(t, want, Chain(w, taps, k.Chains, k))
	}
	require.Len(t, met, 4)
	quad := func(w ...int8) int { return Chain(w, 1, []int{1}, avx2) }
	require.Equal(t, 1, quad(64, 64, 127, 1))
	require.Equal(t, 0, quad(64, 65, 0, 0))
	require.Equal(t, 0, quad(0, 0, -127, -2))
	require.Equal(t, 0, Chain([]int8{1, 1, 1, 1}, 1, nil, avx2))
	chain := func(a, b, c, d int8) int { // all in one lane
		w := make([]int8, 32)
		w[3], w[11], w[19], w[27] = a, b, c, d
		return Chain(w, 1, []int{2}, neon)
	}
	require.Equal(t, 2, chain(64, 64, 64, 64)) // -128 * 256 is the least int16
	require.Equal(t, 0, chain(-64, -64, -64, -64))
	require.Equal(t, 2, chain(-64, -64, -64, -63))
	require.Equal(t, 0, chain(127, -127, 3, 0))
	require.Equal(t, 2, chain(127, -127, 1, 0))
}

func TestLayout(t *testing.T) {
	require.Equal(t, Layout{8, 14, 16, 128}, Grouped(112, 8))
	require.Equal(t, Layout{4, 24, 24, 96}, Grouped(96, 4))
	require.Equal(t, Layout{3, 2, 4, 16}, Grouped(6, 3))
	require.Equal(t, Layout{1, 33, 33, 48}, Grouped(33, 1))
	l := Grouped(28, 2)
	require.Equal(t, 28, l.Channels())
	require.Equal(t, 16+1, l.At(15))
}
