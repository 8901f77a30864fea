package asm

// linearNEON is LinearReference: Out[n] = Bias[n] + sum over k of In[k] * W[n*K+k], modulo 2^32, for a positive
// multiple of 16 as K and any int16 and int8. Nothing need be aligned, and no byte is read or written that
// LinearArgs does not name. It runs on every arm64 CPU.
//
//go:noescape
func linearNEON(args *LinearArgs)
