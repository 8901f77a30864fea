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

// plainGates are the gates of x straight from GateSpec's words.
func plainGates(x tensor, s GateSpec) []float32 {
	round := func(acc int32, m float32, lo, hi float64) int32 {
		return int32(math.Min(math.Max(math.RoundToEven(float64(float32(float32(acc)*m))), lo), hi))
	}
	mean := make([]int32, x.c)
	for i, v := range x.v {
		mean[i%x.c] += v
	}
	if s.Pool != 1 {
		for c, sum := range mean {
			mean[c] = round(sum, s.Pool, math.MinInt16, math.MaxInt16)
		}
	}
	hidden := make([]int32, len(s.Squeeze.Bias))
	for j := range hidden {
		acc := s.Squeeze.Bias[j]
		for c, m := range mean {
			acc += m * int32(s.Squeeze.Weight[j*x.c+c])
		}
		hidden[j] = round(acc, s.Squeeze.Multiplier[j], 0, 32767)
	}
	gates, half := make([]float32, x.c), len(s.Table)/2
	for c := range gates {
		var acc int32
		m := s.Multiplier
		if s.Kernel == nil {
			acc, m = s.Excite.Bias[c], s.Excite.Multiplier[c]
			for j, h := range hidden {
				acc += h * int32(s.Excite.Weight[c*len(hidden)+j])
			}
		} else {
			acc = s.Bias
			for i, w := range s.Kernel {
				if at := c + i - len(s.Kernel)/2; at >= 0 && at < x.c {
					acc += mean[at] * int32(w)
				}
			}
		}
		gates[c] = float32(s.Table[int(round(acc, m, float64(-half), float64(half-1)))+half])
	}
	return gates
}

// sigmoid is a table of so many steps, from -8 to 8.
func sigmoid(n int) []uint16 {
	table := make([]uint16, n)
	for i := range table {
		table[i] = uint16(math.Round(65535 / (1 + math.Exp(-16*float64(i-n/2)/float64(n)))))
	}
	return table
}

// randomLinear makes a matrix whose rows, times inputs of about size, spread over about spread.
func randomLinear(rnd *rand.Rand, out, in int, size, spread float64) GateLinear {
	l := GateLinear{Weight: make([]int8, out*in)}
	for i := range l.Weight {
		l.Weight[i] = int8(rnd.IntN(255) - 127)
	}
	for range out {
		l.Bias = append(l.Bias, int32((rnd.Float64()-0.5)*size*100))
		l.Multiplier = append(l.Multiplier, float32(spread*(0.5+rnd.Float64())/(size*74*math.Sqrt(float64(in)))))
	}
	return l
}

// TestGate runs both excitations with every epilogue, on layouts with padding, with and without borders, and in place.
func TestGate(t *testing.T) {
	shapes := []struct {
		h, w   int
		layout Layout
		hidden int
		kernel int
	}{
		{1, 1, Flat(16), 1, 0}, {7, 5, Flat(40), 3, 0}, {4, 6, Grouped(28, 2), 16, 0}, {14, 14, Flat(64), 20, 0},
		{1, 2, Flat(3), 0, 5}, {5, 7, Flat(64), 0, 3}, {3, 3, Grouped(28, 4), 0, 5}, {6, 1, Flat(48), 0, 1}, {2, 2, Grouped(9, 3), 0, 7},
	}
	eachSet(t, func(t *testing.T, k *asm.Kernels) {
		for i, sh := range shapes {
			for _, epilogue := range []asm.Epilogue{asm.ReLU, asm.Signed, asm.AddUnsigned, asm.AddSigned} {
				for place := range 5 { // a map of its own with and without borders, the input's, the residual's, that of both
					t.Run(fmt.Sprintf("%d_mode%d_place%d", i, epilogue, place), func(t *testing.T) {
						rnd := rand.New(rand.NewPCG(uint64(i), uint64(place)))
						s := GateSpec{Epilogue: epilogue, Pool: 1,
							Mult: float32(rnd.Float64()+0.5) / 65536, Residual: 0.61, Table: sigmoid(64 << rnd.IntN(3))}
						s.In = Map{H: sh.h, W: sh.w, Layout: sh.layout}
						s.Res, s.Out = s.In, s.In
						if place == 1 {
							s.In.Border, s.Res.Border, s.Out.Border = rnd.IntN(2), rnd.IntN(2), 1+rnd.IntN(2)
						}
						size := 127 * float64(sh.h*sh.w)
						if sh.h*sh.w > 100 {
							s.Pool = 32767.0 / (255 * 14 * 14)
							size *= float64(s.Pool)
						}
						channels := sh.layout.Channels()
						if sh.kernel > 0 {
							l := randomLinear(rnd, 1, sh.kernel, size, float64(len(s.Table))/2)
							s.Kernel, s.Bias, s.Multiplier = l.Weight, l.Bias[0], l.Multiplier[0]
						} else {
							s.Squeeze = randomLinear(rnd, sh.hidden, channels, size, 9000)
							s.Excite = randomLinear(rnd, channels, sh.hidden, 9000, float64(len(s.Table))/2)
						}
						testGate(t, rnd, k, s, place)
					})
				}
			}
		}
	})
}

func testGate(t *testing.T, rnd *rand.Rand, k *asm.Kernels, s GateSpec, place int) {
	c := s.In.Layout.Channels()
	x, flip := randomTensor(rnd, s.In.H, s.In.W, c, 0, 255), k.InputFlip
	adds := s.Epilogue == asm.AddUnsigned || s.Epilogue == asm.AddSigned
	lo, hi := 0.0, 255.0
	if s.Epilogue == asm.Signed {
		lo, hi = -127, 127
	}
	if s.Epilogue != asm.ReLU {
		x, flip = randomTensor(rnd, s.In.H, s.In.W, c, -127, 127), 0
	}
	in := store(t, rnd, x, s.In, flip)
	s.In.ClearBorder(in, 0x55)
	gates := plainGates(x, s)
	r, resFlip := randomTensor(rnd, s.In.H, s.In.W, c, 0, 255), k.InputFlip
	if s.Epilogue == asm.AddSigned {
		r, resFlip = randomTensor(rnd, s.In.H, s.In.W, c, -127, 127), 0
	}
	var res []byte
	if adds {
		res = store(t, rnd, r, s.Res, resFlip)
	}
	out := guard.End[byte](t, s.Out.Bytes())
	switch {
	case place == 2:
		out = in
	case place == 3 && res != nil:
		out = res
	case place == 4 && s.Epilogue == asm.AddSigned:
		r, res, out = x, in, in
	}
	want := make([]int32, len(x.v))
	for i, v := range x.v {
		y := float32(float32(float32(v)*gates[i%c]) * s.Mult)
		if adds {
			y += float32(float32(r.v[i]) * s.Residual)
		}
		want[i] = int32(math.Min(math.Max(math.RoundToEven(float64(y)), lo), hi))
	}
	s.Out.ClearBorder(out, 99)
	g := NewGate(k, s)
	require.Positive(t, g.Bytes())
	st := g.NewState()
	var scratch Scratch
	for range 2 { // a state is used again and again
		g.Squeeze(in, st, &scratch)
	}
	tasks := 1 + rnd.IntN(g.Tasks()+1)
	for _, task := range rnd.Perm(tasks) {
		g.Run(in, res, out, st, task, tasks, &scratch)
	}
	require.Equal(t, want, fetch(out, s.Out, k.InputFlip, s.Epilogue == asm.Signed).v)
	requireBorder(t, s.Out, out, 99)
	for i := range gates {
		require.Equal(t, gates[i], st.gates[s.In.Layout.At(i)])
	}
	require.Zero(t, testing.AllocsPerRun(2, func() {
		g.Squeeze(in, st, &scratch)
		g.Run(in, res, out, st, 0, 1, &scratch)
	}))
}
