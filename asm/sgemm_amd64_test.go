package asm

import (
	"math/rand/v2"
	"testing"

	"github.com/klauspost/cpuid/v2"
	"github.com/stretchr/testify/require"
)

// sgemmKernels lists this machine's kernels; each is a function that selects it and gives one that
// undoes that.
func sgemmKernels() map[string]func() func() {
	kernels := map[string]func() func(){"go": useSgemm(sgemmGo)}
	if cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3) {
		kernels["avx2"] = useSgemm(sgemmAVX2)
	}
	if cpuid.CPU.Supports(cpuid.AVX512F) {
		kernels["avx512"] = useSgemm(sgemmAVX512)
	}
	return kernels
}

func useSgemm(k sgemmKernel) func() func() {
	return func() func() {
		before := sgemmUsed
		sgemmUsed = k
		return func() { sgemmUsed = before }
	}
}

// TestBestSgemm: each CPU gets the best kernel that it has, unless a lesser set is asked for.
func TestBestSgemm(t *testing.T) {
	best, lesser := sgemmGo, sgemmGo
	if cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3) {
		best, lesser = sgemmAVX2, sgemmAVX2
	}
	if cpuid.CPU.Supports(cpuid.AVX512F) {
		best = sgemmAVX512
	}
	require.Equal(t, best, bestSgemm(""))
	require.Equal(t, best, bestSgemm(avx512vnni.Name))
	require.Equal(t, lesser, bestSgemm(avx2.Name))
}

// TestSgemmAVX512IsAVX2: the two kernels give the same bits, so that a network calibrated on one machine is that of
// another.
func TestSgemmAVX512IsAVX2(t *testing.T) {
	kernels := sgemmKernels()
	if kernels["avx512"] == nil {
		require.False(t, cpuid.CPU.Supports(cpuid.AVX512F))
		return
	}
	r := rand.New(rand.NewPCG(11, 12))
	for i := range 200 {
		g := sgemmCase(r, 1+r.IntN(20), 1+r.IntN(9), 1+r.IntN(40), 1+r.IntN(SgemmCols), i&1 != 0, i&2 != 0)
		other := *g
		other.C = append([]float32(nil), g.C...)
		undo := kernels["avx512"]()
		Sgemm(g)
		undo()
		undo = kernels["avx2"]()
		Sgemm(&other)
		undo()
		require.Equal(t, other.C, g.C)
	}
}
