//go:build !amd64 && !arm64

package asm

// archKernels: no assembly for this architecture; the pure Go set is the only one.
func archKernels() []*Kernels { return nil }

func archFeatures() []string { return nil }
