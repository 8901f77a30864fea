package asm

// scaleAVX2 computes ScaleArgs' result, activations held as unsigned bytes.
//
//go:noescape
func scaleAVX2(a *ScaleArgs)
