#include "textflag.h"
#include "go_asm.h"
#include "arm64.h"

// A 16-bit vector times a matrix of int8 rows, for every ARMv8.0 core. Two rows go side by side and share
// the vector:
//
//	                 XL    XH         8 + 8 int16 of the vector
//	              +------------+
//	    row 0  W0 | A0    A1   |      int32x4 each: 16 products are folded into them at once
//	    row 1  W1 | A2    A3   |
//	              +------------+
//
// Products and sums are exact modulo 2^32.

// Vector registers are numbers, as the header's macros take them, with a second name for loads and sums.
#define XL 0
#define XH 1
#define W0 2
#define W1 3
#define L0 4 // a row's weights in 16 bits: low 8, high 8
#define H0 5
#define L1 6
#define H1 7
#define A0 16
#define A1 17
#define A2 18
#define A3 19
#define FXL F0
#define FXH F1
#define FW0 F2
#define FW1 F3
#define VA0 V16
#define VA1 V17
#define VA2 V18
#define VA3 V19

#define ARGS R0
#define IN R1
#define W R2
#define BIAS R3
#define OUT R4
#define N R5
#define K R6
#define PTR R7
#define ROW0 R8
#define ROW1 R9
#define LEFT R10
#define SUM R11
#define TMP R12

// DOT adds the products with 16 weights to a row's two accumulators.
#define DOT(w, l, h, a, b) \
	SXTLB(l, w);       \
	SXTLB2(h, w);      \
	SMLALH(a, XL, l);  \
	SMLALH2(b, XL, l); \
	SMLALH(a, XH, h);  \
	SMLALH2(b, XH, h)

// STORE stores a row's sum plus its bias.
#define STORE(va, vb) \
	VADD   vb.S4, va.S4, va.S4; \
	VADDV  va.S4, va;           \
	VMOV   va.S[0], SUM;        \
	MOVW.P 4(BIAS), TMP;        \
	ADDW   TMP, SUM;            \
	MOVW.P SUM, 4(OUT)

// func linearNEON(args *LinearArgs)
//
//	for each 2 rows, then the one that is left
//		for each 16 k
//			accumulators += vector * rows
//		sum the lanes, add the bias, store
TEXT ·linearNEON(SB), NOSPLIT, $0-8
	MOVD args+0(FP), ARGS
	MOVD LinearArgs_In(ARGS), IN
	MOVD LinearArgs_W(ARGS), W
	MOVD LinearArgs_Bias(ARGS), BIAS
	MOVD LinearArgs_Out(ARGS), OUT
	MOVD LinearArgs_N(ARGS), N
	MOVD LinearArgs_K(ARGS), K
	SUBS $2, N
	BLT  odd

rows2:
	MOVD IN, PTR
	MOVD W, ROW0
	ADD  K, W, ROW1
	MOVD K, LEFT
	ZERO(A0)
	ZERO(A1)
	ZERO(A2)
	ZERO(A3)

loop2:
	FMOVQ.P 16(ROW0), FW0
	FMOVQ.P 16(ROW1), FW1
	FMOVQ   (PTR), FXL
	FMOVQ   16(PTR), FXH
	ADD     $32, PTR
	SUBS    $16, LEFT
	DOT(W0, L0, H0, A0, A1)
	DOT(W1, L1, H1, A2, A3)
	BNE     loop2

	STORE(VA0, VA1)
	STORE(VA2, VA3)
	ADD  K<<1, W
	SUBS $2, N
	BGE  rows2

odd:  // N is what is left, less 2
	TBZ  $0, N, done
	MOVD IN, PTR
	ZERO(A0)
	ZERO(A1)

loop1:
	FMOVQ.P 16(W), FW0
	FMOVQ   (PTR), FXL
	FMOVQ   16(PTR), FXH
	ADD     $32, PTR
	SUBS    $16, K
	DOT(W0, L0, H0, A0, A1)
	BNE     loop1
	STORE(VA0, VA1)

done:
	RET
