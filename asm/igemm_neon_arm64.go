package asm

// igemmNEON is IGEMMReference(args, 16, 0x80) for NR = 4 and weights in -127..127: the loop that IGEMMArgs
// documents, with activations held as signed bytes q-128. A panel is, tap after tap, [K/16][4][16] int8
// and, where K is an odd multiple of 8, [4][8] at the end of each tap.
//
// The sums are exact for whatever data; Depth is ignored. Nothing need be aligned, and no byte is read or
// written that IGEMMArgs does not name. It runs on every arm64 CPU.
//
//go:noescape
func igemmNEON(args *IGEMMArgs)
