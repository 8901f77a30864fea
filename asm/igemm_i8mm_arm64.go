package asm

// igemmI8MM is IGEMMReference(args, 8, 0x80) for NR = 16 and 8 and weights in -127..127: the loop that IGEMMArgs
// documents, with activations held as signed bytes q-128. A panel is, tap after tap, [K/8][NR][8] int8.
//
// The sums are exact for whatever data; Depth is ignored. Nothing need be aligned, and no byte is read or
// written that IGEMMArgs does not name. It needs ARMv8.6 with the integer matrix product.
func igemmI8MM(args *IGEMMArgs) {
	if args.NR == 8 {
		igemm8I8MM(args)
		return
	}
	igemm16I8MM(args)
}

//go:noescape
func igemm16I8MM(args *IGEMMArgs)

//go:noescape
func igemm8I8MM(args *IGEMMArgs)
