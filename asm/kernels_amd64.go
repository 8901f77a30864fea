package asm

import "github.com/klauspost/cpuid/v2"

// archKernels lists the sets that this CPU can run, best first.
func archKernels() []*Kernels {
	var sets []*Kernels
	if cpuid.CPU.Supports(cpuid.AVX2) {
		sets = append(sets, avx2)
	}
	return sets
}

// avx2 runs on every x86-64 server and PC since 2013 (Haswell, Zen).
var avx2 = &Kernels{
	Name:    "avx2",
	KB:      4,
	Widths:  []int{32, 16, 8},
	Chains:  []int{1, 2, 4},
	IGEMM:   runIGEMMAVX2,
	Group4:  GroupKernel{Lanes: 8, Chains: []int{3}, Run: runGroup4AVX2},
	Group8:  GroupKernel{Lanes: 8, Chains: []int{6}, Run: runGroup8AVX2},
	MaxPool: maxPoolAVX2,
	Sum:     sumAVX2,
	Linear:  linearAVX2,
}
