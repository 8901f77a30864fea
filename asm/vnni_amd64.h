// Building blocks of the VNNI kernels, on top of those for AVX2. One VPDPBUSD adds to each int32 lane the
// four products of a quad, unsigned activations times signed weights, without saturation:
//
//	sums[i] += x[4*i]*w[4*i] + x[4*i+1]*w[4*i+1] + x[4*i+2]*w[4*i+2] + x[4*i+3]*w[4*i+3]
//
// The unsigned operand must be a register, so that activations are broadcast into one.

// Go's assembler knows the EVEX form of VPDPBUSD only, which needs AVX-512. This is the VEX form, for YMM
// registers. Operands are register numbers, 0 to 15: for Y7 write 7. In Go's assembler >> takes the whole product
// to its right as the count, hence the brackets. TestVPDPBUSDEncoding compares the bytes with the comment.

#define VPDPBUSD_VEX(w, x, sums) BYTE $0xc4; LONG $(0xc0507de2 ^ ((sums)>>3)<<7 ^ ((w)>>3)<<5 ^ (x)<<11 ^ ((sums)&7)<<27 ^ ((w)&7)<<24) // {vex} vpdpbusd ymm(sums), ymm(x), ymm(w)
