package asm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/guard"
)

// requireEnv names the sets, separated by commas and best first, that a test run must find and prefer: a run
// that was meant to cover a set and did not get it fails.
const requireEnv = "RESNEXT_REQUIRE_KERNELS"

func TestRequiredKernels(t *testing.T) {
	names := Available()
	t.Logf("kernel sets: %s", strings.Join(names, ", "))
	require.Equal(t, "generic", names[len(names)-1])
	if want := os.Getenv(requireEnv); want != "" {
		require.True(t, strings.HasPrefix(strings.Join(names, ",")+",", want+","),
			"%s asks for %s first, in this order; this CPU has %s", requireEnv, want, names)
	}
}

// modelled are sets that run in a model of their CPU; files that know such a model add to it.
var modelled []*Kernels

// eachSet runs a test once for every set that this CPU can run, and for every set in a model.
func eachSet(t *testing.T, test func(t *testing.T, k *Kernels)) {
	for _, k := range slices.Concat(available(), modelled) {
		t.Run(k.Name, func(t *testing.T) { test(t, k) })
	}
}

func TestCheck(t *testing.T) {
	eachSet(t, func(t *testing.T, k *Kernels) {
		require.NoError(t, Check(k))
		broken := *k
		broken.IGEMM = func(a *IGEMMArgs) {
			k.IGEMM(a)
			*a.Out ^= 1
		}
		require.ErrorContains(t, Check(&broken), "igemm gives a wrong answer")
	})
}

func TestSelect(t *testing.T) {
	t.Setenv(Env, "")
	k, warning, err := Select("auto")
	require.NoError(t, err)
	require.Empty(t, warning)
	require.Equal(t, Available()[0], k.Name)
	k, _, err = Select("generic")
	require.NoError(t, err)
	require.Equal(t, "generic", k.Name)
	t.Setenv(Env, "generic")
	k, _, err = Select("")
	require.NoError(t, err)
	require.Equal(t, "generic", k.Name)
	t.Setenv(Env, "z80")
	_, _, err = Select("")
	require.ErrorIs(t, err, ErrKernels)
	require.ErrorContains(t, err, "RESNEXT_KERNELS=z80")
}

// data makes test data in guarded memory, flush with the fence before or behind it.
type data struct {
	t       testing.TB
	rnd     *rand.Rand
	atStart bool
}

func newData(t testing.TB, seed uint64) *data {
	return &data{t: t, rnd: rand.New(rand.NewPCG(seed, 1)), atStart: seed%2 == 0}
}

// activations are bytes of which two fifths are extreme, as unsigned or as signed ones, or now and then all the
// same extreme.
func (d *data) activations(n int) []byte {
	extremes := []byte{0, 127, 128, 255}
	b := make([]byte, n)
	all, only := d.rnd.IntN(4) == 0, extremes[d.rnd.IntN(4)]
	for i := range b {
		switch {
		case all:
			b[i] = only
		case d.rnd.IntN(5) < 2:
			b[i] = extremes[d.rnd.IntN(4)]
		default:
			b[i] = byte(d.rnd.IntN(256))
		}
	}
	return guard.Copy(d.t, b, d.atStart)
}

// weights are integers in -127..127 of which a fifth are extreme or, where a chain is claimed, such that every
// 2*chain products that share a lane reach but do not pass its bounds.
func (d *data) weights(n, depth int, flip byte) []int8 {
	least, most := weightRange(depth, flip)
	w := make([]int8, n)
	for i := range w {
		switch d.rnd.IntN(10) {
		case 0:
			w[i] = int8(most)
		case 1:
			w[i] = int8(least)
		default:
			w[i] = int8(least + d.rnd.IntN(most-least+1))
		}
	}
	if d.rnd.IntN(4) == 0 { // every lane at the bound, above or below
		bound := []int{least, most}[d.rnd.IntN(2)]
		for i := range w {
			w[i] = int8(bound)
		}
	}
	return guard.Copy(d.t, w, d.atStart)
}

// requant gives biases and multipliers that spread the outputs over the range and past both ends.
func (d *data) requant(n, products int) ([]int32, []float32) {
	bias, mult := make([]int32, n), make([]float32, n)
	for i := range bias {
		bias[i] = int32(d.rnd.IntN(1<<20) - 1<<19)
		mult[i] = float32(d.rnd.Float64() * 0.5 / math.Sqrt(float64(products)) / 40)
		if d.rnd.IntN(16) == 0 {
			mult[i] = 0
		}
	}
	return guard.Copy(d.t, bias, d.atStart), guard.Copy(d.t, mult, d.atStart)
}

// scatter gives n ascending offsets at least size apart and the length that they span.
func (d *data) scatter(n, size int) ([]int32, int) {
	off := make([]int32, n)
	at := 0
	for i := range off {
		off[i] = int32(at)
		at += size + d.rnd.IntN(5)
	}
	length := int(off[n-1]) + size
	d.rnd.Shuffle(n, func(i, j int) { off[i], off[j] = off[j], off[i] })
	return guard.Copy(d.t, off, d.atStart), length
}

func TestIGEMM(t *testing.T) {
	shapes := []struct{ m, taps, k, panels int }{
		{1, 1, 8, 1}, {2, 1, 16, 1}, {3, 1, 24, 2}, {4, 1, 64, 1}, {5, 1, 40, 3}, {7, 9, 16, 2}, {8, 9, 8, 1},
		{9, 9, 32, 1}, {13, 7, 24, 2}, {16, 3, 16, 1}, {17, 9, 24, 1}, {49, 1, 128, 2}, {1, 9, 56, 1}, {6, 2, 512, 1},
		{5, 9, 48, 1}, {4, 3, 40, 2},
	}
	eachSet(t, func(t *testing.T, k *Kernels) {
		for i, s := range shapes {
			for _, nr := range k.NR {
				for epilogue := ReLU; epilogue <= AddSigned; epilogue++ {
					for _, depth := range append([]int{0}, k.Depths...) {
						name := fmt.Sprintf("m%d_taps%d_k%d_nr%d_panels%d_mode%d_chain%d", s.m, s.taps, s.k, nr, s.panels, epilogue, depth)
						t.Run(name, func(t *testing.T) {
							d := newData(t, uint64(i)*2+uint64(epilogue)+uint64(nr/4))
							channels := nr * s.panels
							bias, mult := d.requant(channels, s.taps*s.k)
							tapOff, window := d.scatter(s.taps, s.k)
							inOff, span := d.scatter(s.m, 3)
							outOff, outLen := d.scatter(s.m, channels)
							in := d.activations(span - 3 + window)
							res := d.activations(outLen)
							w := d.weights(s.taps*s.k*channels, depth, k.InputFlip)
							a := IGEMMArgs{
								In: &in[0], InOff: &inOff[0], TapOff: &tapOff[0], W: &w[0], Bias: &bias[0], Mult: &mult[0],
								OutOff: &outOff[0], M: s.m, Taps: s.taps, K: s.k, NR: nr, Panels: s.panels,
								ResMult: 0.37, Epilogue: epilogue, Depth: depth,
							}
							if epilogue.adds() {
								a.Res, a.ResOff = &res[0], &outOff[0]
							}
							before := slices.Clone(in)
							want := slices.Clone(res)
							a.Out = &want[0]
							IGEMMReference(&a, k.KR, k.InputFlip)
							got := guard.Copy(t, res, d.atStart)
							a.Out = &got[0]
							if epilogue.adds() { // in place
								a.Res = &got[0]
							}
							if i%3 > 0 { // the hint may lead to where nobody may read
								a.Next, a.NextBytes = (*int8)(unsafe.Add(unsafe.Pointer(&w[0]), i%3/2*len(w))), s.taps*s.k*nr
							}
							args := a
							k.IGEMM(&a)
							require.Equal(t, args, a)
							require.Equal(t, want, []byte(got))
							require.Equal(t, before, []byte(in))
						})
					}
				}
			}
		}
	})
}

func TestGroup(t *testing.T) {
	shapes := []struct{ rows, cols, stride, panels int }{
		{1, 1, 1, 1}, {1, 2, 1, 3}, {3, 3, 1, 1}, {2, 4, 1, 2}, {1, 5, 2, 1}, {4, 7, 1, 1}, {3, 7, 2, 2}, {2, 8, 2, 1},
		{1, 9, 1, 1}, {2, 14, 1, 1}, {1, 28, 2, 1}, {1, 1, 2, 1}, {2, 2, 3, 1},
		{1, 17, 1, 2}, {2, 28, 1, 1}, {1, 15, 2, 1},
	}
	eachSet(t, func(t *testing.T, k *Kernels) {
		for i, s := range shapes {
			for _, width := range []int{4, 8} {
				g := k.Group(width)
				for _, depth := range append([]int{0}, g.Depths...) {
					name := fmt.Sprintf("%dx%d_stride%d_width%d_panels%d_chain%d", s.rows, s.cols, s.stride, width, s.panels, depth)
					t.Run(name, func(t *testing.T) {
						d := newData(t, uint64(i+width))
						c := g.Channels * s.panels
						inPitch := (s.cols-1)*s.stride + 3
						in := d.activations(((s.rows-1)*s.stride + 3) * inPitch * c)
						bias, mult := d.requant(c, 9*width)
						w := d.weights(9*width*c, depth, k.InputFlip)
						gap := d.rnd.IntN(3) * 16
						outRow := s.cols*c + gap
						want := d.activations(s.rows*outRow - gap)
						got := guard.Copy(t, want, d.atStart)
						a := GroupArgs{
							In: &in[0], InRow: s.stride * inPitch * c, InCol: s.stride * c, TapRow: inPitch * c, TapCol: c,
							W: &w[0], Bias: &bias[0], Mult: &mult[0], Out: &want[0], OutRow: outRow, OutCol: c,
							Rows: s.rows, Cols: s.cols, Panels: s.panels, Depth: depth,
						}
						GroupReference(&a, width, g.Channels, g.Order, k.InputFlip)
						a.Out = &got[0]
						g.Run(&a)
						require.Equal(t, []byte(want), []byte(got))
					})
				}
			}
		}
	})
}

func TestMaxPool(t *testing.T) {
	eachSet(t, func(t *testing.T, k *Kernels) {
		for i, s := range []struct{ rows, cols, stride, c int }{{1, 1, 2, 16}, {3, 2, 2, 48}, {2, 5, 2, 64}, {2, 3, 1, 32}} {
			d := newData(t, uint64(i))
			pitch := (s.cols-1)*s.stride + 3
			in := d.activations(((s.rows-1)*s.stride + 3) * pitch * s.c)
			want := d.activations(s.rows * s.cols * s.c)
			got := guard.Copy(t, want, d.atStart)
			a := PoolArgs{In: &in[0], InRow: s.stride * pitch * s.c, InCol: s.stride * s.c, TapRow: pitch * s.c, TapCol: s.c,
				Out: &want[0], OutRow: s.cols * s.c, OutCol: s.c, Rows: s.rows, Cols: s.cols, Channels: s.c}
			MaxPoolReference(&a, k.InputFlip)
			a.Out = &got[0]
			k.MaxPool(&a)
			require.Equal(t, []byte(want), []byte(got))
		}
	})
}

// TestAveragePool pools maps with even and odd sides; windows at an odd edge have the step 0 between their taps.
func TestAveragePool(t *testing.T) {
	eachSet(t, func(t *testing.T, k *Kernels) {
		for i, s := range []struct{ rows, cols, down, right int }{
			{1, 1, 1, 1}, {3, 2, 1, 1}, {2, 5, 1, 1}, {1, 7, 0, 1}, {5, 1, 1, 0}, {1, 1, 0, 0},
		} {
			for c := 16; c <= 160; c += 16 {
				d := newData(t, uint64(i+c/16))
				window := ((s.cols-1)*2 + 1 + s.right) * c // of a row of windows
				pitch := window + 16*d.rnd.IntN(2)
				in := d.activations(((s.rows-1)*2+s.down)*pitch + window)
				outCol := c + 16*d.rnd.IntN(2)
				outRow := s.cols*outCol + 16*d.rnd.IntN(2)
				want := d.activations((s.rows-1)*outRow + (s.cols-1)*outCol + c)
				got := guard.Copy(t, want, d.atStart)
				a := PoolArgs{In: &in[0], InRow: 2 * pitch, InCol: 2 * c, TapRow: s.down * pitch, TapCol: s.right * c,
					Out: &want[0], OutRow: outRow, OutCol: outCol, Rows: s.rows, Cols: s.cols, Channels: c}
				AveragePoolReference(&a, k.InputFlip)
				a.Out = &got[0]
				k.AveragePool(&a)
				require.Equal(t, []byte(want), []byte(got))
			}
		}
	})
}

// TestAverages compares every sum of four activations, and of two, with the contract's words: half to even.
func TestAverages(t *testing.T) {
	const sums = 4*255 + 1
	eachSet(t, func(t *testing.T, k *Kernels) {
		in := make([]byte, 4*roundUp16(sums))
		taps := len(in) / 4
		for sum := range sums {
			for tap := range 4 {
				in[tap*taps+sum] = byte((sum+tap)/4) ^ k.InputFlip
			}
		}
		out := make([]byte, taps)
		a := PoolArgs{In: &in[0], TapRow: taps, TapCol: 2 * taps, Out: &out[0], Rows: 1, Cols: 1, Channels: taps}
		k.AveragePool(&a)
		for sum := range sums {
			require.Equal(t, byte(math.RoundToEven(float64(sum)/4)), out[sum]^k.InputFlip, "%d/4", sum)
		}
		a.TapCol = 0
		k.AveragePool(&a)
		for sum := range sums {
			two := sum/4 + (sum+1)/4
			require.Equal(t, byte(math.RoundToEven(float64(two)/2)), out[sum]^k.InputFlip, "%d/2", two)
		}
	})
}

// TestBlur filters inside a map and at every edge and corner of one that reflects, up to a map of one pixel.
func TestBlur(t *testing.T) {
	type form struct{ n, before, after int } // output pixels of a side, and the pixels beside each one's centre
	forms := []form{{3, -1, 1}, {1, 1, 1}, {2, 1, 1}, {1, -1, -1}, {2, -1, -1}, {1, 0, 0}}
	eachSet(t, func(t *testing.T, k *Kernels) {
		for i, rows := range forms {
			for j, cols := range forms {
				for c := 16; c <= 160; c += 16 {
					d := newData(t, uint64(i+j+c/16))
					first := func(f form) int { return max(0, -f.before) } // the first centre, from where the input begins
					side := func(f form) int { return first(f) + 2*(f.n-1) + 1 + max(0, f.after) }
					window := side(cols) * c
					pitch := window + 16*d.rnd.IntN(2)
					in := d.activations((side(rows)-1)*pitch + window)
					outCol := c + 16*d.rnd.IntN(2)
					outRow := cols.n*outCol + 16*d.rnd.IntN(2)
					want := d.activations((rows.n-1)*outRow + (cols.n-1)*outCol + c)
					got := guard.Copy(t, want, d.atStart)
					a := BlurArgs{In: &in[first(rows)*pitch+first(cols)*c], InRow: 2 * pitch, InCol: 2 * c,
						Up: rows.before * pitch, Down: rows.after * pitch, Left: cols.before * c, Right: cols.after * c,
						Out: &want[0], OutRow: outRow, OutCol: outCol, Rows: rows.n, Cols: cols.n, Channels: c}
					BlurReference(&a, k.InputFlip)
					a.Out = &got[0]
					k.Blur(&a)
					require.Equal(t, []byte(want), []byte(got), "rows %+v, columns %+v, %d channels", rows, cols, c)
				}
			}
		}
	})
}

// TestBlurs compares every sum of nine weighted activations, and every byte at every tap beside zeros and beside the
// greatest, with the contract's words: half to even.
func TestBlurs(t *testing.T) {
	const sums = 16*255 + 1
	weights := [9]int{1, 2, 1, 2, 4, 2, 1, 2, 1}
	var cases [][9]int
	for sum := range sums {
		var taps [9]int
		left := sum % 16
		for _, tap := range [...]int{4, 1, 3, 5, 7, 0, 2, 6, 8} { // the heaviest first, so that any remainder can be made
			taps[tap] = sum / 16
			if left >= weights[tap] {
				taps[tap]++
				left -= weights[tap]
			}
		}
		cases = append(cases, taps)
	}
	for tap := range weights {
		for v := range 256 {
			for _, others := range []int{0, 255} {
				taps := [9]int{others, others, others, others, others, others, others, others, others}
				taps[tap] = v
				cases = append(cases, taps)
			}
		}
	}
	n := roundUp16(len(cases))
	eachSet(t, func(t *testing.T, k *Kernels) {
		in, out := make([]byte, 9*n), make([]byte, n)
		for c, taps := range cases {
			for tap, v := range taps {
				in[tap*n+c] = byte(v) ^ k.InputFlip
			}
		}
		k.Blur(&BlurArgs{In: &in[4*n], Up: -3 * n, Down: 3 * n, Left: -n, Right: n, Out: &out[0], Rows: 1, Cols: 1, Channels: n})
		met := map[int]bool{}
		for c, taps := range cases {
			sum := 0
			for tap, v := range taps {
				sum += weights[tap] * v
			}
			met[sum] = true
			require.Equal(t, byte(math.RoundToEven(float64(sum)/16)), out[c]^k.InputFlip, "%d/16 of %d", sum, taps)
		}
		require.Len(t, met, sums)
	})
}

func roundUp16(n int) int { return (n + 15) / 16 * 16 }

func TestSum(t *testing.T) {
	eachSet(t, func(t *testing.T, k *Kernels) {
		for i, s := range []struct{ pixels, c int }{{1, 16}, {2, 32}, {49, 48}, {300, 16}, {1031, 64}, {50, 208}, {7, 128}} {
			d := newData(t, uint64(i))
			step := s.c + 16*(i%2)
			in := d.activations((s.pixels-1)*step + s.c)
			if i == 4 {
				for j := range in {
					in[j] = 255 ^ k.InputFlip
				}
			}
			for _, signed := range []bool{false, true} {
				want, got := guard.End[int32](t, s.c), guard.Start[int32](t, s.c)
				a := SumArgs{In: &in[0], Step: step, Out: &want[0], Pixels: s.pixels, Channels: s.c, Signed: signed}
				SumReference(&a, k.InputFlip)
				a.Out = &got[0]
				k.Sum(&a)
				require.Equal(t, want, got, "signed %v", signed)
			}
		}
	})
}

func TestLinear(t *testing.T) {
	eachSet(t, func(t *testing.T, k *Kernels) {
		for i, s := range []struct{ n, k int }{{1, 16}, {2, 48}, {3, 64}, {10, 512}, {7, 2048}, {33, 32}, {4, 112}} {
			d := newData(t, uint64(i))
			x := guard.End[int16](t, s.k)
			for j := range x {
				x[j] = int16(d.rnd.IntN(1 << 16))
				if i%2 == 0 && j%3 == 0 {
					x[j] = []int16{math.MaxInt16, math.MinInt16}[j%2]
				}
			}
			w := d.weights(s.n*s.k, 0, k.InputFlip)
			bias, _ := d.requant(s.n, s.k)
			want, got := guard.End[int32](t, s.n), guard.Start[int32](t, s.n)
			a := LinearArgs{In: &x[0], W: &w[0], Bias: &bias[0], Out: &want[0], N: s.n, K: s.k}
			LinearReference(&a)
			a.Out = &got[0]
			k.Linear(&a)
			require.Equal(t, want, got)
		}
	})
}

// gates are integers in 0..65535 of which a third are extreme.
func (d *data) gates(n int) []float32 {
	g := make([]float32, n)
	for i := range g {
		g[i] = float32(d.rnd.IntN(1 << 16))
		if d.rnd.IntN(3) == 0 {
			g[i] = []float32{0, 1, 1 << 15, 1<<16 - 1}[d.rnd.IntN(4)]
		}
	}
	return guard.Copy(d.t, g, d.atStart)
}

// TestScale scales into memory of its own, into the input's and into the residual's, with multipliers that give exact
// halves, that spread the outputs over the range, and that are extreme.
func TestScale(t *testing.T) {
	type shape struct{ rows, cols, c int }
	shapes := []shape{{1, 1, 256}}
	for c := 16; c <= 160; c += 16 {
		shapes = append(shapes, shape{1 + c/16%3, 1 + c/16%4, c})
	}
	mults := []float32{1.0 / (1 << 16), 1.0 / (1 << 15), 1.0 / (1 << 17), 0.7 / (1 << 15), 0, math.SmallestNonzeroFloat32, 63}
	resMults := []float32{1, 0.5, 0.37, 0, 63}
	eachSet(t, func(t *testing.T, k *Kernels) {
		for i, s := range shapes {
			for epilogue := ReLU; epilogue <= AddSigned; epilogue++ {
				for j, mult := range mults {
					d := newData(t, uint64(i+j)+uint64(epilogue))
					row := s.cols * s.c
					step := row + 16*d.rnd.IntN(2)
					size := (s.rows-1)*step + row
					in, res, gate := d.activations(size), d.activations(size), d.gates(s.c)
					want := d.activations(size)
					a := ScaleArgs{In: &in[0], InRow: step, Gate: &gate[0], ResRow: step, Out: &want[0], OutRow: step,
						Rows: s.rows, Cols: s.cols, Channels: s.c, Mult: mult, ResMult: resMults[(i+j)%len(resMults)], Epilogue: epilogue}
					if epilogue.adds() {
						a.Res = &res[0]
					}
					got := guard.Copy(t, want, d.atStart)
					before := slices.Clone(in)
					ScaleReference(&a, k.InputFlip)
					a.Out = &got[0]
					k.Scale(&a)
					require.Equal(t, []byte(want), []byte(got), "%+v", s)
					require.Equal(t, before, []byte(in))
					for y := range s.rows { // between the rows of what is written in place lies what was there
						copy(want[y*step+row:min(size, (y+1)*step)], in[y*step+row:])
					}
					a.Out = &in[0]
					k.Scale(&a)
					require.Equal(t, []byte(want), []byte(in), "over the input")
					if !epilogue.adds() {
						continue
					}
					in = guard.Copy(t, before, d.atStart)
					for y := range s.rows {
						copy(want[y*step+row:min(size, (y+1)*step)], res[y*step+row:])
					}
					a.In, a.Out = &in[0], &res[0]
					k.Scale(&a)
					require.Equal(t, []byte(want), []byte(res), "over the residual")
				}
			}
		}
	})
}

// TestScaled compares every activation times many gates with the contract's words.
func TestScaled(t *testing.T) {
	const mult, resMult = 0.9 / (1 << 16), 0.37
	eachSet(t, func(t *testing.T, k *Kernels) {
		in, out := make([]byte, 256), make([]byte, 256)
		for i := range in {
			in[i] = byte(i)
		}
		res := slices.Clone(in)
		slices.Reverse(res)
		for gate := 0; gate < 1<<16; gate += 257 {
			gates := slices.Repeat([]float32{float32(gate)}, 16)
			for epilogue := ReLU; epilogue <= AddSigned; epilogue++ {
				k.Scale(&ScaleArgs{In: &in[0], Gate: &gates[0], Res: &res[0], Out: &out[0], Rows: 1, Cols: 16, Channels: 16,
					Mult: mult, ResMult: resMult, Epilogue: epilogue})
				for i, b := range in {
					y, r := float32(int8(b)), float32(int8(res[i]))
					lo, hi, flip := 0.0, 255.0, k.InputFlip
					switch epilogue {
					case ReLU:
						y, r = float32(b^k.InputFlip), 0
					case Signed:
						r, lo, hi, flip = 0, -127, 127, 0
					case AddUnsigned:
						r = float32(res[i] ^ k.InputFlip)
					}
					v := float32(float32(float32(y*float32(gate))*mult) + float32(r*resMult))
					want := math.Min(math.Max(math.RoundToEven(float64(v)), lo), hi)
					require.Equal(t, byte(int(want)), out[i]^flip, "%v times %d, residual %v", y, gate, r)
				}
			}
		}
	})
}

// TestRequantise compares the contract's arithmetic with its words: float32 products, float32 sum, round
// half to even, clamp.
func TestRequantise(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 200000 {
		acc := int32(rnd.Uint32())
		mult := float32(math.Ldexp(rnd.Float64(), -rnd.IntN(40)))
		add := float32(rnd.IntN(256)) * float32(rnd.Float64())
		if rnd.IntN(4) == 0 { // exact halves
			acc, mult, add = int32(rnd.IntN(1024)-512), 0.5, float32(rnd.IntN(8))*0.5
		}
		v := math.RoundToEven(float64(float32(float32(float32(acc)*mult) + add)))
		require.Equal(t, int32(math.Min(math.Max(v, 0), 255)), requantise(acc, mult, add, 0, 255), "%d*%v+%v", acc, mult, add)
		require.Equal(t, int32(math.Min(math.Max(v, -127), 127)), requantise(acc, mult, add, -127, 127), "%d*%v+%v", acc, mult, add)
	}
}
