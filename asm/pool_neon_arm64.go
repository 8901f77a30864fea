package asm

// maxPoolNEON is MaxPoolReference(args, 0x80): out[c] = max over the nine taps of in[c], activations held as
// signed bytes. Channels is a positive multiple of 16. Nothing need be aligned, and no byte is read or
// written that MaxPoolArgs does not name. It runs on every arm64 CPU.
//
//go:noescape
func maxPoolNEON(args *MaxPoolArgs)

// sumNEON is SumReference(args, 0x80): Out[c] = sum over p of In[p*Step+c]^0x80, for a positive multiple of 16
// channels and 1 to 2^23 pixels. Nothing need be aligned, and no byte is read or written that SumArgs does
// not name. It runs on every arm64 CPU.
//
//go:noescape
func sumNEON(args *SumArgs)
