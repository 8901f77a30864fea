// Building blocks of the AVX2 indirect GEMM. A tile is MR pixels by NV vectors of 8 output channels; its
// int32 sums are Y0..Y7 or Y0..Y8, pixel by pixel. Y15 holds ones (int16) or the byte mask 0x00FF.
//
//	          channels 0-7   8-15   16-23   24-31
//	pixel 0        Y0         Y1     Y2      Y3
//	pixel 1        Y4         Y5     Y6      Y7
//
// General registers:
//	DI  the argument struct        R8..R11  the pixels' addresses
//	BX  weights, advancing         DX, AX   offset within the pixel and its end, tap offset included
//	SI  tap offsets, advancing     CX       taps left
//	R12 4*m, the tile's place in the tables; R13 pixels left

#define PROLOGUE \
	MOVQ a+0(FP), DI              \
	MOVQ IGEMMArgs_M(DI), R13     \
	XORQ R12, R12

// START begins a tile: weights and taps from the beginning.
#define START \
	MOVQ IGEMMArgs_W(DI), BX      \
	MOVQ IGEMMArgs_TapOff(DI), SI \
	MOVQ IGEMMArgs_Taps(DI), CX

#define PIXEL(i, P) \
	MOVQ    IGEMMArgs_InOff(DI), AX \
	MOVLQSX (i*4)(AX)(R12*1), P     \
	ADDQ    IGEMMArgs_In(DI), P

// TAP sets DX and AX to the next tap's range.
#define TAP \
	MOVLQSX (SI), DX               \
	ADDQ    $4, SI                 \
	MOVQ    IGEMMArgs_K(DI), AX    \
	ADDQ    DX, AX

#define ONES \
	VPCMPEQW Y15, Y15, Y15 \
	VPSRLW   $15, Y15, Y15

#define MASK \
	VPCMPEQW Y15, Y15, Y15 \
	VPSRLW   $8, Y15, Y15

// QUAD1: acc += ones * sat16(x * w), one quad.
#define QUAD1(w, x, acc) \
	VPMADDUBSW w(BX), x, Y12     \
	VPMADDWD   Y15, Y12, Y12     \
	VPADDD     Y12, acc, acc

// QUAD2: acc += ones * (x0*w0 + x1*w1), two quads that share int16 lanes.
#define QUAD2(w0, w1, x0, x1, acc) \
	VPMADDUBSW w0(BX), x0, Y13   \
	VPMADDUBSW w1(BX), x1, Y14   \
	VPADDW     Y14, Y13, Y13     \
	VPMADDWD   Y15, Y13, Y13     \
	VPADDD     Y13, acc, acc

// QUAD4: acc += ones * (four quads of the pixel in Y8..Y11), in one int16 lane; stride is a quad's panel.
#define QUAD4(w, stride, acc) \
	VPMADDUBSW w(BX), Y8, Y12                \
	VPMADDUBSW (w+stride)(BX), Y9, Y13       \
	VPMADDUBSW (w+2*stride)(BX), Y10, Y14    \
	VPADDW     Y13, Y12, Y12                 \
	VPMADDUBSW (w+3*stride)(BX), Y11, Y13    \
	VPADDW     Y14, Y12, Y12                 \
	VPADDW     Y13, Y12, Y12                 \
	VPMADDWD   Y15, Y12, Y12                 \
	VPADDD     Y12, acc, acc

#define QUADS4(P) \
	VPBROADCASTD (P)(DX*1), Y8    \
	VPBROADCASTD 4(P)(DX*1), Y9   \
	VPBROADCASTD 8(P)(DX*1), Y10  \
	VPBROADCASTD 12(P)(DX*1), Y11

// SPLIT widens a pixel's quad: even and odd bytes as int16.
#define SPLIT(P, at, even, odd) \
	VPBROADCASTD at(P)(DX*1), odd \
	VPAND        Y15, odd, even   \
	VPSRLW       $8, odd, odd

// WIDEN loads a vector of weights as even and odd int16.
#define WIDEN(w, even, odd) \
	VMOVDQU w(BX), odd     \
	VPSLLW  $8, odd, even  \
	VPSRAW  $8, even, even \
	VPSRAW  $8, odd, odd

// WIDE: acc += xe*we + xo*wo, exact for any weights.
#define WIDE(xe, xo, we, wo, acc) \
	VPMADDWD we, xe, Y14   \
	VPADDD   Y14, acc, acc \
	VPMADDWD wo, xo, Y14   \
	VPADDD   Y14, acc, acc

// Epilogue. R8 points to the multipliers, R9 to the output pixel, R10 to the residual; Y14 holds ResMult,
// Y13 the order of channels after packing.

#define SCALE(at, acc) \
	VCVTDQ2PS acc, acc         \
	VMULPS    at(R8), acc, acc

#define ADD_UNSIGNED(at, acc) \
	VPMOVZXBD at(R10), Y12  \
	VCVTDQ2PS Y12, Y12      \
	VMULPS    Y14, Y12, Y12 \
	VADDPS    Y12, acc, acc

#define ADD_SIGNED(at, acc) \
	VPMOVSXBD at(R10), Y12  \
	VCVTDQ2PS Y12, Y12      \
	VMULPS    Y14, Y12, Y12 \
	VADDPS    Y12, acc, acc

#define RESIDUAL(i) \
	MOVQ    IGEMMArgs_ResOff(DI), AX \
	MOVLQSX (i*4)(AX)(R12*1), R10    \
	ADDQ    IGEMMArgs_Res(DI), R10

#define OUTPUT(i) \
	MOVQ    IGEMMArgs_OutOff(DI), AX \
	MOVLQSX (i*4)(AX)(R12*1), R9     \
	ADDQ    IGEMMArgs_Out(DI), R9

#define EPILOGUE \
	MOVQ         IGEMMArgs_Mult(DI), R8     \
	MOVL         IGEMMArgs_Epilogue(DI), CX \
	VBROADCASTSS IGEMMArgs_ResMult(DI), Y14 \
	VMOVDQU      packOrder<>(SB), Y13

#define ROUND(acc) VCVTPS2DQ acc, acc

// The whole kernel, for all panel widths. The file that uses it defines
//	TILE             pixels of a tile             QUAD           bytes of a quad's weights: 4 a channel
//	TILE_PIXELS      loads their addresses        LOAD_BIAS      starts pixel 0's sums
//	SPREAD_BIAS      starts the others'           TILE_EACH(OP)  does OP for every pixel
//	ONE(OP)          does OP for pixel 0
//	and as OP: SCALES, ADDS_UNSIGNED, ADDS_SIGNED, STORE_UNSIGNED, STORE_SIGNED
//
//	while TILE pixels are left, then one by one:
//		sums = bias
//		for each tap: LOOP_TILE or LOOP_ONE over k
//		scale, add the residual if the epilogue says so, round, pack, store
//
// Tiles prefetch the panel that IGEMMArgs.Next names, a line for each step of a loop, by R14, and again from its beginning
// behind its end, R15.
#define AHEAD_TILE \
	CMPQ    R14, R15                \
	JCS     ahead                   \
	MOVQ    IGEMMArgs_Next(DI), R14 \
	ahead:

// CONSTANT, which the epilogue spares, is ONES or MASK.
#define IGEMM(CONSTANT, LOOP_TILE, LOOP_ONE) \
	PROLOGUE                       \
	CONSTANT                       \
	MOVQ IGEMMArgs_Next(DI), R14   \
	MOVQ IGEMMArgs_NextBytes(DI), R15 \
	ADDQ R14, R15                  \
	JMP  more                      \
	tile:                          \
	AHEAD_TILE                     \
	START                          \
	TILE_PIXELS                    \
	LOAD_BIAS                      \
	SPREAD_BIAS                    \
	tapTile:                       \
	TAP                            \
	LOOP_TILE                      \
	overTile:                      \
	DECQ CX                        \
	JNE  tapTile                   \
	EPILOGUE                       \
	TILE_EACH(SCALES)              \
	CMPL CX, $const_AddUnsigned    \
	JLT  plainTile                 \
	JGT  signedTile                \
	TILE_EACH(ADDS_UNSIGNED)       \
	JMP  unsignedTile              \
	signedTile:                    \
	TILE_EACH(ADDS_SIGNED)         \
	unsignedTile:                  \
	TILE_EACH(STORE_UNSIGNED)      \
	JMP  nextTile                  \
	plainTile:                     \
	CMPL CX, $const_Signed         \
	JNE  unsignedTile              \
	TILE_EACH(STORE_SIGNED)        \
	nextTile:                      \
	ADDQ $(4*TILE), R12            \
	SUBQ $TILE, R13                \
	more:                          \
	CMPQ R13, $TILE                \
	JGE  tile                      \
	one:                           \
	TESTQ R13, R13                 \
	JEQ  done                      \
	START                          \
	PIXEL(0, R8)                   \
	LOAD_BIAS                      \
	tapOne:                        \
	TAP                            \
	LOOP_ONE                       \
	overOne:                       \
	DECQ CX                        \
	JNE  tapOne                    \
	EPILOGUE                       \
	ONE(SCALES)                    \
	CMPL CX, $const_AddUnsigned    \
	JLT  plainOne                  \
	JGT  signedOne                 \
	ONE(ADDS_UNSIGNED)             \
	JMP  unsignedOne               \
	signedOne:                     \
	ONE(ADDS_SIGNED)               \
	unsignedOne:                   \
	ONE(STORE_UNSIGNED)            \
	JMP  nextOne                   \
	plainOne:                      \
	CMPL CX, $const_Signed         \
	JNE  unsignedOne               \
	ONE(STORE_SIGNED)              \
	nextOne:                       \
	ADDQ $4, R12                   \
	DECQ R13                       \
	JMP  one                       \
	done:                          \
	VZEROUPPER                     \
	RET

// STEP runs a body over a tap, 8 k at a time.
#define STEP(BODY, FETCH, again) \
	again:            \
	FETCH             \
	BODY              \
	ADDQ $(2*QUAD), BX \
	ADDQ $8, DX       \
	CMPQ DX, AX       \
	JLT  again

// STEP16 runs BODY16 over 16 k at a time and BODY8 over what is left of the tap; the label over follows.
#define STEP16(BODY16, BODY8, FETCH, again, rest, over) \
	SUBQ $16, AX      \
	CMPQ DX, AX       \
	JGT  rest         \
	again:            \
	FETCH             \
	BODY16            \
	ADDQ $(4*QUAD), BX \
	ADDQ $16, DX      \
	CMPQ DX, AX       \
	JLE  again        \
	rest:             \
	ADDQ $16, AX      \
	CMPQ DX, AX       \
	JGE  over         \
	BODY8             \
	ADDQ $(2*QUAD), BX

// The loops over k for each kind of body; the file defines TILE_WIDE, ONE_WIDE, TILE_CHAIN1, ...
#define WIDE_TILE STEP(TILE_WIDE, PREFETCH, kTile)
#define WIDE_ONE STEP(ONE_WIDE, NO_PREFETCH, kOne)
#define CHAIN1_TILE STEP(TILE_CHAIN1, PREFETCH, kTile)
#define CHAIN1_ONE STEP(ONE_CHAIN1, NO_PREFETCH, kOne)
#define CHAIN2_TILE STEP(TILE_CHAIN2, PREFETCH, kTile)
#define CHAIN2_ONE STEP(ONE_CHAIN2, NO_PREFETCH, kOne)
#define CHAIN4_TILE STEP16(TILE_CHAIN4, TILE_CHAIN2, PREFETCH, kTile, restTile, overTile)
#define CHAIN4_ONE STEP16(ONE_CHAIN4, ONE_CHAIN2, NO_PREFETCH, kOne, restOne, overOne)

#define PREFETCH \
	PREFETCHT0 (R14) \
	ADDQ $64, R14

#define NO_PREFETCH

// The packs work within 128-bit lanes, so the dwords of channels come out as 0 2 4 6, 1 3 5 7.
DATA packOrder<>+0(SB)/8, $0x0000000400000000
DATA packOrder<>+8(SB)/8, $0x0000000500000001
DATA packOrder<>+16(SB)/8, $0x0000000600000002
DATA packOrder<>+24(SB)/8, $0x0000000700000003
GLOBL packOrder<>(SB), RODATA|NOPTR, $32

// The most negative signed activation.
DATA minus127<>+0(SB)/8, $0x8181818181818181
DATA minus127<>+8(SB)/8, $0x8181818181818181
DATA minus127<>+16(SB)/8, $0x8181818181818181
DATA minus127<>+24(SB)/8, $0x8181818181818181
GLOBL minus127<>(SB), RODATA|NOPTR, $32
