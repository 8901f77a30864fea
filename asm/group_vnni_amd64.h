#include "group_avx2_amd64.h"
#include "vnni_amd64.h"

// Building blocks of the VNNI direct grouped convolutions, on top of those for AVX2. A panel is as many output
// channels as a vector has lanes, in whole groups, and its weights are in the order "by lane" (see GroupKernel):
// the bytes of a pixel, repeated over the vector, meet the weights without a shuffle. So sums come out in an
// order of their own; bias and multipliers are brought into it once a panel, and one VPSHUFB brings the packed
// bytes of several pixels back. Loops run over panels, rows and four pixels at a time.
//
// MAC/cycle that llvm-mca 19 predicts for a whole row of many pixels, four at a time, at 4 and 8 channels a group: 45 and
// 47 of at most 64 for AVX-VNNI on alderlake, 64 and 81 of 128 for AVX-512 on icelake-server.
//
// General registers are those of group_avx2_amd64.h, but
//	R9              the window of the first of the four pixels
//	AX R10 R11 SI   the windows of the four, a row of it at a time
//	R14             bytes from window to window

#define GROUP_STEPS MOVQ GroupArgs_InCol(DI), R14

// GROUP_PIXELS points to the four windows; where fewer are left the first takes the place of the others.
#define GROUP_PIXELS \
	MOVQ    R9, AX            \
	LEAQ    (R9)(R14*1), R10  \
	LEAQ    (R9)(R14*2), R11  \
	LEAQ    (R10)(R14*2), SI  \
	CMPQ    CX, $2            \
	CMOVQLT R9, R10           \
	CMPQ    CX, $3            \
	CMOVQLT R9, R11           \
	CMPQ    CX, $4            \
	CMOVQLT R9, SI

// GROUP_DOWN moves to the windows' next row.
#define GROUP_DOWN \
	ADDQ GroupArgs_TapRow(DI), AX  \
	ADDQ GroupArgs_TapRow(DI), R10 \
	ADDQ GroupArgs_TapRow(DI), R11 \
	ADDQ GroupArgs_TapRow(DI), SI

// The taps of a row, P being one of the four.
#define LEFT(P)   (P)
#define MIDDLE(P) (P)(R12*1)
#define RIGHT(P)  (P)(R12*2)

// GROUP_REQUANTISE scales, rounds and packs the sums of four pixels, a to d, into a: in each 128-bit lane, a
// dword of each pixel. MULT holds the multipliers.
#define GROUP_REQUANTISE(a, b, c, d, MULT) \
	VCVTDQ2PS a, a       \
	VCVTDQ2PS b, b       \
	VCVTDQ2PS c, c       \
	VCVTDQ2PS d, d       \
	VMULPS    MULT, a, a \
	VMULPS    MULT, b, b \
	VMULPS    MULT, c, c \
	VMULPS    MULT, d, d \
	VCVTPS2DQ a, a       \
	VCVTPS2DQ b, b       \
	VCVTPS2DQ c, c       \
	VCVTPS2DQ d, d       \
	VPACKSSDW b, a, a    \
	VPACKSSDW d, c, c    \
	VPACKUSWB c, a, a

// GROUP_STORED moves on behind a stored pixel, to the next row if it was the last.
#define GROUP_STORED \
	ADDQ GroupArgs_OutCol(DI), R13 \
	DECQ CX                        \
	JEQ  rowdone
