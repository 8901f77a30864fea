package asm

import "github.com/klauspost/cpuid/v2"

// archKernels lists the sets of this architecture, best first.
func archKernels() []*Kernels { return []*Kernels{avx512vnni, avxvnni, avx2} }

// avx2 runs on every x86-64 server and PC since 2013 (Haswell, Zen).
var avx2 = &Kernels{
	Name:        "avx2",
	runs:        cpuid.CPU.Supports(cpuid.AVX2),
	KR:          4,
	NR:          []int{32, 16, 8},
	MR:          []int{2, 4, 4},
	Lanes:       Quads,
	Depths:      []int{1, 2, 4},
	IGEMM:       runIGEMMAVX2,
	Group4:      GroupKernel{Channels: 8, Depths: []int{3}, Run: runGroup4AVX2},
	Group8:      GroupKernel{Channels: 8, Depths: []int{6}, Run: runGroup8AVX2},
	MaxPool:     maxPoolAVX2,
	AveragePool: averagePoolAVX2,
	Blur:        blurAVX2,
	Sum:         sumAVX2,
	Linear:      linearAVX2,
	Scale:       scaleAVX2,
}

// The two VNNI sets do four products in one instruction, exactly, so that no chain needs a proof. The machine
// code that ships is tested in a model of the CPU, instruction by instruction (internal/x86), where the CPU has not
// the instruction, and on those that have it. As with every set, Select runs the known-answer check first and, if it
// fails, takes the next set with a warning.

// avxvnni is VEX-coded: Alder Lake-N (N100) and other small Intel cores, Alder Lake and later PCs, Zen 5.
var avxvnni = &Kernels{
	Name:        "avxvnni",
	runs:        cpuid.CPU.Supports(cpuid.AVX2, cpuid.AVXVNNI),
	KR:          4,
	NR:          []int{32, 16, 8},
	MR:          []int{3, 6, 6},
	IGEMM:       runIGEMMAVXVNNI,
	Group4:      GroupKernel{Channels: 8, Order: ByOutput, Run: group4AVXVNNI},
	Group8:      GroupKernel{Channels: 8, Order: ByOutput, Run: group8AVXVNNI},
	MaxPool:     maxPoolAVX2,
	AveragePool: averagePoolAVX2,
	Blur:        blurAVX2,
	Sum:         sumAVX2,
	Linear:      linearAVX2,
	Scale:       scaleAVX2,
}

// avx512vnni is EVEX-coded: Cascade Lake, Ice Lake and later servers, Zen 4 and later.
var avx512vnni = &Kernels{
	Name:        "avx512vnni",
	runs:        cpuid.CPU.Supports(cpuid.AVX2, cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512VL, cpuid.AVX512VNNI),
	KR:          4,
	NR:          []int{64, 32, 16, 8},
	MR:          []int{7, 7, 7, 7},
	IGEMM:       runIGEMMAVX512VNNI,
	Group4:      GroupKernel{Channels: 16, Order: ByOutput, Run: group4AVX512VNNI},
	Group8:      GroupKernel{Channels: 16, Order: ByOutput, Run: group8AVX512VNNI},
	MaxPool:     maxPoolAVX2,
	AveragePool: averagePoolAVX2,
	Blur:        blurAVX2,
	Sum:         sumAVX2,
	Linear:      linearAVX2,
	Scale:       scaleAVX512VNNI,
}

// archFeatures is Features.
func archFeatures() []string {
	var names []string
	for _, f := range []struct {
		id   cpuid.FeatureID
		name string
	}{
		{cpuid.AVX2, "avx2"}, {cpuid.AVXVNNI, "avx_vnni"}, {cpuid.AVX512F, "avx512f"}, {cpuid.AVX512BW, "avx512bw"},
		{cpuid.AVX512VL, "avx512vl"}, {cpuid.AVX512VNNI, "avx512_vnni"},
	} {
		if cpuid.CPU.Supports(f.id) {
			names = append(names, f.name)
		}
	}
	return names
}
