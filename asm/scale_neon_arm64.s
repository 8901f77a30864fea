#include "textflag.h"
#include "go_asm.h"
#include "arm64.h"

// Scaling by gates, for every ARMv8.0 core. Sixteen channels go through four registers of float32:
//
//	bytes  Y ----+- W0 -+- A0  * G0 * MULT
//	             |      +- A1  * G1 * MULT
//	             +- W1 -+- A2  * G2 * MULT
//	                    +- A3  * G3 * MULT
//
// An unsigned byte q is held as q-128, so that all bytes are widened as signed ones; to those that stand for unsigned
// ones 128 is added in 16 bits.

// Vector registers are numbers, as the header's macros take them, with the second name that others want.
#define Y 0
#define W0 1
#define W1 2
#define A0 4
#define A1 5
#define A2 6
#define A3 7
#define G0 16
#define G1 17
#define G2 18
#define G3 19
#define R0F 20 // the residual as floats
#define R1F 21
#define R2F 22
#define R3F 23
#define MULTS 24
#define RESMULTS 25
#define SIGN 28
#define FLOOR 29 // -127 in each byte
#define FY F0
#define VW0 V1
#define VW1 V2
#define VG0 V16
#define VG1 V17
#define VG2 V18
#define VG3 V19
#define FMULTS F24
#define FRESMULTS F25
#define VOFFSET V26 // 128 or 0 in 16 bits: what the input's bytes lack
#define VRESOFFSET V27 // the same for the residual
#define VSIGN V28
#define VFLOOR V29

#define ARGS R0
#define CHANNELS R1
#define GATE R2
#define INROW R3
#define RESROW R4
#define OUTROW R5
#define ROWS R6
#define COLS R7
#define IN R8
#define RES R9
#define OUT R10
#define G R11
#define C R12
#define ADDS R13 // 0 where the epilogue adds nothing
#define TMP R14
#define STORES R15 // not 0 where the output is signed

// FLOATS makes floats of the bytes in Y.
#define FLOATS(voffset, a0, a1, a2, a3) \
	SXTLB(W0, Y);                    \
	SXTLB2(W1, Y);                   \
	VADD voffset.H8, VW0.H8, VW0.H8; \
	VADD voffset.H8, VW1.H8, VW1.H8; \
	SXTLH(a0, W0);                   \
	SXTLH2(a1, W0);                  \
	SXTLH(a2, W1);                   \
	SXTLH2(a3, W1);                  \
	SCVTF(a0, a0);                   \
	SCVTF(a1, a1);                   \
	SCVTF(a2, a2);                   \
	SCVTF(a3, a3)

// TIMES multiplies floats by the first lane of a register.
#define TIMES(m, a0, a1, a2, a3) \
	FMULE(a0, a0, m, 0); \
	FMULE(a1, a1, m, 0); \
	FMULE(a2, a2, m, 0); \
	FMULE(a3, a3, m, 0)

// func scaleNEON(args *ScaleArgs)
//
//	for each row
//		for each column
//			for each 16 channels
//				floats of the input, times gates, times MULT
//				add floats of the residual, times RESMULT, if the epilogue says so
//				round, narrow, store
TEXT ·scaleNEON(SB), NOSPLIT, $0-8
	MOVD  args+0(FP), ARGS
	MOVD  ScaleArgs_Channels(ARGS), CHANNELS
	MOVD  ScaleArgs_Gate(ARGS), GATE
	MOVD  ScaleArgs_In(ARGS), INROW
	MOVD  ScaleArgs_Res(ARGS), RESROW
	MOVD  ScaleArgs_Out(ARGS), OUTROW
	MOVD  ScaleArgs_Rows(ARGS), ROWS
	FMOVS ScaleArgs_Mult(ARGS), FMULTS
	FMOVS ScaleArgs_ResMult(ARGS), FRESMULTS
	MOVWU ScaleArgs_Epilogue(ARGS), ADDS
	VMOVI $0x80, VSIGN.B16
	VUSHR $8, VSIGN.H8, VOFFSET.H8
	VMOVI $0x81, VFLOOR.B16
	VEOR  VRESOFFSET.B16, VRESOFFSET.B16, VRESOFFSET.B16
	MOVD  ZR, STORES
	CBZ   ADDS, row
	CMP   $const_Signed, ADDS
	BNE   adds
	MOVD  ADDS, STORES
	MOVD  ZR, ADDS
	B     signed

adds:
	CMP  $const_AddUnsigned, ADDS
	BNE  signed
	VORR VOFFSET.B16, VOFFSET.B16, VRESOFFSET.B16

signed:
	VEOR VOFFSET.B16, VOFFSET.B16, VOFFSET.B16

row:
	MOVD ScaleArgs_Cols(ARGS), COLS
	MOVD INROW, IN
	MOVD RESROW, RES
	MOVD OUTROW, OUT

column:
	MOVD GATE, G
	MOVD CHANNELS, C

channels:
	FMOVQ.P 16(IN), FY
	VLD1.P  64(G), [VG0.S4, VG1.S4, VG2.S4, VG3.S4]
	SUBS    $16, C
	FLOATS(VOFFSET, A0, A1, A2, A3)
	FMUL(A0, A0, G0)
	FMUL(A1, A1, G1)
	FMUL(A2, A2, G2)
	FMUL(A3, A3, G3)
	TIMES(MULTS, A0, A1, A2, A3)
	CBZ     ADDS, round
	FMOVQ.P 16(RES), FY
	FLOATS(VRESOFFSET, R0F, R1F, R2F, R3F)
	TIMES(RESMULTS, R0F, R1F, R2F, R3F)
	FADD(A0, A0, R0F)
	FADD(A1, A1, R1F)
	FADD(A2, A2, R2F)
	FADD(A3, A3, R3F)

round:
	FCVTNS(A0, A0)
	FCVTNS(A1, A1)
	FCVTNS(A2, A2)
	FCVTNS(A3, A3)
	SQXTNS(A0, A0)
	SQXTNS(A2, A2)
	SQXTNS2(A0, A1)
	SQXTNS2(A2, A3)
	CBNZ STORES, signedOut
	SQXTUNH(Y, A0)
	SQXTUNH2(Y, A2)
	EOR16B(Y, Y, SIGN)
	B    store

signedOut:
	SQXTNH(Y, A0)
	SQXTNH2(Y, A2)
	SMAX16B(Y, Y, FLOOR)

store:
	FMOVQ.P FY, 16(OUT)
	BNE     channels

	SUBS $1, COLS
	BNE  column
	MOVD ScaleArgs_InRow(ARGS), TMP
	ADD  TMP, INROW
	MOVD ScaleArgs_ResRow(ARGS), TMP
	ADD  TMP, RESROW
	MOVD ScaleArgs_OutRow(ARGS), TMP
	ADD  TMP, OUTROW
	SUBS $1, ROWS
	BNE  row
	RET
