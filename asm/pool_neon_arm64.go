package asm

// maxPoolNEON is MaxPoolReference(args, 0x80): out[c] = max over the nine taps of in[c], activations held as
// signed bytes. Channels is a positive multiple of 16. Nothing need be aligned, and no byte is read or
// written that PoolArgs does not name. It runs on every arm64 CPU.
//
//go:noescape
func maxPoolNEON(args *PoolArgs)

// averagePoolNEON is AveragePoolReference(args, 0x80), for the same calls as maxPoolNEON, with four taps.
//
//go:noescape
func averagePoolNEON(args *PoolArgs)

// blurNEON is BlurReference(args, 0x80) for a positive multiple of 16 channels. Nothing need be aligned, and no byte is
// read or written that BlurArgs does not name. It runs on every arm64 CPU.
//
//go:noescape
func blurNEON(args *BlurArgs)

// sumNEON is SumReference(args, 0x80): Out[c] = sum over p of In[p*Step+c]^0x80, or of the signed bytes as they are,
// for a positive multiple of 16 channels and 1 to 2^23 pixels. Nothing need be aligned, and no byte is read or written
// that SumArgs does not name. It runs on every arm64 CPU.
//
//go:noescape
func sumNEON(args *SumArgs)
