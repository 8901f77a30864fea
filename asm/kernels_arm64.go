package asm

import "golang.org/x/sys/cpu"

// archKernels lists the sets of this architecture, best first.
func archKernels() []*Kernels {
	if inOrder() {
		return []*Kernels{i8mm, neondot, neon53, neon}
	}
	return []*Kernels{i8mm, neondot, neon, neon53}
}

// neon needs ARMv8.0, which every arm64 CPU is. Its multiplier wants signed bytes, and two of its products
// always fit an int16 lane, so no chain needs a proof.
var neon = &Kernels{
	Name:        "neon",
	runs:        true,
	InputFlip:   0x80,
	KR:          16,
	NR:          []int{4},
	MR:          []int{4},
	IGEMM:       igemmNEON,
	Group4:      GroupKernel{Channels: 16, Order: ByOutput, Run: group4NEON},
	Group8:      GroupKernel{Channels: 16, Order: ByOutput, Run: group8NEON},
	MaxPool:     maxPoolNEON,
	AveragePool: averagePoolNEON,
	Blur:        blurNEON,
	Sum:         sumNEON,
	Linear:      linearNEON,
	Scale:       scaleNEON,
}

// neon53 is neon for cores that execute in order: the Cortex-A53 of the Raspberry Pi 3 and Zero 2 W. It can sum
// longer chains where the weights are proved to allow it. Every arm64 CPU runs it, and others run neon faster.
var neon53 = &Kernels{
	Name:        "neon53",
	runs:        true,
	InputFlip:   0x80,
	KR:          16,
	NR:          []int{4},
	MR:          []int{3},
	Lanes:       Acc16Lanes{Count: 8, Width: 1, AcrossTaps: true},
	Depths:      []int{2, 4},
	IGEMM:       igemmNEON53,
	Group4:      GroupKernel{Channels: 16, Order: ByOutput, Run: group4NEON},
	Group8:      GroupKernel{Channels: 16, Order: ByOutput, Run: group8NEON},
	MaxPool:     maxPoolNEON,
	AveragePool: averagePoolNEON,
	Blur:        blurNEON,
	Sum:         sumNEON,
	Linear:      linearNEON,
	Scale:       scaleNEON,
}

// neondot needs the dot product of ARMv8.2: Cortex-A55, A75, A76 (Raspberry Pi 5) and newer, Apple's and
// the servers' cores. It shares neon's way of holding activations and all that is bound by memory.
var neondot = &Kernels{
	Name:        "neondot",
	runs:        cpu.ARM64.HasASIMDDP,
	InputFlip:   0x80,
	KR:          4,
	NR:          []int{16, 8},
	MR:          []int{4, 4},
	IGEMM:       igemmDot,
	Group4:      GroupKernel{Channels: 16, Order: ByOutput, Run: group4Dot},
	Group8:      GroupKernel{Channels: 16, Order: ByOutput, Run: group8Dot},
	MaxPool:     maxPoolNEON,
	AveragePool: averagePoolNEON,
	Blur:        blurNEON,
	Sum:         sumNEON,
	Linear:      linearNEON,
	Scale:       scaleNEON,
}

// i8mm needs the matrix product of ARMv8.6 as well: Cortex-A510, A710, X2 and newer, Neoverse V1 and N2,
// Apple M2. The direct grouped kernels have no use for it: a matrix product would be half zeros.
var i8mm = &Kernels{
	Name:        "i8mm",
	runs:        cpu.ARM64.HasI8MM && cpu.ARM64.HasASIMDDP,
	InputFlip:   0x80,
	KR:          8,
	NR:          []int{16, 8},
	MR:          []int{4, 4},
	IGEMM:       igemmI8MM,
	Group4:      GroupKernel{Channels: 16, Order: ByOutput, Run: group4Dot},
	Group8:      GroupKernel{Channels: 16, Order: ByOutput, Run: group8Dot},
	MaxPool:     maxPoolNEON,
	AveragePool: averagePoolNEON,
	Blur:        blurNEON,
	Sum:         sumNEON,
	Linear:      linearNEON,
	Scale:       scaleNEON,
}

// archFeatures is Features.
func archFeatures() []string {
	names := []string{"asimd"} // which every arm64 CPU that Go runs on has
	if cpu.ARM64.HasASIMDDP {
		names = append(names, "asimddp")
	}
	if cpu.ARM64.HasI8MM {
		names = append(names, "i8mm")
	}
	return names
}
