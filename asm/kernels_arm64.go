package asm

// archKernels lists the sets that this CPU can run, best first.
func archKernels() []*Kernels { return nil }
