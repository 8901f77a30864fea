package asm

// maxPoolAVX2 computes the maximum of PoolArgs' nine taps on unsigned bytes.
//
//go:noescape
func maxPoolAVX2(a *PoolArgs)

// averagePoolAVX2 computes the average of PoolArgs' four taps on unsigned bytes.
//
//go:noescape
func averagePoolAVX2(a *PoolArgs)

// blurAVX2 computes the binomial filter of BlurArgs' nine taps on unsigned bytes.
//
//go:noescape
func blurAVX2(a *BlurArgs)

// sumAVX2 computes SumArgs' result on unsigned bytes, or on signed ones.
//
//go:noescape
func sumAVX2(a *SumArgs)

// linearAVX2 computes LinearArgs' result; a pair of products never leaves int32.
//
//go:noescape
func linearAVX2(a *LinearArgs)
