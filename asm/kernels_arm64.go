package asm

// archKernels lists the sets that this CPU can run, best first. Sets for later extensions go before neon,
// each behind its feature bit of golang.org/x/sys/cpu (the dot product's is cpu.ARM64.HasASIMDDP).
func archKernels() []*Kernels {
	return []*Kernels{neon}
}

// neon needs ARMv8.0, which every arm64 CPU is. Its multiplier wants signed bytes, and two of its products
// always fit an int16 lane, so no chain needs a proof.
var neon = &Kernels{
	Name:    "neon",
	Offset:  0x80,
	KB:      16,
	Widths:  []int{4},
	IGEMM:   igemmNEON,
	Group4:  GroupKernel{Lanes: 16, ByLane: true, Run: group4NEON},
	Group8:  GroupKernel{Lanes: 16, ByLane: true, Run: group8NEON},
	MaxPool: maxPoolNEON,
	Sum:     sumNEON,
	Linear:  linearNEON,
}
