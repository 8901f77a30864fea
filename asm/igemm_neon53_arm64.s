#include "textflag.h"
#include "go_asm.h"
#include "arm64.h"

// Indirect GEMM for in-order cores without the dot product: Cortex-A53 (Raspberry Pi 3, Zero 2 W) and A35.
//
// A tile is 3 pixels by 4 output channels. Both operands hold 16 consecutive k in a register and nothing is
// broadcast, as in the kernel of the larger cores. There the sum of a chain costs nothing beside the products;
// here every vector instruction takes the one issue slot, so a chain is as long as the weights were proved to
// allow, and all twelve outputs have their own: no product waits for the one before it.
//
//	            W0   W1   W2   W3      16 k of channels 0..3
//	         +--------------------+
//	      X0 | T00  T01  T02  T03 |
//	16 k  X1 | T10  T11  T12  T13 |    int16x8 each, a chain's products,
//	      X2 | T20  T21  T22  T23 |    and as many int32x4, A00..A23, for the sums
//	         +--------------------+
//
// Folding a chain into the sums is put off until the next one begins, where each fold stands before the
// product that overwrites its chain: T is ready by then. Where K is a multiple of 16 a chain goes on at the next tap: a
// tap of a grouped convolution is too short to fill one.
//
// These cores load 64 bits a cycle and pair no load of a vector register with a 128-bit operation, so loads
// cost the same wherever they stand; they stand together, where none waits for the other.
//
// At the end of a panel one or two pixels may be left. The tile's other rows then repeat the last: they
// compute and store the same bytes once more. A row reads its residual before any row is stored.

// Vector registers are numbers, as the header's macros take them; those that are loaded or stored have a
// second name.
#define X0 0
#define X1 1
#define X2 2
#define W0 3
#define W1 4
#define W2 5
#define W3 6
#define T00 8
#define T10 9
#define T20 10
#define T01 11
#define T11 12
#define T21 13
#define T02 14
#define T12 15
#define T22 16
#define T03 17
#define T13 18
#define T23 19
#define A00 20
#define A10 21
#define A20 22
#define A01 23
#define A11 24
#define A21 25
#define A02 26
#define A12 27
#define A22 28
#define A03 29
#define A13 30
#define A23 31

// The whole call.
#define ARGS R0
#define OUT R2 // advanced panel by panel, as are BIAS, MULT, PANEL and RES
#define BIAS R3
#define MULT R4
#define PANEL R5
#define CHAIN R6 // blocks of 16 k in a chain, less 1
#define IN R8
#define RES R26

// One panel. NEXT and LAST are the distances in the tables of offsets from the tile's first pixel to its
// second and third.
#define M R9
#define INOFF R10
#define OUTOFF R11
#define RESOFF R12
#define NEXT R16
#define LAST R24

// One tile: pixels, weights, taps.
#define B0 R13
#define B1 R14
#define B2 R15
#define W R17
#define TAP R19
#define TAPS R20
#define FOLDED R7 // 0 while A00..A23 hold nothing

// One tap. AT is the offset of the next 16 k from B0..B2; REST goes from K-16 to -16, or to -8 where 8 k are left then.
// LEFT is how many blocks may be added to the chain.
#define AT R21
#define K R22
#define REST R25
#define LEFT R1

// In the epilogue: the outputs.
#define P0 R21
#define P1 R22
#define P2 R23
#define EPILOGUE R1

// Second names.
#define XB0 13
#define XB1 14
#define XB2 15
#define XAT 21
#define FX0 F0
#define FX1 F1
#define FX2 F2
#define FW0 F3
#define FW1 F4
#define FW2 F5
#define FW3 F6

// The epilogue's, where X, W and T are free.
#define BIASES 0
#define FBIASES F0
#define MULTS 1
#define FMULTS F1
#define SIGN 2
#define VSIGN V2
#define FLOOR 3
#define VFLOOR V3
#define RESMULT 4
#define FRESMULT F4
#define R0S 5
#define FR0S F5
#define R1S 6
#define FR1S F6
#define R2S 7
#define FR2S F7
#define FA00 F20
#define FA10 F21
#define FA20 F22

// NEXT_TAP goes to the next tap. The flags tell of REST, here and after LOAD16: below 0 there are no 16 k left.
#define NEXT_TAP \
	MOVW.P 4(TAP), AT;  \
	SUBS   $16, K, REST

// LOAD16 loads 16 k of the channels and the pixels, LOAD8 the 8 k at the end of a tap. The weights do not wait for AT.
#define LOAD16 \
	FMOVQ (W), FW0;     \
	FMOVQ 16(W), FW1;   \
	FMOVQ 32(W), FW2;   \
	FMOVQ 48(W), FW3;   \
	SUBS  $16, REST;    \
	LDRQ(X0, XB0, XAT); \
	LDRQ(X1, XB1, XAT); \
	LDRQ(X2, XB2, XAT); \
	ADD   $16, AT;      \
	ADD   $64, W

#define LOAD8 \
	FMOVD (W), FW0;      \
	FMOVD 8(W), FW1;     \
	FMOVD 16(W), FW2;    \
	FMOVD 24(W), FW3;    \
	FMOVD (B0)(AT), FX0; \
	FMOVD (B1)(AT), FX1; \
	FMOVD (B2)(AT), FX2; \
	ADD   $32, W

// BEGIN begins chains with the products of the low halves. Before, it folds with f what the chains hold:
// SADDLP, which stores, SADALP, which adds, or NONE.
#define NONE(a, t)

#define BEGIN(f) \
	f(A00, T00);         \
	SMULLB(T00, X0, W0); \
	f(A10, T10);         \
	SMULLB(T10, X1, W0); \
	f(A20, T20);         \
	SMULLB(T20, X2, W0); \
	f(A01, T01);         \
	SMULLB(T01, X0, W1); \
	f(A11, T11);         \
	SMULLB(T11, X1, W1); \
	f(A21, T21);         \
	SMULLB(T21, X2, W1); \
	f(A02, T02);         \
	SMULLB(T02, X0, W2); \
	f(A12, T12);         \
	SMULLB(T12, X1, W2); \
	f(A22, T22);         \
	SMULLB(T22, X2, W2); \
	f(A03, T03);         \
	SMULLB(T03, X0, W3); \
	f(A13, T13);         \
	SMULLB(T13, X1, W3); \
	f(A23, T23);         \
	SMULLB(T23, X2, W3)

// CONTINUE adds products to the chains: SMLALB those of the low halves, SMLALB2 those of the high halves.
#define CONTINUE(smlal) \
	smlal(T00, X0, W0); \
	smlal(T10, X1, W0); \
	smlal(T20, X2, W0); \
	smlal(T01, X0, W1); \
	smlal(T11, X1, W1); \
	smlal(T21, X2, W1); \
	smlal(T02, X0, W2); \
	smlal(T12, X1, W2); \
	smlal(T22, X2, W2); \
	smlal(T03, X0, W3); \
	smlal(T13, X1, W3); \
	smlal(T23, X2, W3)

// FOLD folds what the chains hold.
#define FOLD(f) \
	f(A00, T00); \
	f(A10, T10); \
	f(A20, T20); \
	f(A01, T01); \
	f(A11, T11); \
	f(A21, T21); \
	f(A02, T02); \
	f(A12, T12); \
	f(A22, T22); \
	f(A03, T03); \
	f(A13, T13); \
	f(A23, T23)

// SUM is the epilogue's beginning: each pixel's four sums into one register, plus the bias, times the
// multiplier. In between it executes the five steps of a residual, three instructions each.
#define SKIP(d, n)

#define SUM(r1, r2, r3, r4, r5) \
	ADDP4S(A00, A00, A01);   \
	ADDP4S(A10, A10, A11);   \
	ADDP4S(A20, A20, A21);   \
	ADDP4S(A02, A02, A03);   \
	ADDP4S(A12, A12, A13);   \
	ADDP4S(A22, A22, A23);   \
	r1(R0S, R0S);            \
	r1(R1S, R1S);            \
	r1(R2S, R2S);            \
	ADDP4S(A00, A00, A02);   \
	ADDP4S(A10, A10, A12);   \
	ADDP4S(A20, A20, A22);   \
	r2(R0S, R0S);            \
	r2(R1S, R1S);            \
	r2(R2S, R2S);            \
	ADD4S(A00, A00, BIASES); \
	ADD4S(A10, A10, BIASES); \
	ADD4S(A20, A20, BIASES); \
	r3(R0S, R0S);            \
	r3(R1S, R1S);            \
	r3(R2S, R2S);            \
	SCVTF(A00, A00);         \
	SCVTF(A10, A10);         \
	SCVTF(A20, A20);         \
	r4(R0S, R0S);            \
	r4(R1S, R1S);            \
	r4(R2S, R2S);            \
	FMUL(A00, A00, MULTS);   \
	FMUL(A10, A10, MULTS);   \
	FMUL(A20, A20, MULTS);   \
	r5(R0S, R0S);            \
	r5(R1S, R1S);            \
	r5(R2S, R2S)

#define FLIP(d, n) EOR16B(d, n, SIGN)
#define TIMES_RESMULT(d, n) FMULE(d, n, RESMULT, 0)

// func igemmNEON53(args *IGEMMArgs)
//
//	for each panel
//		for each 3 pixels
//			for each chain of 16*(CHAIN+1) k, or what is left of all taps or, where K is no multiple of 16, of the tap
//				sums += pixels * channels
//			sum each accumulator's lanes, add the bias, requantise, store
TEXT ·igemmNEON53(SB), NOSPLIT, $16-8
	MOVD args+0(FP), ARGS
	MOVD IGEMMArgs_Out(ARGS), OUT
	MOVD IGEMMArgs_Res(ARGS), RES
	MOVD IGEMMArgs_Bias(ARGS), BIAS
	MOVD IGEMMArgs_Mult(ARGS), MULT
	MOVD IGEMMArgs_W(ARGS), PANEL
	MOVD IGEMMArgs_In(ARGS), IN
	MOVD IGEMMArgs_Depth(ARGS), CHAIN
	SUBS $1, CHAIN
	CSEL GE, CHAIN, ZR, CHAIN
	MOVD IGEMMArgs_Panels(ARGS), M

panel:
	MOVD M, panels-8(SP)
	MOVD IGEMMArgs_InOff(ARGS), INOFF
	MOVD IGEMMArgs_OutOff(ARGS), OUTOFF
	MOVD IGEMMArgs_ResOff(ARGS), RESOFF
	MOVD IGEMMArgs_M(ARGS), M
	MOVD $4, NEXT
	MOVD $8, LAST

tile:
	SUBS $3, M
	BLT  short

pixels:
	MOVW (INOFF), B0
	MOVW (INOFF)(NEXT), B1
	MOVW (INOFF)(LAST), B2
	MOVD IGEMMArgs_TapOff(ARGS), TAP
	MOVD IGEMMArgs_Taps(ARGS), TAPS
	ADD  $12, INOFF
	ADD  IN, B0
	ADD  IN, B1
	ADD  IN, B2
	MOVD IGEMMArgs_K(ARGS), K
	MOVD PANEL, W
	MOVD $0, FOLDED
	NEXT_TAP

	// The tile's first chains have nothing to fold.
	BLT  first8
	LOAD16
	MOVD CHAIN, LEFT
	BEGIN(NONE)
	CONTINUE(SMLALB2)
	B    more

first8:
	LOAD8
	MOVD $0, LEFT
	BEGIN(NONE)
	B    tapEnd

second:  // The second ones store the sums, so that nothing need be zeroed.
	BLT  second8
	LOAD16
	MOVD CHAIN, LEFT
	MOVD $1, FOLDED
	BEGIN(SADDLP)
	CONTINUE(SMLALB2)
	B    more

second8:
	LOAD8
	MOVD $1, FOLDED
	BEGIN(SADDLP)
	B    tapEnd

tap:
	NEXT_TAP
	CBNZ LEFT, continue

chain:
	CBZ  FOLDED, second
	BLT  chain8
	LOAD16
	MOVD CHAIN, LEFT
	BEGIN(SADALP)
	CONTINUE(SMLALB2)

more:
	BLT last
	CBZ LEFT, chain

continue:
	LOAD16
	SUB $1, LEFT
	CONTINUE(SMLALB)
	CONTINUE(SMLALB2)
	B   more

last:  // 8 k may be left
	TBZ  $3, REST, tapEnd
	CBZ  LEFT, chain
	LOAD8
	CONTINUE(SMLALB)
	MOVD $0, LEFT
	B    tapEnd

chain8:
	LOAD8
	BEGIN(SADALP)

tapEnd:
	SUBS  $1, TAPS
	BNE   tap
	MOVWU IGEMMArgs_Epilogue(ARGS), EPILOGUE
	MOVW  (OUTOFF), P0
	MOVW  (OUTOFF)(NEXT), P1
	MOVW  (OUTOFF)(LAST), P2
	FMOVQ (BIAS), FBIASES
	FMOVQ (MULT), FMULTS
	ADD   $12, OUTOFF
	ADD   OUT, P0
	ADD   OUT, P1
	ADD   OUT, P2
	VMOVI $128, VSIGN.B16
	TBNZ  $1, EPILOGUE, residual             // AddUnsigned, AddSigned

fold:
	CBZ FOLDED, only
	FOLD(SADALP)

folded:
	TBNZ $1, EPILOGUE, add
	SUM(SKIP, SKIP, SKIP, SKIP, SKIP)
	TBNZ $0, EPILOGUE, signed

round:
	FCVTNS(A00, A00)
	FCVTNS(A10, A10)
	FCVTNS(A20, A20)
	SQXTNS(A00, A00)
	SQXTNS(A10, A10)
	SQXTNS(A20, A20)
	SQXTUNH(A00, A00)
	SQXTUNH(A10, A10)
	SQXTUNH(A20, A20)
	EOR16B(A00, A00, SIGN)
	EOR16B(A10, A10, SIGN)
	EOR16B(A20, A20, SIGN)

store:
	FMOVS FA00, (P0)
	FMOVS FA10, (P1)
	FMOVS FA20, (P2)
	CMP   $0, M
	BGT   tile

	MOVD IGEMMArgs_K(ARGS), K
	MOVD IGEMMArgs_Taps(ARGS), TAPS
	MUL  TAPS, K
	ADD  K<<2, PANEL
	ADD  $4, OUT
	ADD  $4, RES
	ADD  $16, BIAS
	ADD  $16, MULT
	MOVD panels-8(SP), M
	SUBS $1, M
	BNE  panel
	RET

short:  // one pixel is left, M being -2, or two
	ADD  $2, M, NEXT
	LSL  $2, NEXT
	MOVD NEXT, LAST
	B    pixels

only:  // all was one chain
	FOLD(SADDLP)
	B folded

residual:
	MOVW  (RESOFF), B0
	MOVW  (RESOFF)(NEXT), B1
	MOVW  (RESOFF)(LAST), B2
	ADD   $12, RESOFF
	FMOVS IGEMMArgs_ResMult(ARGS), FRESMULT
	FMOVS (RES)(B0), FR0S
	FMOVS (RES)(B1), FR1S
	FMOVS (RES)(B2), FR2S
	B     fold

add:
	TBZ $0, EPILOGUE, addUnsigned
	SUM(SKIP, SXTLB, SXTLH, SCVTF, TIMES_RESMULT)
	B   added

addUnsigned:
	SUM(FLIP, UXTLB, SXTLH, SCVTF, TIMES_RESMULT)

added:
	FADD(A00, A00, R0S)
	FADD(A10, A10, R1S)
	FADD(A20, A20, R2S)
	B round

signed:
	VMOVI $129, VFLOOR.B16 // -127, the least that Signed stores
	FCVTNS(A00, A00)
	FCVTNS(A10, A10)
	FCVTNS(A20, A20)
	SQXTNS(A00, A00)
	SQXTNS(A10, A10)
	SQXTNS(A20, A20)
	SQXTNH(A00, A00)
	SQXTNH(A10, A10)
	SQXTNH(A20, A20)
	SMAX16B(A00, A00, FLOOR)
	SMAX16B(A10, A10, FLOOR)
	SMAX16B(A20, A20, FLOOR)
	B     store

