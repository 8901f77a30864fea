#include "igemm_avx2_amd64.h"
#include "vnni_amd64.h"

// Building blocks of the VNNI indirect GEMMs, on top of those for AVX2, whose general registers they share. A
// tile is 3, 6 or 7 pixels high, at R8 to R11, R14, R15 and R13, so that there are 12 sums or more (7 in AVX-512's panels
// of 8): two VPDPBUSD begin in a cycle and each takes five. Fewer pixels would mostly wait for themselves, so what is
// left of a call takes a whole tile too: the first pixel stands in for those that are missing, and their sums are
// not stored.
//
// MAC/cycle that llvm-mca 19 predicts for the loops, that were measured in cache with 64 products and with 1024 for each
// sum, and the most that the CPU's VPDPBUSD give:
//
//	panel width                    8     16     32     64    at most
//	AVX-VNNI, alderlake           63     64     64      -     64
//	AVX-512, icelake-server       77     86    112    128    128
//	AVX-512, Zen 4, measured   26-45  51-62  56-63  56-63     64

// FIRST points R8 to the tile's first pixel and AX to its place in the table.
#define FIRST \
	MOVQ    IGEMMArgs_InOff(DI), AX \
	ADDQ    R12, AX                 \
	MOVLQSX (AX), R8                \
	ADDQ    IGEMMArgs_In(DI), R8

// OTHER points P to pixel i, or to the first where R13 says that there is no such pixel.
#define OTHER(i, P) \
	XORL    DX, DX               \
	MOVL    $i, CX               \
	CMPQ    R13, CX              \
	CMOVQLE DX, CX               \
	MOVLQSX (AX)(CX*4), P        \
	ADDQ    IGEMMArgs_In(DI), P

#define PIXELS3 \
	FIRST        \
	OTHER(1, R9) \
	OTHER(2, R10)

#define PIXELS6 \
	PIXELS3       \
	OTHER(3, R11) \
	OTHER(4, R14) \
	OTHER(5, R15)

// R13 counts the pixels left until it becomes one of them.
#define PIXELS7 \
	PIXELS6     \
	OTHER(6, R13)

// HOLD and RELEASE keep R12 and R13 in the frame while a tile's products are summed. R12 then is the next line to be
// fetched by FETCH, a line for 8 k, through the panel that IGEMMArgs.Next names and again from its beginning.
#define HOLD \
	MOVQ R12, m-8(SP)     \
	MOVQ R13, left-16(SP)

#define AHEAD \
	MOVQ    line-24(SP), R12             \
	MOVQ    IGEMMArgs_Next(DI), AX       \
	MOVQ    IGEMMArgs_NextBytes(DI), DX  \
	ADDQ    AX, DX                       \
	CMPQ    R12, DX                      \
	CMOVQCC AX, R12

#define RELEASE \
	MOVQ R12, line-24(SP) \
	MOVQ m-8(SP), R12     \
	MOVQ left-16(SP), R13

// Epilogue of a pixel, for vectors of YMM or ZMM registers. The files igemm_vnni256_amd64.h and
// igemm_vnni512_amd64.h name what depends on their size:
//	ORDER                       the order of channels after packing
//	FLOOR                       bytes of -127
//	PLUS_UNSIGNED, PLUS_SIGNED  add the residual to a vector of sums
//	CONSTANTS                   sets these, R8 to the multipliers and CX to IGEMMArgs.Epilogue
// and the argument Epilogue decides
//	POINT   RESIDUAL or NO_RESIDUAL
//	ADD     PLUS_UNSIGNED, PLUS_SIGNED or NO_ADD
//	BYTES   UNSIGNED_BYTES or SIGNED_BYTES

#define NO_RESIDUAL(i)

#define NO_ADD(at, acc)

#define UNSIGNED_BYTES(a, b) \
	VPACKUSWB b, a, a

#define SIGNED_BYTES(a, b) \
	VPACKSSWB b, a, a     \
	VPMAXSB   FLOOR, a, a

// STORE moves what part names, the low part or the whole of a, to the output, and ends the kernel behind the
// last pixel.
#define STORE(i, a, MOVE, part) \
	VPERMD a, ORDER, a \
	OUTPUT(i)          \
	MOVE   part, (R9)  \
	DECQ   R13         \
	JEQ    done

// SUMS4, SUMS2 and SUMS1 bring the sums of pixel i, in vectors of size bytes, to packed bytes in a.
#define SUMS4(i, size, a, b, c, d, POINT, ADD, BYTES) \
	SCALE(0, a)          \
	SCALE(size, b)       \
	SCALE((2*size), c)   \
	SCALE((3*size), d)   \
	POINT(i)             \
	ADD(0, a)            \
	ADD((size/4), b)     \
	ADD((2*size/4), c)   \
	ADD((3*size/4), d)   \
	ROUND(a)             \
	ROUND(b)             \
	ROUND(c)             \
	ROUND(d)             \
	VPACKSSDW b, a, a    \
	VPACKSSDW d, c, c    \
	BYTES(a, c)

#define SUMS2(i, size, a, b, POINT, ADD, BYTES) \
	SCALE(0, a)          \
	SCALE(size, b)       \
	POINT(i)             \
	ADD(0, a)            \
	ADD((size/4), b)     \
	ROUND(a)             \
	ROUND(b)             \
	VPACKSSDW b, a, a    \
	BYTES(a, a)

#define SUMS1(i, a, POINT, ADD, BYTES) \
	SCALE(0, a)          \
	POINT(i)             \
	ADD(0, a)            \
	ROUND(a)             \
	VPACKSSDW a, a, a    \
	BYTES(a, a)

// The whole kernel, for all widths and both encodings:
//	for m += pixels while any are left:
//		POINT: the pixels' addresses
//		INIT: sums = bias
//		for each tap, 8 k at a time: BODY adds the products and moves BX and DX on
//		FOLD: adds up sums of a channel that are in two places, if any
//		FINISH for each pixel left: scale, add the residual if the epilogue says so, round, pack, store
#define IGEMM_VNNI(pixels, POINT, INIT, BODY, FOLD, FINISH) \
	PROLOGUE                                         \
	MOVQ IGEMMArgs_Next(DI), AX                      \
	MOVQ AX, line-24(SP)                             \
	tile:                                            \
	HOLD                                             \
	POINT                                            \
	AHEAD                                            \
	START                                            \
	INIT                                             \
	tap:                                             \
	TAP                                              \
	k:                                               \
	FETCH                                            \
	ADDQ $64, R12                                    \
	BODY                                             \
	CMPQ DX, AX                                      \
	JLT  k                                           \
	DECQ CX                                          \
	JNE  tap                                         \
	RELEASE                                          \
	FOLD                                             \
	CONSTANTS                                        \
	CMPL CX, $const_AddUnsigned                      \
	JEQ  unsigned                                    \
	JGT  signed                                      \
	CMPL CX, $const_Signed                           \
	JEQ  shortcut                                    \
	FINISH(NO_RESIDUAL, NO_ADD, UNSIGNED_BYTES)      \
	JMP  next                                        \
	shortcut:                                        \
	FINISH(NO_RESIDUAL, NO_ADD, SIGNED_BYTES)        \
	JMP  next                                        \
	unsigned:                                        \
	FINISH(RESIDUAL, PLUS_UNSIGNED, UNSIGNED_BYTES)  \
	JMP  next                                        \
	signed:                                          \
	FINISH(RESIDUAL, PLUS_SIGNED, UNSIGNED_BYTES)    \
	next:                                            \
	ADDQ $(4*pixels), R12                            \
	JMP  tile                                        \
	done:                                            \
	VZEROUPPER                                       \
	RET
