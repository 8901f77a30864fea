package asm

// igemmDot is IGEMMReference(args, 4, 0x80) for NR = 16 and 8 and weights in -127..127: the loop that IGEMMArgs
// documents, with activations held as signed bytes q-128. A panel is, tap after tap, [K/4][NR][4] int8.
//
// The sums are exact for whatever data; Depth is ignored. Nothing need be aligned, and no byte is read or
// written that IGEMMArgs does not name. It needs ARMv8.2 with the dot product.
func igemmDot(args *IGEMMArgs) {
	if args.NR == 8 {
		igemm8Dot(args)
		return
	}
	igemm16Dot(args)
}

//go:noescape
func igemm16Dot(args *IGEMMArgs)

//go:noescape
func igemm8Dot(args *IGEMMArgs)
