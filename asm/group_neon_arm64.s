#include "textflag.h"
#include "go_asm.h"
#include "arm64.h"

// Direct grouped 3x3 convolution with 4 and 8 channels a group for ARMv8.0: Cortex-A53, A57, A72 and
// whatever lacks the dot product.
//
// X is 16 channels of one input pixel, W the weights that 4 output channels o, one of each group (or of
// each half group), have for the same 16 channels at the same tap. The low half of X times W belongs to
// other outputs than the high half, so each has its own accumulator: nothing is broadcast or wasted.
//
//	                           W (o=0)      W (o=1)      W (o=2)      W (o=3)
//	                        +--------------------------------------------------+
//	pixel 0   X low  8 ch.  | A00L         A01L         A02L         A03L      |
//	          X high 8 ch.  | A00H         A01H         A02H         A03H      |  int32x4 each
//	pixel 1   X low  8 ch.  | A10L         A11L         A12L         A13L      |
//	          X high 8 ch.  | A10H         A11H         A12H         A13H      |
//	                        +--------------------------------------------------+
//
//	an accumulator, 4 channels a group:  [ g0 g0 g1 g1 ] of low, [ g2 g2 g3 g3 ] of high halves
//	                8 channels a group:  [ g0 g0 g0 g0 ] of low, [ g1 g1 g1 g1 ] of high halves
//
// Taps go in pairs, which share int16 lanes: 2 * 128*127 = 32512 fits whatever the data. The ninth is
// alone. The products T of one o are folded into the accumulators while those of the next are made.

// Vector registers are numbers, as the header's macros take them; those that are loaded or stored have a
// second name. XA and XB belong to the two taps of a pair, WA and WB to even o, UA and UB to odd o.
#define XA0 0
#define XB0 1
#define XA1 2
#define XB1 3
#define WA 4
#define WB 5
#define UA 6
#define UB 7
#define T0 8
#define T1 9
#define T2 10
#define T3 11
#define T4 12
#define T5 13
#define T6 14
#define T7 15
#define A00L 16
#define A00H 17
#define A01L 18
#define A01H 19
#define A02L 20
#define A02H 21
#define A03L 22
#define A03H 23
#define A10L 24
#define A10H 25
#define A11L 26
#define A11H 27
#define A12L 28
#define A12H 29
#define A13L 30
#define A13H 31

// Second names.
#define VXA0 V0
#define VXB0 V1
#define VXA1 V2
#define VXB1 V3
#define FWA F4
#define FWB F5
#define FUA F6
#define FUB F7

// The epilogue's, where X, W and T are free.
#define B0 0
#define B1 1
#define B2 2
#define B3 3
#define M0 4
#define M1 5
#define M2 6
#define M3 7
#define SIGN 8
#define ORDER 9
#define Q 10
#define QHI 11
#define FB0 F0
#define FB1 F1
#define FB2 F2
#define FB3 F3
#define FM0 F4
#define FM1 F5
#define FM2 F6
#define FM3 F7
#define FSIGN F8
#define FORDER F9
#define FQ F10
#define VQ V10

// The whole call. COL leads from one tap to the next in its row, ROW from the last tap of a row to the
// first of the next row, NEXT1 and NEXT2 from the last tap to the first of the next pixel and of the one
// after it.
#define ARGS R0
#define COL R1
#define ROW R2
#define NEXT1 R3
#define NEXT2 R4
#define INCOL R5
#define OUTCOL R6
#define CONST R7 // groupConst
#define INROW R8 // the row's first pixels
#define OUTROW R9
#define ROWS R10

// One row and panel.
#define PANELS R11
#define IN R12
#define OUT R13
#define W R14
#define BIAS R15
#define MULT R16
#define COLS R17

// One tile.
#define P0 R19
#define P1 R20
#define DST R21
#define TMP R22
#define LOCAL R23 // group4NEON: bias and multipliers by o
#define HALF R24 // group8NEON: 0 or 1

DATA groupConst<>+0x00(SB)/8, $0x8080808080808080 // unsigned byte to the signed byte that holds it
DATA groupConst<>+0x08(SB)/8, $0x8080808080808080
DATA groupConst<>+0x10(SB)/8, $0x0d0905010c080400 // from [o][g] to [g][o], four of each
DATA groupConst<>+0x18(SB)/8, $0x0f0b07030e0a0602
GLOBL groupConst<>(SB), RODATA|NOPTR, $32

// PAIR adds taps a and b, given as the offsets of their weights, to two pixels. It finds tap a's pixels in
// XA and the weights of o=0 in WA and WB, and leaves those of taps na and nb there; sb and sna step from
// taps b and na to the ones behind. before folds what the pair before left of o=3, f folds the rest.
#define NONE(a, t)

#define PAIR(before, f, a, b, na, nb, sb, sna) \
	SMULLB(T0, XA0, WA);          \
	SMULLB2(T1, XA0, WA);         \
	SMULLB(T2, XA1, WA);          \
	SMULLB2(T3, XA1, WA);         \
	VLD1.P (P0)(sb), [VXB0.B16];  \
	before(A03L, T4);             \
	VLD1.P (P1)(sb), [VXB1.B16];  \
	before(A03H, T5);             \
	FMOVQ  a+16(W), FUA;          \
	before(A13L, T6);             \
	FMOVQ  b+16(W), FUB;          \
	before(A13H, T7);             \
	SMLALB(T0, XB0, WB);          \
	SMLALB2(T1, XB0, WB);         \
	SMLALB(T2, XB1, WB);          \
	SMLALB2(T3, XB1, WB);         \
	SMULLB(T4, XA0, UA);          \
	SMULLB2(T5, XA0, UA);         \
	SMULLB(T6, XA1, UA);          \
	SMULLB2(T7, XA1, UA);         \
	FMOVQ  a+32(W), FWA;          \
	f(A00L, T0);                  \
	FMOVQ  b+32(W), FWB;          \
	f(A00H, T1);                  \
	f(A10L, T2);                  \
	f(A10H, T3);                  \
	SMLALB(T4, XB0, UB);          \
	SMLALB2(T5, XB0, UB);         \
	SMLALB(T6, XB1, UB);          \
	SMLALB2(T7, XB1, UB);         \
	SMULLB(T0, XA0, WA);          \
	SMULLB2(T1, XA0, WA);         \
	SMULLB(T2, XA1, WA);          \
	SMULLB2(T3, XA1, WA);         \
	FMOVQ  a+48(W), FUA;          \
	f(A01L, T4);                  \
	FMOVQ  b+48(W), FUB;          \
	f(A01H, T5);                  \
	f(A11L, T6);                  \
	f(A11H, T7);                  \
	SMLALB(T0, XB0, WB);          \
	SMLALB2(T1, XB0, WB);         \
	SMLALB(T2, XB1, WB);          \
	SMLALB2(T3, XB1, WB);         \
	SMULLB(T4, XA0, UA);          \
	SMULLB2(T5, XA0, UA);         \
	SMULLB(T6, XA1, UA);          \
	SMULLB2(T7, XA1, UA);         \
	FMOVQ  na(W), FWA;            \
	f(A02L, T0);                  \
	FMOVQ  nb(W), FWB;            \
	f(A02H, T1);                  \
	VLD1.P (P0)(sna), [VXA0.B16]; \
	f(A12L, T2);                  \
	VLD1.P (P1)(sna), [VXA1.B16]; \
	f(A12H, T3);                  \
	SMLALB(T4, XB0, UB);          \
	SMLALB2(T5, XB0, UB);         \
	SMLALB(T6, XB1, UB);          \
	SMLALB2(T7, XB1, UB)

// LAST adds the ninth tap.
#define LAST(a) \
	SMULLB(T0, XA0, WA);  \
	SMULLB2(T1, XA0, WA); \
	SMULLB(T2, XA1, WA);  \
	SMULLB2(T3, XA1, WA); \
	FMOVQ a+16(W), FUA;   \
	SADALP(A03L, T4);     \
	FMOVQ a+32(W), FWA;   \
	SADALP(A03H, T5);     \
	SADALP(A13L, T6);     \
	SADALP(A13H, T7);     \
	SMULLB(T4, XA0, UA);  \
	SMULLB2(T5, XA0, UA); \
	SMULLB(T6, XA1, UA);  \
	SMULLB2(T7, XA1, UA); \
	FMOVQ a+48(W), FUA;   \
	SADALP(A00L, T0);     \
	SADALP(A00H, T1);     \
	SADALP(A10L, T2);     \
	SADALP(A10H, T3);     \
	SMULLB(T0, XA0, WA);  \
	SMULLB2(T1, XA0, WA); \
	SMULLB(T2, XA1, WA);  \
	SMULLB2(T3, XA1, WA); \
	SADALP(A01L, T4);     \
	SADALP(A01H, T5);     \
	SADALP(A11L, T6);     \
	SADALP(A11H, T7);     \
	SMULLB(T4, XA0, UA);  \
	SMULLB2(T5, XA0, UA); \
	SMULLB(T6, XA1, UA);  \
	SMULLB2(T7, XA1, UA); \
	SADALP(A02L, T0);     \
	SADALP(A02H, T1);     \
	SADALP(A12L, T2);     \
	SADALP(A12H, T3);     \
	SADALP(A03L, T4);     \
	SADALP(A03H, T5);     \
	SADALP(A13L, T6);     \
	SADALP(A13H, T7)

// TILE2 sums nine taps of two pixels; tap is the size of a tap's weights.
#define TILE2(tap) \
	VLD1.P (P0)(COL), [VXA0.B16];                                 \
	VLD1.P (P1)(COL), [VXA1.B16];                                 \
	FMOVQ  (W), FWA;                                              \
	FMOVQ  tap(W), FWB;                                           \
	PAIR(NONE, SADDLP, 0*tap, 1*tap, 2*tap, 3*tap, COL, ROW);     \
	PAIR(SADDLP, SADALP, 2*tap, 3*tap, 4*tap, 5*tap, COL, COL);   \
	PAIR(SADALP, SADALP, 4*tap, 5*tap, 6*tap, 7*tap, ROW, COL);   \
	PAIR(SADALP, SADALP, 6*tap, 7*tap, 8*tap, 8*tap, COL, NEXT2); \
	LAST(8*tap)

// PAIR1, LAST1 and TILE1 do the same for one pixel.
#define PAIR1(f, a, b, sa, sb) \
	VLD1.P (P0)(sa), [VXA0.B16]; \
	VLD1.P (P0)(sb), [VXB0.B16]; \
	FMOVQ  a+0(W), FWA;          \
	FMOVQ  b+0(W), FWB;          \
	SMULLB(T0, XA0, WA);         \
	SMULLB2(T1, XA0, WA);        \
	SMLALB(T0, XB0, WB);         \
	SMLALB2(T1, XB0, WB);        \
	FMOVQ  a+16(W), FUA;         \
	FMOVQ  b+16(W), FUB;         \
	SMULLB(T2, XA0, UA);         \
	SMULLB2(T3, XA0, UA);        \
	SMLALB(T2, XB0, UB);         \
	SMLALB2(T3, XB0, UB);        \
	FMOVQ  a+32(W), FWA;         \
	FMOVQ  b+32(W), FWB;         \
	SMULLB(T4, XA0, WA);         \
	SMULLB2(T5, XA0, WA);        \
	SMLALB(T4, XB0, WB);         \
	SMLALB2(T5, XB0, WB);        \
	FMOVQ  a+48(W), FUA;         \
	FMOVQ  b+48(W), FUB;         \
	SMULLB(T6, XA0, UA);         \
	SMULLB2(T7, XA0, UA);        \
	SMLALB(T6, XB0, UB);         \
	SMLALB2(T7, XB0, UB);        \
	f(A00L, T0);                 \
	f(A00H, T1);                 \
	f(A01L, T2);                 \
	f(A01H, T3);                 \
	f(A02L, T4);                 \
	f(A02H, T5);                 \
	f(A03L, T6);                 \
	f(A03H, T7)

#define LAST1(a) \
	VLD1.P (P0)(NEXT1), [VXA0.B16]; \
	FMOVQ  a+0(W), FWA;             \
	SMULLB(T0, XA0, WA);            \
	SMULLB2(T1, XA0, WA);           \
	FMOVQ  a+16(W), FUA;            \
	SMULLB(T2, XA0, UA);            \
	SMULLB2(T3, XA0, UA);           \
	FMOVQ  a+32(W), FWA;            \
	SMULLB(T4, XA0, WA);            \
	SMULLB2(T5, XA0, WA);           \
	FMOVQ  a+48(W), FUA;            \
	SMULLB(T6, XA0, UA);            \
	SMULLB2(T7, XA0, UA);           \
	SADALP(A00L, T0);               \
	SADALP(A00H, T1);               \
	SADALP(A01L, T2);               \
	SADALP(A01H, T3);               \
	SADALP(A02L, T4);               \
	SADALP(A02H, T5);               \
	SADALP(A03L, T6);               \
	SADALP(A03H, T7)

#define TILE1(tap) \
	PAIR1(SADDLP, 0*tap, 1*tap, COL, COL); \
	PAIR1(SADALP, 2*tap, 3*tap, ROW, COL); \
	PAIR1(SADALP, 4*tap, 5*tap, COL, ROW); \
	PAIR1(SADALP, 6*tap, 7*tap, COL, COL); \
	LAST1(8*tap)

// LOAD4 loads what STORE4 needs: biases and multipliers by o, and two constants.
#define LOAD4 \
	FLDPQ 0(LOCAL), (FB0, FB1);    \
	FLDPQ 32(LOCAL), (FB2, FB3);   \
	FLDPQ 64(LOCAL), (FM0, FM1);   \
	FLDPQ 96(LOCAL), (FM2, FM3);   \
	FLDPQ (CONST), (FSIGN, FORDER)

// STORE4 turns a pixel's accumulators (s low, h high halves, by o) into 16 bytes of output and goes on to
// the next pixel. [ g0 g0 g1 g1 ] and [ g2 g2 g3 g3 ] make [ g0 g1 g2 g3 ] of an o.
#define STORE4(s0, h0, s1, h1, s2, h2, s3, h3) \
	ADDP4S(s0, s0, h0);            \
	ADDP4S(s1, s1, h1);            \
	ADDP4S(s2, s2, h2);            \
	ADDP4S(s3, s3, h3);            \
	ADD4S(s0, s0, B0);             \
	ADD4S(s1, s1, B1);             \
	ADD4S(s2, s2, B2);             \
	ADD4S(s3, s3, B3);             \
	SCVTF(s0, s0);                 \
	SCVTF(s1, s1);                 \
	SCVTF(s2, s2);                 \
	SCVTF(s3, s3);                 \
	FMUL(s0, s0, M0);              \
	FMUL(s1, s1, M1);              \
	FMUL(s2, s2, M2);              \
	FMUL(s3, s3, M3);              \
	FCVTNS(s0, s0);                \
	FCVTNS(s1, s1);                \
	FCVTNS(s2, s2);                \
	FCVTNS(s3, s3);                \
	SQXTNS(Q, s0);                 \
	SQXTNS(QHI, s2);               \
	SQXTNS2(Q, s1);                \
	SQXTNS2(QHI, s3);              \
	SQXTUNH(Q, Q);                 \
	SQXTUNH2(Q, QHI);              \
	EOR16B(Q, Q, SIGN);            \
	TBL16B(Q, Q, ORDER);           \
	VST1.P [VQ.B16], (DST)(OUTCOL)

// LOAD8 and STORE8 are the same for 4 of 8 output channels of each of two groups: [ o0 o1 o2 o3 ] of
// group 0 goes to the pixel's bytes 0 to 3, that of group 1 to bytes 8 to 11.
#define LOAD8 \
	FMOVQ (BIAS), FB0;   \
	FMOVQ 32(BIAS), FB1; \
	FMOVQ (MULT), FM0;   \
	FMOVQ 32(MULT), FM1; \
	FMOVQ (CONST), FSIGN

#define STORE8(s0, h0, s1, h1, s2, h2, s3, h3) \
	ADDP4S(s0, s0, s1);  \
	ADDP4S(h0, h0, h1);  \
	ADDP4S(s2, s2, s3);  \
	ADDP4S(h2, h2, h3);  \
	ADDP4S(s0, s0, s2);  \
	ADDP4S(h0, h0, h2);  \
	ADD4S(s0, s0, B0);   \
	ADD4S(h0, h0, B1);   \
	SCVTF(s0, s0);       \
	SCVTF(h0, h0);       \
	FMUL(s0, s0, M0);    \
	FMUL(h0, h0, M1);    \
	FCVTNS(s0, s0);      \
	FCVTNS(h0, h0);      \
	SQXTNS(Q, s0);       \
	SQXTNS2(Q, h0);      \
	SQXTUNH(Q, Q);       \
	EOR16B(Q, Q, SIGN);  \
	ADD  $8, DST, TMP;   \
	VST1 VQ.S[0], (DST); \
	VST1 VQ.S[1], (TMP); \
	ADD  OUTCOL, DST

// SETUP reads the arguments.
#define SETUP \
	MOVD GroupArgs_TapCol(ARGS), COL;    \
	MOVD GroupArgs_TapRow(ARGS), ROW;    \
	MOVD GroupArgs_InCol(ARGS), INCOL;   \
	MOVD GroupArgs_OutCol(ARGS), OUTCOL; \
	MOVD GroupArgs_In(ARGS), INROW;      \
	MOVD GroupArgs_Out(ARGS), OUTROW;    \
	MOVD GroupArgs_Rows(ARGS), ROWS;     \
	ADD  ROW, COL, TMP;                  \
	SUB  TMP<<1, INCOL, NEXT1;           \
	ADD  INCOL, NEXT1, NEXT2;            \
	SUB  COL<<1, ROW, ROW;               \
	MOVD $groupConst<>(SB), CONST

// BEGIN_ROW goes to the first panel of a row, END_ROW to the next row.
#define BEGIN_ROW \
	MOVD GroupArgs_Panels(ARGS), PANELS; \
	MOVD GroupArgs_W(ARGS), W;           \
	MOVD GroupArgs_Bias(ARGS), BIAS;     \
	MOVD GroupArgs_Mult(ARGS), MULT;     \
	MOVD INROW, IN;                      \
	MOVD OUTROW, OUT

#define END_ROW \
	MOVD GroupArgs_InRow(ARGS), TMP;  \
	ADD  TMP, INROW;                  \
	MOVD GroupArgs_OutRow(ARGS), TMP; \
	ADD  TMP, OUTROW;                 \
	SUBS $1, ROWS

// BEGIN_PANEL goes to the first two pixels of a row in a panel.
#define BEGIN_PANEL \
	MOVD IN, P0;                     \
	ADD  INCOL, IN, P1;              \
	MOVD OUT, DST;                   \
	MOVD GroupArgs_Cols(ARGS), COLS; \
	SUBS $2, COLS

// func group4NEON(args *GroupArgs)
//
//	for each row
//		for each panel of 16 channels
//			for each 2 pixels, then the one that is left
//				for each pair of taps, then the one that is left
//					for each output channel o of a group
//						accumulators += pixels * weights of o
//				sum, add the bias, requantise, bring into channel order, store
TEXT ·group4NEON(SB), NOSPLIT, $128-8
	MOVD args+0(FP), ARGS
	MOVD $local-128(SP), LOCAL
	SETUP

row4:
	BEGIN_ROW

panel4:  // bias and multipliers from [g][o] to [o][g]
	VLD4  (BIAS), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD4  (MULT), [V4.S4, V5.S4, V6.S4, V7.S4]
	FSTPQ (FB0, FB1), 0(LOCAL)
	FSTPQ (FB2, FB3), 32(LOCAL)
	FSTPQ (FM0, FM1), 64(LOCAL)
	FSTPQ (FM2, FM3), 96(LOCAL)
	BEGIN_PANEL
	BLT   odd4

tile4:
	TILE2(64)
	LOAD4
	STORE4(A00L, A00H, A01L, A01H, A02L, A02H, A03L, A03H)
	STORE4(A10L, A10H, A11L, A11H, A12L, A12H, A13L, A13H)
	SUBS $2, COLS
	BGE  tile4

odd4:  // COLS is what is left, less 2
	TBZ $0, COLS, panelEnd4
	TILE1(64)
	LOAD4
	STORE4(A00L, A00H, A01L, A01H, A02L, A02H, A03L, A03H)

panelEnd4:
	ADD  $(9*64), W
	ADD  $64, BIAS
	ADD  $64, MULT
	ADD  $16, IN
	ADD  $16, OUT
	SUBS $1, PANELS
	BNE  panel4
	END_ROW
	BNE  row4
	RET

// func group8NEON(args *GroupArgs)
//
// The same with two groups a panel, in two passes: o 0 to 3 of both groups, then o 4 to 7.
TEXT ·group8NEON(SB), NOSPLIT, $0-8
	MOVD args+0(FP), ARGS
	SETUP

row8:
	BEGIN_ROW
	MOVD $0, HALF

panel8:
	BEGIN_PANEL
	BLT odd8

tile8:
	TILE2(128)
	LOAD8
	STORE8(A00L, A00H, A01L, A01H, A02L, A02H, A03L, A03H)
	STORE8(A10L, A10H, A11L, A11H, A12L, A12H, A13L, A13H)
	SUBS $2, COLS
	BGE  tile8

odd8:  // COLS is what is left, less 2
	TBZ $0, COLS, panelEnd8
	TILE1(128)
	LOAD8
	STORE8(A00L, A00H, A01L, A01H, A02L, A02H, A03L, A03H)

panelEnd8:
	EOR $1, HALF
	CBZ HALF, nextPanel8
	ADD $64, W
	ADD $16, BIAS
	ADD $16, MULT
	ADD $4, OUT
	B   panel8

nextPanel8:
	ADD  $(9*128-64), W
	ADD  $(64-16), BIAS
	ADD  $(64-16), MULT
	ADD  $16, IN
	ADD  $(16-4), OUT
	SUBS $1, PANELS
	BNE  panel8
	END_ROW
	BNE  row8
	RET
