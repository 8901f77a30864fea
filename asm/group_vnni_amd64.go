package asm

// The kernels compute GroupArgs' result for panels of 8 (AVX-VNNI) or 16 (AVX-512) channels and any weights,
// which are in the order ByOutput: [9 taps][width][Channels/width groups][width]. Nothing needs alignment;
// nothing outside the stated bytes is read or written.

//go:noescape
func group4AVXVNNI(a *GroupArgs)

//go:noescape
func group8AVXVNNI(a *GroupArgs)

//go:noescape
func group4AVX512VNNI(a *GroupArgs)

//go:noescape
func group8AVX512VNNI(a *GroupArgs)
