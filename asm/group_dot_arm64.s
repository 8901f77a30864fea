#include "textflag.h"
#include "go_asm.h"
#include "arm64.h"
#include "requant_dot_arm64.h"

// Direct grouped 3x3 convolution with 4 and 8 channels a group by dot products: Cortex-A75 and A76,
// Neoverse N1 and newer.
//
// X is 16 channels of one input pixel, W the weights that output channel o of each group has for the same
// 16 channels at the same tap. A dot product of the two is four quads of products, each of its own group or
// half group: nothing is broadcast or wasted.
//
//	4 channels a group, 4 pixels              8 channels a group, 2 pixels
//
//	    W0    W1    W2    W3    (o)               W0    W1    W2    W3    W4    W5    W6    W7    (o)
//	  +-------------------------+               +-------------------------------------------------+
//	X0| A00   A01   A02   A03   |             X0| A00   A01   A02   A03   A10   A11   A12   A13   |
//	X1| A10   A11   A12   A13   |             X1| A20   A21   A22   A23   A30   A31   A32   A33   |
//	X2| A20   A21   A22   A23   |               +-------------------------------------------------+
//	X3| A30   A31   A32   A33   |
//	  +-------------------------+
//
//	an accumulator: [ g0 g1 g2 g3 ]           an accumulator: [ g0 g0 g1 g1 ]
//
// Rows come out as [o][g] and are brought into channel order when they are bytes.

// Vector registers are numbers, as the header's macros take them; those that are loaded or stored have a
// second name. Odd taps have the second set of X and W, so that a tap is loaded while the one before is
// multiplied. With 8 channels a group, X2 and X3 are the pixels of odd taps.
#define X0 0
#define X1 1
#define X2 2
#define X3 3
#define W0 4
#define W1 5
#define W2 6
#define W3 7
#define Y0 8
#define Y1 9
#define Y2 10
#define Y3 11
#define W4 12
#define W5 13
#define W6 14
#define W7 15
#define A00 16
#define A01 17
#define A02 18
#define A03 19
#define A10 20
#define A11 21
#define A12 22
#define A13 23
#define A20 24
#define A21 25
#define A22 26
#define A23 27
#define A30 28
#define A31 29
#define A32 30
#define A33 31
#define FX0 F0
#define FX1 F1
#define FX2 F2
#define FX3 F3
#define FY0 F8
#define FY1 F9
#define FY2 F10
#define FY3 F11
#define FW0 F4
#define FW1 F5
#define FW2 F6
#define FW3 F7
#define FW4 F12
#define FW5 F13
#define FW6 F14
#define FW7 F15
#define FA00 F16
#define FA01 F17
#define FA02 F18
#define FA03 F19
#define FA10 F20
#define FA11 F21
#define FA12 F22
#define FA13 F23
#define FA20 F24
#define FA21 F25
#define FA22 F26
#define FA23 F27
#define FA30 F28
#define FA31 F29
#define FA32 F30
#define FA33 F31
#define VA00 V16
#define VA10 V20
#define VA20 V24
#define VA30 V28

// Used after the sums.
#define ORDER 8
#define FORDER F8

// The whole call. COL leads from one tap to the next in its row, ROW from the last tap of a row to the
// first of the next row, NEXT from the last tap to the first of the next pixel, NEXTTILE to that of the
// next tile.
#define ARGS R0
#define COL R1
#define ROW R2
#define NEXT R3
#define NEXTTILE R4
#define INCOL R5
#define OUTCOL R6
#define CONST R7 // requantConst
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
#define LOCAL R23 // biases, then multipliers, in the order of the sums

// One tile.
#define P0 R19
#define P1 R20
#define P2 R21
#define P3 R22
#define DST R24
#define TMP R25

// SETUP reads the arguments.
#define SETUP(logTile) \
	MOVD args+0(FP), ARGS;               \
	MOVD GroupArgs_TapCol(ARGS), COL;    \
	MOVD GroupArgs_TapRow(ARGS), ROW;    \
	MOVD GroupArgs_InCol(ARGS), INCOL;   \
	MOVD GroupArgs_OutCol(ARGS), OUTCOL; \
	MOVD GroupArgs_In(ARGS), INROW;      \
	MOVD GroupArgs_Out(ARGS), OUTROW;    \
	MOVD GroupArgs_Rows(ARGS), ROWS;     \
	ADD  ROW, COL, TMP;                  \
	SUB  TMP<<1, INCOL, NEXT;            \
	SUB  INCOL, NEXT, NEXTTILE;          \
	ADD  INCOL<<logTile, NEXTTILE;       \
	SUB  COL<<1, ROW, ROW;               \
	MOVD $requantConst<>(SB), CONST

// BEGIN_ROW goes to the first panel of a row, BEGIN_PANEL to the first pixel of a row in a panel, NEXT_PANEL
// to the next panel, NEXT_ROW to the next row. The latter two set the flags.
#define BEGIN_ROW \
	MOVD GroupArgs_Panels(ARGS), PANELS; \
	MOVD GroupArgs_W(ARGS), W;           \
	MOVD GroupArgs_Bias(ARGS), BIAS;     \
	MOVD GroupArgs_Mult(ARGS), MULT;     \
	MOVD INROW, IN;                      \
	MOVD OUTROW, OUT

#define BEGIN_PANEL \
	MOVD IN, P0;                    \
	ADD  INCOL, P0, P1;             \
	ADD  INCOL, P1, P2;             \
	ADD  INCOL, P2, P3;             \
	MOVD OUT, DST;                  \
	MOVD GroupArgs_Cols(ARGS), COLS

#define NEXT_PANEL(size) \
	ADD  $size, W;  \
	ADD  $64, BIAS; \
	ADD  $64, MULT; \
	ADD  $16, IN;   \
	ADD  $16, OUT;  \
	SUBS $1, PANELS

#define NEXT_ROW \
	MOVD GroupArgs_InRow(ARGS), TMP;  \
	ADD  TMP, INROW;                  \
	MOVD GroupArgs_OutRow(ARGS), TMP; \
	ADD  TMP, OUTROW;                 \
	SUBS $1, ROWS

// LOAD loads 64 bytes: weights of four o, biases, or multipliers.
#define LOAD(from, at, f0, f1, f2, f3) \
	FMOVQ at(from), f0;      \
	FMOVQ (at+16)(from), f1; \
	FMOVQ (at+32)(from), f2; \
	FMOVQ (at+48)(from), f3

// CONSTANTS loads what ROWOUT needs, multipliers from LOCAL+at.
#define CONSTANTS(at, order) \
	LOAD(LOCAL, at, FM0, FM1, FM2, FM3); \
	FMOVQ MAGIC_AT(CONST), FMAGIC;       \
	FMOVQ ZEROBITS_AT(CONST), FZEROBITS; \
	FMOVQ order(CONST), FORDER

// ROWOUT makes 16 bytes of output of a row and goes on to the next pixel; v is a0.
#define ROWOUT(a0, a1, a2, a3, v) \
	SCALE4(a0, a1, a2, a3);       \
	NARROW4(a0, a1, a2, a3);      \
	TBL16B(a0, a0, ORDER);        \
	VST1.P [v.B16], (DST)(OUTCOL)

// DOTS multiplies a pixel by the weights of four o.
#define DOTS(x, w0, w1, w2, w3, a0, a1, a2, a3) \
	SDOT(a0, w0, x); \
	SDOT(a1, w1, x); \
	SDOT(a2, w2, x); \
	SDOT(a3, w3, x)

// PIXEL loads 16 channels of a pixel and goes on to its next tap.
#define PIXEL(p, step, x) \
	FMOVQ (p), x; \
	ADD   step, p

// 4 channels a group. EVEN4 multiplies an even tap and loads the odd tap behind it; ODD4 the reverse.
#define EVEN4(odd, step) \
	PIXEL(P0, step, FY0);                         \
	FMOVQ (64*odd+0)(W), FW4;                     \
	DOTS(X0, W0, W1, W2, W3, A00, A01, A02, A03); \
	PIXEL(P1, step, FY1);                         \
	FMOVQ (64*odd+16)(W), FW5;                    \
	DOTS(X1, W0, W1, W2, W3, A10, A11, A12, A13); \
	PIXEL(P2, step, FY2);                         \
	FMOVQ (64*odd+32)(W), FW6;                    \
	DOTS(X2, W0, W1, W2, W3, A20, A21, A22, A23); \
	PIXEL(P3, step, FY3);                         \
	FMOVQ (64*odd+48)(W), FW7;                    \
	DOTS(X3, W0, W1, W2, W3, A30, A31, A32, A33)

#define ODD4(even, step) \
	PIXEL(P0, step, FX0);                         \
	FMOVQ (64*even+0)(W), FW0;                    \
	DOTS(Y0, W4, W5, W6, W7, A00, A01, A02, A03); \
	PIXEL(P1, step, FX1);                         \
	FMOVQ (64*even+16)(W), FW1;                   \
	DOTS(Y1, W4, W5, W6, W7, A10, A11, A12, A13); \
	PIXEL(P2, step, FX2);                         \
	FMOVQ (64*even+32)(W), FW2;                   \
	DOTS(Y2, W4, W5, W6, W7, A20, A21, A22, A23); \
	PIXEL(P3, step, FX3);                         \
	FMOVQ (64*even+48)(W), FW3;                   \
	DOTS(Y3, W4, W5, W6, W7, A30, A31, A32, A33)

#define ONE4(tap, step) \
	PIXEL(P0, step, FX0);                        \
	LOAD(W, 64*tap, FW0, FW1, FW2, FW3);         \
	DOTS(X0, W0, W1, W2, W3, A00, A01, A02, A03)

// func group4Dot(args *GroupArgs)
//
//	for each row
//		for each panel of 16 channels
//			for each 4 pixels, then each that is left
//				sums = bias
//				for each tap
//					for each output channel o of a group
//						sums += pixels * weights of o
//				requantise, bring into channel order, store
TEXT ·group4Dot(SB), NOSPLIT, $128-8
	MOVD $local-128(SP), LOCAL
	SETUP(2)

row:
	BEGIN_ROW

panel:  // biases and multipliers from [g][o] to [o][g]
	VLD4  (BIAS), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD4  (MULT), [V20.S4, V21.S4, V22.S4, V23.S4]
	FSTPQ (FA00, FA01), 0(LOCAL)
	FSTPQ (FA02, FA03), 32(LOCAL)
	FSTPQ (FA10, FA11), 64(LOCAL)
	FSTPQ (FA12, FA13), 96(LOCAL)
	BEGIN_PANEL
	SUBS  $4, COLS
	BLT   rest

tile:
	PIXEL(P0, COL, FX0)
	PIXEL(P1, COL, FX1)
	PIXEL(P2, COL, FX2)
	PIXEL(P3, COL, FX3)
	LOAD(W, 0, FW0, FW1, FW2, FW3)
	LOAD(LOCAL, 0, FA00, FA01, FA02, FA03)
	LOAD(LOCAL, 0, FA10, FA11, FA12, FA13)
	LOAD(LOCAL, 0, FA20, FA21, FA22, FA23)
	LOAD(LOCAL, 0, FA30, FA31, FA32, FA33)
	EVEN4(1, COL)
	ODD4(2, ROW)
	EVEN4(3, COL)
	ODD4(4, COL)
	EVEN4(5, ROW)
	ODD4(6, COL)
	EVEN4(7, COL)
	ODD4(8, NEXTTILE)
	DOTS(X0, W0, W1, W2, W3, A00, A01, A02, A03)
	DOTS(X1, W0, W1, W2, W3, A10, A11, A12, A13)
	DOTS(X2, W0, W1, W2, W3, A20, A21, A22, A23)
	DOTS(X3, W0, W1, W2, W3, A30, A31, A32, A33)
	CONSTANTS(64, ORDER4_AT)
	ROWOUT(A00, A01, A02, A03, VA00)
	ROWOUT(A10, A11, A12, A13, VA10)
	ROWOUT(A20, A21, A22, A23, VA20)
	ROWOUT(A30, A31, A32, A33, VA30)
	SUBS $4, COLS
	BGE  tile

rest:  // COLS is what is left, less 4
	ADDS $4, COLS
	BEQ  panelEnd

one:
	LOAD(LOCAL, 0, FA00, FA01, FA02, FA03)
	ONE4(0, COL)
	ONE4(1, COL)
	ONE4(2, ROW)
	ONE4(3, COL)
	ONE4(4, COL)
	ONE4(5, ROW)
	ONE4(6, COL)
	ONE4(7, COL)
	ONE4(8, NEXT)
	CONSTANTS(64, ORDER4_AT)
	ROWOUT(A00, A01, A02, A03, VA00)
	SUBS $1, COLS
	BNE  one

panelEnd:
	NEXT_PANEL(9*64)
	BNE panel
	NEXT_ROW
	BNE row
	RET

// 8 channels a group. TAP8 multiplies a tap, of which pixels and weights of o 0 to 3 are loaded, and loads
// those of the tap behind it into n0, n1 and W0 to W3.
#define TAP8(tap, x0, x1, step, n0, n1) \
	LOAD(W, (128*tap+64), FW4, FW5, FW6, FW7);    \
	DOTS(x0, W0, W1, W2, W3, A00, A01, A02, A03); \
	PIXEL(P0, step, n0);                          \
	DOTS(x1, W0, W1, W2, W3, A20, A21, A22, A23); \
	PIXEL(P1, step, n1);                          \
	FMOVQ (128*tap+128)(W), FW0;                  \
	DOTS(x0, W4, W5, W6, W7, A10, A11, A12, A13); \
	FMOVQ (128*tap+144)(W), FW1;                  \
	FMOVQ (128*tap+160)(W), FW2;                  \
	FMOVQ (128*tap+176)(W), FW3;                  \
	DOTS(x1, W4, W5, W6, W7, A30, A31, A32, A33)

#define ONE8(tap, step) \
	PIXEL(P0, step, FX0);                         \
	LOAD(W, (128*tap), FW0, FW1, FW2, FW3);       \
	LOAD(W, (128*tap+64), FW4, FW5, FW6, FW7);    \
	DOTS(X0, W0, W1, W2, W3, A00, A01, A02, A03); \
	DOTS(X0, W4, W5, W6, W7, A10, A11, A12, A13)

// ROWOUT8 is ROWOUT for sums of half groups: [ g0 g0 g1 g1 ] of two o make [ g0 g1 g0 g1 ].
#define ROWOUT8(a0, a1, a2, a3, a4, a5, a6, a7, v) \
	ADDP4S(a0, a0, a1);       \
	ADDP4S(a1, a2, a3);       \
	ADDP4S(a2, a4, a5);       \
	ADDP4S(a3, a6, a7);       \
	ROWOUT(a0, a1, a2, a3, v)

// BY_O8 brings 64 bytes from [2 g][8 o] to [8 o][2 g], in A10..A13.
#define BY_O8(from) \
	LOAD(from, 0, FA00, FA01, FA02, FA03); \
	ZIP1S(A10, A00, A02);                  \
	ZIP2S(A11, A00, A02);                  \
	ZIP1S(A12, A01, A03);                  \
	ZIP2S(A13, A01, A03)

// SPREAD8 stores two o of biases as sums: each bias and a zero.
#define SPREAD8(a, at) \
	ZIP1S(A00, a, A20);           \
	ZIP2S(A01, a, A20);           \
	FSTPQ (FA00, FA01), at(LOCAL)

// func group8Dot(args *GroupArgs)
//
// The same with two groups a panel and 2 pixels a tile.
TEXT ·group8Dot(SB), NOSPLIT, $192-8
	MOVD $local-192(SP), LOCAL
	SETUP(1)

row:
	BEGIN_ROW

panel:
	BY_O8(MULT)
	FSTPQ (FA10, FA11), 128(LOCAL)
	FSTPQ (FA12, FA13), 160(LOCAL)
	BY_O8(BIAS)
	ZERO(A20)
	SPREAD8(A10, 0)
	SPREAD8(A11, 32)
	SPREAD8(A12, 64)
	SPREAD8(A13, 96)
	BEGIN_PANEL
	SUBS  $2, COLS
	BLT   rest

tile:
	PIXEL(P0, COL, FX0)
	PIXEL(P1, COL, FX1)
	LOAD(W, 0, FW0, FW1, FW2, FW3)
	LOAD(LOCAL, 0, FA00, FA01, FA02, FA03)
	LOAD(LOCAL, 0, FA20, FA21, FA22, FA23)
	LOAD(LOCAL, 64, FA10, FA11, FA12, FA13)
	LOAD(LOCAL, 64, FA30, FA31, FA32, FA33)
	TAP8(0, X0, X1, COL, FX2, FX3)
	TAP8(1, X2, X3, ROW, FX0, FX1)
	TAP8(2, X0, X1, COL, FX2, FX3)
	TAP8(3, X2, X3, COL, FX0, FX1)
	TAP8(4, X0, X1, ROW, FX2, FX3)
	TAP8(5, X2, X3, COL, FX0, FX1)
	TAP8(6, X0, X1, COL, FX2, FX3)
	TAP8(7, X2, X3, NEXTTILE, FX0, FX1)
	LOAD(W, (128*8+64), FW4, FW5, FW6, FW7)
	DOTS(X0, W0, W1, W2, W3, A00, A01, A02, A03)
	DOTS(X1, W0, W1, W2, W3, A20, A21, A22, A23)
	DOTS(X0, W4, W5, W6, W7, A10, A11, A12, A13)
	DOTS(X1, W4, W5, W6, W7, A30, A31, A32, A33)
	CONSTANTS(128, ORDER8_AT)
	ROWOUT8(A00, A01, A02, A03, A10, A11, A12, A13, VA00)
	ROWOUT8(A20, A21, A22, A23, A30, A31, A32, A33, VA20)
	SUBS $2, COLS
	BGE  tile

rest:  // COLS is what is left, less 2
	TBZ $0, COLS, panelEnd
	LOAD(LOCAL, 0, FA00, FA01, FA02, FA03)
	LOAD(LOCAL, 64, FA10, FA11, FA12, FA13)
	ONE8(0, COL)
	ONE8(1, COL)
	ONE8(2, ROW)
	ONE8(3, COL)
	ONE8(4, COL)
	ONE8(5, ROW)
	ONE8(6, COL)
	ONE8(7, COL)
	ONE8(8, NEXT)
	CONSTANTS(128, ORDER8_AT)
	ROWOUT8(A00, A01, A02, A03, A10, A11, A12, A13, VA00)

panelEnd:
	NEXT_PANEL(9*128)
	BNE panel
	NEXT_ROW
	BNE row
	RET
