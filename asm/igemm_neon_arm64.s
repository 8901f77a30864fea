#include "textflag.h"
#include "go_asm.h"
#include "arm64.h"

// Indirect GEMM for ARMv8.0: Cortex-A53, A57, A72 and whatever lacks the dot product.
//
// A tile is 4 pixels by 4 output channels. Both operands hold 16 consecutive k in a register, so nothing
// is broadcast: a register product is 16 products of one output, and each output's sum lies spread over
// the four lanes of its own accumulator until the tile is done.
//
//	                 W0   W1   W2   W3      16 k of channels 0..3
//	              +--------------------+
//	           X0 | A00  A01  A02  A03 |
//	16 k of    X1 | A10  A11  A12  A13 |    int32x4 each
//	pixels 0-3 X2 | A20  A21  A22  A23 |
//	           X3 | A30  A31  A32  A33 |
//	              +--------------------+
//
// Low and high half of a register product share an int16 lane: 2 * 128*127 = 32512 fits whatever the data.
// The tile is done in two halves of two channels, T0..T7 holding the products of one half. Folding the
// second half's products into the accumulators is put off until the next block's loads, which it hides
// on in-order cores. Pixels that are left over (M modulo 4) go one by one with A00..A03: on the big cores
// such a tile is limited by the multiplier like the large one.

// Vector registers are numbers, as the header's macros take them; those that are loaded or stored have a
// second name.
#define X0 0
#define X1 1
#define X2 2
#define X3 3
#define W0 4
#define W1 5
#define W2 6
#define W3 7
#define T0 8
#define T1 9
#define T2 10
#define T3 11
#define T4 12
#define T5 13
#define T6 14
#define T7 15
#define A00 16
#define A10 17
#define A20 18
#define A30 19
#define A01 20
#define A11 21
#define A21 22
#define A31 23
#define A02 24
#define A12 25
#define A22 26
#define A32 27
#define A03 28
#define A13 29
#define A23 30
#define A33 31

// The whole call.
#define ARGS R0
#define IN R1
#define OUT R2 // advanced panel by panel, as are BIAS, MULT, PANEL and RES
#define BIAS R3
#define MULT R4
#define PANEL R5
#define CONST R6 // igemmConst
#define EPILOGUE R7
#define PANELS R8
#define RES R26

// One panel.
#define M R9
#define INOFF R10
#define OUTOFF R11
#define RESOFF R12

// One tile: pixels, weights, taps.
#define B0 R13
#define B1 R14
#define B2 R15
#define B3 R16
#define W R17
#define TAP R19
#define TAPS R20

// One tap.
#define P0 R21
#define P1 R22
#define P2 R23
#define P3 R24
#define K R25

// Second names.
#define FX0 F0
#define FX1 F1
#define FX2 F2
#define FX3 F3
#define FW0 F4
#define FW1 F5
#define FW2 F6
#define FW3 F7

// The epilogue's, where X, W and T are free. R is the residual's bytes, R0S..R3S its lanes for each pixel.
#define R 0
#define FR F0
#define VR V0
#define R0S 0
#define R1S 1
#define R2S 2
#define R3S 3
#define RHI 4
#define RESMULT 5
#define FRESMULT F5
#define BIASES 8
#define FBIASES F8
#define MULTS 9
#define FMULTS F9
#define SIGN 10
#define FSIGN F10
#define FLOOR 11
#define FFLOOR F11
#define Q 12
#define VQ V12
#define QHI 13

DATA igemmConst<>+0x00(SB)/8, $0x8080808080808080 // unsigned byte to signed byte and back
DATA igemmConst<>+0x08(SB)/8, $0x8080808080808080
DATA igemmConst<>+0x10(SB)/8, $0x8181818181818181 // -127, the least that Signed stores
DATA igemmConst<>+0x18(SB)/8, $0x8181818181818181
GLOBL igemmConst<>(SB), RODATA|NOPTR, $32

// TAP4 points P0..P3 at the next tap, TAP1 P0.
#define TAP4 \
	MOVW.P 4(TAP), K;           \
	ADD    K, B0, P0;           \
	ADD    K, B1, P1;           \
	ADD    K, B2, P2;           \
	ADD    K, B3, P3;           \
	MOVD   IGEMMArgs_K(ARGS), K

#define TAP1 \
	MOVW.P 4(TAP), K;           \
	ADD    K, B0, P0;           \
	MOVD   IGEMMArgs_K(ARGS), K

// LOAD16 loads 16 k of the pixels and of two channels. In between it folds with f what the second half of
// the block before left in T0..T7: SADALP or, where there is nothing, NONE.
#define NONE(a, t)

#define LOAD16(f) \
	FMOVQ.P 16(P0), FX0; \
	f(A02, T0);          \
	FMOVQ   (W), FW0;    \
	f(A12, T1);          \
	FMOVQ.P 16(P1), FX1; \
	f(A22, T2);          \
	FMOVQ.P 16(P2), FX2; \
	f(A32, T3);          \
	FMOVQ.P 16(P3), FX3; \
	f(A03, T4);          \
	FMOVQ   16(W), FW1;  \
	f(A13, T5);          \
	f(A23, T6);          \
	f(A33, T7)

// MUL16 multiplies them, folds the first half with f, and leaves the second half in T0..T7.
#define MUL16(f) \
	SMULLB(T0, X0, W0);  \
	SMULLB(T1, X1, W0);  \
	SMULLB(T2, X2, W0);  \
	SMULLB(T3, X3, W0);  \
	SMULLB(T4, X0, W1);  \
	SMULLB(T5, X1, W1);  \
	SMULLB(T6, X2, W1);  \
	SMULLB(T7, X3, W1);  \
	SMLALB2(T0, X0, W0); \
	SMLALB2(T1, X1, W0); \
	SMLALB2(T2, X2, W0); \
	SMLALB2(T3, X3, W0); \
	SMLALB2(T4, X0, W1); \
	FMOVQ 32(W), FW2;    \
	SMLALB2(T5, X1, W1); \
	SMLALB2(T6, X2, W1); \
	FMOVQ 48(W), FW3;    \
	SMLALB2(T7, X3, W1); \
	ADD   $64, W;        \
	f(A00, T0);          \
	f(A10, T1);          \
	f(A20, T2);          \
	f(A30, T3);          \
	f(A01, T4);          \
	f(A11, T5);          \
	f(A21, T6);          \
	f(A31, T7);          \
	SMULLB(T0, X0, W2);  \
	SMULLB(T1, X1, W2);  \
	SMULLB(T2, X2, W2);  \
	SMULLB(T3, X3, W2);  \
	SMULLB(T4, X0, W3);  \
	SMULLB(T5, X1, W3);  \
	SMULLB(T6, X2, W3);  \
	SMULLB(T7, X3, W3);  \
	SMLALB2(T0, X0, W2); \
	SMLALB2(T1, X1, W2); \
	SMLALB2(T2, X2, W2); \
	SMLALB2(T3, X3, W2); \
	SMLALB2(T4, X0, W3); \
	SMLALB2(T5, X1, W3); \
	SMLALB2(T6, X2, W3); \
	SMLALB2(T7, X3, W3)

// FOLD2 folds the second half.
#define FOLD2(f) \
	f(A02, T0); \
	f(A12, T1); \
	f(A22, T2); \
	f(A32, T3); \
	f(A03, T4); \
	f(A13, T5); \
	f(A23, T6); \
	f(A33, T7)

// LOAD8 and MUL8 do the same with the 8 k at the end of a tap.
#define LOAD8(f) \
	FMOVD (P0), FX0; \
	f(A02, T0);      \
	FMOVD (W), FW0;  \
	f(A12, T1);      \
	FMOVD (P1), FX1; \
	f(A22, T2);      \
	FMOVD (P2), FX2; \
	f(A32, T3);      \
	FMOVD (P3), FX3; \
	f(A03, T4);      \
	FMOVD 8(W), FW1; \
	f(A13, T5);      \
	f(A23, T6);      \
	f(A33, T7)

#define MUL8(f) \
	SMULLB(T0, X0, W0); \
	SMULLB(T1, X1, W0); \
	SMULLB(T2, X2, W0); \
	SMULLB(T3, X3, W0); \
	SMULLB(T4, X0, W1); \
	FMOVD 16(W), FW2;   \
	SMULLB(T5, X1, W1); \
	SMULLB(T6, X2, W1); \
	FMOVD 24(W), FW3;   \
	SMULLB(T7, X3, W1); \
	ADD   $32, W;       \
	f(A00, T0);         \
	f(A10, T1);         \
	f(A20, T2);         \
	f(A30, T3);         \
	f(A01, T4);         \
	f(A11, T5);         \
	f(A21, T6);         \
	f(A31, T7);         \
	SMULLB(T0, X0, W2); \
	SMULLB(T1, X1, W2); \
	SMULLB(T2, X2, W2); \
	SMULLB(T3, X3, W2); \
	SMULLB(T4, X0, W3); \
	SMULLB(T5, X1, W3); \
	SMULLB(T6, X2, W3); \
	SMULLB(T7, X3, W3)

// func igemmNEON(args *IGEMMArgs)
//
//	for each panel
//		for each 4 pixels, then each pixel that is left
//			for each tap
//				for each 16 k, then the 8 k that are left
//					accumulators += pixels * channels
//			sum each accumulator's lanes, add the bias, requantise, store
TEXT ·igemmNEON(SB), NOSPLIT, $0-8
	MOVD  args+0(FP), ARGS
	MOVD  IGEMMArgs_In(ARGS), IN
	MOVD  IGEMMArgs_Out(ARGS), OUT
	MOVD  IGEMMArgs_Res(ARGS), RES
	MOVD  IGEMMArgs_Bias(ARGS), BIAS
	MOVD  IGEMMArgs_Mult(ARGS), MULT
	MOVD  IGEMMArgs_W(ARGS), PANEL
	MOVWU IGEMMArgs_Epilogue(ARGS), EPILOGUE
	MOVD  IGEMMArgs_Panels(ARGS), PANELS
	MOVD  $igemmConst<>(SB), CONST

panel:
	MOVD IGEMMArgs_InOff(ARGS), INOFF
	MOVD IGEMMArgs_OutOff(ARGS), OUTOFF
	MOVD IGEMMArgs_ResOff(ARGS), RESOFF
	MOVD IGEMMArgs_M(ARGS), M
	SUBS $4, M
	BLT  rest

tile4:
	MOVW 0(INOFF), B0
	MOVW 4(INOFF), B1
	MOVW 8(INOFF), B2
	MOVW 12(INOFF), B3
	ADD  $16, INOFF
	ADD  IN, B0
	ADD  IN, B1
	ADD  IN, B2
	ADD  IN, B3
	MOVD IGEMMArgs_TapOff(ARGS), TAP
	MOVD IGEMMArgs_Taps(ARGS), TAPS
	MOVD PANEL, W
	TAP4

	// The first block stores its sums, so that nothing need be zeroed, and puts nothing off.
	SUBS $16, K
	BLT  first8
	LOAD16(NONE)
	MUL16(SADDLP)
	FOLD2(SADDLP)
	CBNZ K, second4
	B    first4

first8:
	LOAD8(NONE)
	MUL8(SADDLP)
	FOLD2(SADDLP)

first4:
	SUBS $1, TAPS
	BEQ  sum4
	TAP4

second4:
	SUBS $16, K
	BLT  second8
	LOAD16(NONE)
	B    mul16

second8:
	LOAD8(NONE)
	B mul8

tap4:
	TAP4
	B next4

loop4:
	LOAD16(SADALP)

mul16:
	MUL16(SADALP)

next4:  // K is what is left
	SUBS $16, K
	BGE  loop4
	TBZ  $3, K, tapEnd4
	LOAD8(SADALP)

mul8:
	MUL8(SADALP)

tapEnd4:
	SUBS $1, TAPS
	BNE  tap4
	FOLD2(SADALP)

sum4:  // each pixel's four sums into one register
	FMOVQ (BIAS), FBIASES
	ADDP4S(A00, A00, A01)
	ADDP4S(A10, A10, A11)
	ADDP4S(A20, A20, A21)
	ADDP4S(A30, A30, A31)
	FMOVQ (MULT), FMULTS
	ADDP4S(A02, A02, A03)
	ADDP4S(A12, A12, A13)
	ADDP4S(A22, A22, A23)
	ADDP4S(A32, A32, A33)
	FMOVQ 0(CONST), FSIGN
	ADDP4S(A00, A00, A02)
	ADDP4S(A10, A10, A12)
	ADDP4S(A20, A20, A22)
	ADDP4S(A30, A30, A32)
	MOVW  0(OUTOFF), P0
	MOVW  4(OUTOFF), P1
	ADD4S(A00, A00, BIASES)
	ADD4S(A10, A10, BIASES)
	ADD4S(A20, A20, BIASES)
	ADD4S(A30, A30, BIASES)
	MOVW  8(OUTOFF), P2
	MOVW  12(OUTOFF), P3
	SCVTF(A00, A00)
	SCVTF(A10, A10)
	SCVTF(A20, A20)
	SCVTF(A30, A30)
	ADD   $16, OUTOFF
	ADD   OUT, P0
	FMUL(A00, A00, MULTS)
	FMUL(A10, A10, MULTS)
	FMUL(A20, A20, MULTS)
	FMUL(A30, A30, MULTS)
	ADD   OUT, P1
	ADD   OUT, P2
	ADD   OUT, P3
	TBNZ  $1, EPILOGUE, add4 // AddUnsigned, AddSigned

round4:
	FCVTNS(A00, A00)
	FCVTNS(A10, A10)
	FCVTNS(A20, A20)
	FCVTNS(A30, A30)
	SQXTNS(Q, A00)
	SQXTNS(QHI, A20)
	SQXTNS2(Q, A10)
	SQXTNS2(QHI, A30)
	CMP $const_Signed, EPILOGUE
	BEQ signed4
	SQXTUNH(Q, Q)
	SQXTUNH2(Q, QHI)
	EOR16B(Q, Q, SIGN)

store4:
	VST1 VQ.S[0], (P0)
	VST1 VQ.S[1], (P1)
	VST1 VQ.S[2], (P2)
	VST1 VQ.S[3], (P3)
	SUBS $4, M
	BGE  tile4
	B    rest

signed4:
	FMOVQ 16(CONST), FFLOOR
	SQXTNH(Q, Q)
	SQXTNH2(Q, QHI)
	SMAX16B(Q, Q, FLOOR)
	B     store4

add4:  // A += float32(residual) * ResMult; all four are read before any is written
	MOVW  0(RESOFF), B0
	MOVW  4(RESOFF), B1
	MOVW  8(RESOFF), B2
	MOVW  12(RESOFF), B3
	ADD   $16, RESOFF
	ADD   RES, B0
	ADD   RES, B1
	ADD   RES, B2
	ADD   RES, B3
	VLD1  (B0), VR.S[0]
	VLD1  (B1), VR.S[1]
	VLD1  (B2), VR.S[2]
	VLD1  (B3), VR.S[3]
	FMOVS IGEMMArgs_ResMult(ARGS), FRESMULT
	CMP   $const_AddSigned, EPILOGUE
	BEQ   signedAdd4
	EOR16B(R, R, SIGN)
	UXTLB2(RHI, R)
	UXTLB(R, R)

widen4:
	SXTLH(R2S, RHI)
	SXTLH2(R3S, RHI)
	SXTLH2(R1S, R)
	SXTLH(R0S, R)
	SCVTF(R0S, R0S)
	SCVTF(R1S, R1S)
	SCVTF(R2S, R2S)
	SCVTF(R3S, R3S)
	FMULE(R0S, R0S, RESMULT, 0)
	FMULE(R1S, R1S, RESMULT, 0)
	FMULE(R2S, R2S, RESMULT, 0)
	FMULE(R3S, R3S, RESMULT, 0)
	FADD(A00, A00, R0S)
	FADD(A10, A10, R1S)
	FADD(A20, A20, R2S)
	FADD(A30, A30, R3S)
	B round4

signedAdd4:
	SXTLB2(RHI, R)
	SXTLB(R, R)
	B widen4

rest:  // M is what is left, less 4
	ADDS $4, M
	BEQ  panelEnd

tile1:
	MOVW.P 4(INOFF), B0
	ADD    IN, B0
	MOVD   IGEMMArgs_TapOff(ARGS), TAP
	MOVD   IGEMMArgs_Taps(ARGS), TAPS
	MOVD   PANEL, W
	ZERO(A00)
	ZERO(A01)
	ZERO(A02)
	ZERO(A03)

tap1:
	TAP1
	B next1

loop1:
	FMOVQ.P 16(P0), FX0
	FMOVQ   (W), FW0
	FMOVQ   16(W), FW1
	FMOVQ   32(W), FW2
	FMOVQ   48(W), FW3
	ADD     $64, W
	SMULLB(T0, X0, W0)
	SMULLB(T1, X0, W1)
	SMULLB(T2, X0, W2)
	SMULLB(T3, X0, W3)
	SMLALB2(T0, X0, W0)
	SMLALB2(T1, X0, W1)
	SMLALB2(T2, X0, W2)
	SMLALB2(T3, X0, W3)
	SADALP(A00, T0)
	SADALP(A01, T1)
	SADALP(A02, T2)
	SADALP(A03, T3)

next1:  // K is what is left, less 16
	SUBS  $16, K
	BGE   loop1
	TBZ   $3, K, tapEnd1
	FMOVD (P0), FX0
	FMOVD (W), FW0
	FMOVD 8(W), FW1
	FMOVD 16(W), FW2
	FMOVD 24(W), FW3
	ADD   $32, W
	SMULLB(T0, X0, W0)
	SMULLB(T1, X0, W1)
	SMULLB(T2, X0, W2)
	SMULLB(T3, X0, W3)
	SADALP(A00, T0)
	SADALP(A01, T1)
	SADALP(A02, T2)
	SADALP(A03, T3)

tapEnd1:
	SUBS $1, TAPS
	BNE  tap1

	FMOVQ  (BIAS), FBIASES
	FMOVQ  (MULT), FMULTS
	FMOVQ  0(CONST), FSIGN
	MOVW.P 4(OUTOFF), P0
	ADD    OUT, P0
	ADDP4S(A00, A00, A01)
	ADDP4S(A02, A02, A03)
	ADDP4S(A00, A00, A02)
	ADD4S(A00, A00, BIASES)
	SCVTF(A00, A00)
	FMUL(A00, A00, MULTS)
	TBZ    $1, EPILOGUE, round1
	MOVW.P 4(RESOFF), B0
	FMOVS  (RES)(B0), FR
	FMOVS  IGEMMArgs_ResMult(ARGS), FRESMULT
	CMP    $const_AddSigned, EPILOGUE
	BEQ    signedAdd1
	EOR16B(R, R, SIGN)
	UXTLB(R, R)

widen1:
	SXTLH(R, R)
	SCVTF(R, R)
	FMULE(R, R, RESMULT, 0)
	FADD(A00, A00, R)

round1:
	FCVTNS(A00, A00)
	SQXTNS(Q, A00)
	CMP $const_Signed, EPILOGUE
	BEQ signed1
	SQXTUNH(Q, Q)
	EOR16B(Q, Q, SIGN)

store1:
	VST1 VQ.S[0], (P0)
	SUBS $1, M
	BNE  tile1
	B    panelEnd

signed1:
	FMOVQ 16(CONST), FFLOOR
	SQXTNH(Q, Q)
	SMAX16B(Q, Q, FLOOR)
	B     store1

signedAdd1:
	SXTLB(R, R)
	B widen1

panelEnd:
	MOVD IGEMMArgs_K(ARGS), K
	MOVD IGEMMArgs_Taps(ARGS), TAPS
	MUL  TAPS, K
	ADD  K<<2, PANEL
	ADD  $4, OUT
	ADD  $4, RES
	ADD  $16, BIAS
	ADD  $16, MULT
	SUBS $1, PANELS
	BNE  panel
	RET
