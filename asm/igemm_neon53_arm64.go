package asm

// igemmNEON53 is IGEMMReference(args, 16, 0x80) for NR = 4: the loop that IGEMMArgs documents, with activations held
// as signed bytes q-128 and panels packed as for igemmNEON. Depth says how many blocks of 16 k the int16 lanes
// may sum up, across taps where K is a multiple of 16; below 2 it sums up one, which is exact for weights in -127..127
// whatever the data.
//
// Nothing need be aligned, and no byte is read or written that IGEMMArgs does not name. It runs on every arm64
// CPU, and is made for those that execute in order.
//
//go:noescape
func igemmNEON53(args *IGEMMArgs)
