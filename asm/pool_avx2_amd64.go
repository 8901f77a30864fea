package asm

// maxPoolAVX2 computes MaxPoolArgs' result on unsigned bytes.
//
//go:noescape
func maxPoolAVX2(a *MaxPoolArgs)

// sumAVX2 computes SumArgs' result on unsigned bytes.
//
//go:noescape
func sumAVX2(a *SumArgs)

// linearAVX2 computes LinearArgs' result; a pair of products never leaves int32.
//
//go:noescape
func linearAVX2(a *LinearArgs)
