package main

import (
	"fmt"
	"math/rand/v2"
	"runtime"

	"github.com/libresnext/libresnext/asm"
)

// repeat makes a run long enough for the clock and short enough to fit between two interruptions.
const macsPerRun = 4 << 20

func random[T int8 | byte](rnd *rand.Rand, n, limit int) []T {
	v := make([]T, n)
	for i := range v {
		v[i] = T(rnd.IntN(2*limit+1) - limit)
	}
	return v
}

func igemmCases(k *asm.Kernels) []*benchCase {
	var cases []*benchCase
	for _, nr := range k.NR {
		for _, depth := range append([]int{0}, k.Depths...) {
			for _, s := range []struct{ m, taps, perTap int }{{48, 1, 64}, {48, 1, 256}, {24, 1, 1024}, {48, 9, 16}} {
				cases = append(cases, igemmCase(k, nr, depth, s.m, s.taps, s.perTap))
			}
		}
	}
	return cases
}

func igemmCase(k *asm.Kernels, nr, depth, m, taps, perTap int) *benchCase {
	rnd := rand.New(rand.NewPCG(1, 2))
	limit := 127
	if depth > 0 {
		limit = 64 / depth
	}
	in := random[byte](rnd, m*perTap+taps*perTap, 127)
	w := random[int8](rnd, taps*perTap*nr, limit)
	bias, mult := make([]int32, nr), make([]float32, nr)
	out := make([]byte, m*nr)
	inOff, outOff, tapOff := make([]int32, m), make([]int32, m), make([]int32, taps)
	for i := range m {
		inOff[i], outOff[i] = int32(i*perTap), int32(i*nr)
	}
	for i := range taps {
		tapOff[i] = int32(i * perTap)
	}
	a := &asm.IGEMMArgs{
		In: &in[0], InOff: &inOff[0], TapOff: &tapOff[0], W: &w[0], Bias: &bias[0], Mult: &mult[0],
		Out: &out[0], OutOff: &outOff[0], M: m, Taps: taps, K: perTap, NR: nr, Panels: 1, Depth: depth,
	}
	macs := m * taps * perTap * nr
	times := max(1, macsPerRun/macs)
	return &benchCase{
		name: fmt.Sprintf("igemm %d channels, %d pixels, %dx%d products, depth %d", nr, m, taps, perTap, depth),
		macs: macs * times,
		run: func() {
			for range times {
				k.IGEMM(a)
			}
			runtime.KeepAlive(a)
		},
	}
}

func groupCases(k *asm.Kernels) []*benchCase {
	var cases []*benchCase
	for _, width := range []int{4, 8} {
		g := k.Group(width)
		for _, depth := range append([]int{0}, g.Depths...) {
			for _, s := range []struct{ cols, stride, channels int }{{56, 1, 128}, {28, 2, 256}, {14, 1, 256}, {7, 1, 512}} {
				cases = append(cases, groupCase(g, width, depth, s.cols, s.stride, s.channels))
			}
		}
	}
	return cases
}

func groupCase(g asm.GroupKernel, width, depth, cols, stride, channels int) *benchCase {
	rnd := rand.New(rand.NewPCG(1, 2))
	limit := 127
	if depth > 0 {
		limit = 64 / depth
	}
	pitch := ((cols-1)*stride + 3) * channels
	in := random[byte](rnd, 3*pitch, 127)
	w := random[int8](rnd, 9*width*channels, limit)
	bias, mult := make([]int32, channels), make([]float32, channels)
	out := make([]byte, cols*channels)
	a := &asm.GroupArgs{
		In: &in[0], InRow: stride * pitch, InCol: stride * channels, TapRow: pitch, TapCol: channels,
		W: &w[0], Bias: &bias[0], Mult: &mult[0], Out: &out[0], OutRow: cols * channels, OutCol: channels,
		Rows: 1, Cols: cols, Panels: channels / g.Channels, Depth: depth,
	}
	macs := 9 * width * channels * cols
	times := max(1, macsPerRun/4/macs)
	return &benchCase{
		name: fmt.Sprintf("grouped 3x3, %d channels a group, %d columns of %d, stride %d, depth %d", width, cols, channels, stride, depth),
		macs: macs * times,
		run: func() {
			for range times {
				g.Run(a)
			}
			runtime.KeepAlive(a)
		},
	}
}
