#include "textflag.h"
#include "go_asm.h"
#include "arm64.h"

// 3x3 max pooling and sums over pixels, for every ARMv8.0 core.

// Vector registers are numbers, as the header's macros take them, with the second name that loads want.
#define X0 0
#define X1 1
#define X2 2
#define X3 3
#define VX0 V0
#define VX1 V1
#define VX2 V2
#define VX3 V3

// COL leads from one tap to the next in its row, ROW from the last tap of a row to the first of the next
// row, BACK from the last tap to the first one of the next 16 channels.
#define ARGS R0
#define COL R1
#define ROW R2
#define BACK R3
#define INCOL R4
#define OUTCOL R5
#define CHANNELS R6
#define INROW R7
#define OUTROW R8
#define ROWS R9
#define COLS R10
#define IN R11
#define OUT R12
#define PTR R13
#define DST R14
#define C R15
#define TMP R16

// func maxPoolNEON(args *MaxPoolArgs)
//
//	for each row
//		for each column
//			for each 16 channels
//				maximum of nine taps, which flow through X0..X3, held as signed bytes
TEXT ·maxPoolNEON(SB), NOSPLIT, $0-8
	MOVD args+0(FP), ARGS
	MOVD MaxPoolArgs_TapCol(ARGS), COL
	MOVD MaxPoolArgs_TapRow(ARGS), ROW
	MOVD MaxPoolArgs_InCol(ARGS), INCOL
	MOVD MaxPoolArgs_OutCol(ARGS), OUTCOL
	MOVD MaxPoolArgs_Channels(ARGS), CHANNELS
	MOVD MaxPoolArgs_In(ARGS), INROW
	MOVD MaxPoolArgs_Out(ARGS), OUTROW
	MOVD MaxPoolArgs_Rows(ARGS), ROWS
	ADD  COL, ROW, TMP
	MOVD $16, BACK
	SUB  TMP<<1, BACK
	SUB  COL<<1, ROW

maxRow:
	MOVD MaxPoolArgs_Cols(ARGS), COLS
	MOVD INROW, IN
	MOVD OUTROW, OUT

maxColumn:
	MOVD IN, PTR
	MOVD OUT, DST
	MOVD CHANNELS, C

maxChannels:
	VLD1.P (PTR)(COL), [VX0.B16]
	VLD1.P (PTR)(COL), [VX1.B16]
	VLD1.P (PTR)(ROW), [VX2.B16]
	VLD1.P (PTR)(COL), [VX3.B16]
	SMAX16B(X0, X0, X1)
	VLD1.P (PTR)(COL), [VX1.B16]
	SMAX16B(X2, X2, X3)
	VLD1.P (PTR)(ROW), [VX3.B16]
	SMAX16B(X0, X0, X1)
	VLD1.P (PTR)(COL), [VX1.B16]
	SMAX16B(X2, X2, X3)
	VLD1.P (PTR)(COL), [VX3.B16]
	SMAX16B(X0, X0, X1)
	VLD1.P (PTR)(BACK), [VX1.B16]
	SMAX16B(X2, X2, X3)
	SMAX16B(X0, X0, X1)
	SMAX16B(X0, X0, X2)
	VST1.P [VX0.B16], 16(DST)
	SUBS   $16, C
	BNE    maxChannels

	ADD  INCOL, IN
	ADD  OUTCOL, OUT
	SUBS $1, COLS
	BNE  maxColumn
	MOVD MaxPoolArgs_InRow(ARGS), TMP
	ADD  TMP, INROW
	MOVD MaxPoolArgs_OutRow(ARGS), TMP
	ADD  TMP, OUTROW
	SUBS $1, ROWS
	BNE  maxRow
	RET

// The sum's registers: 16 bytes of a pixel, their sums in 16 bits and in 32 bits.
#define VX V0
#define VSIGN V1
#define VLOW V2
#define VHIGH V3
#define VSUM0 V4
#define VSUM1 V5
#define VSUM2 V6
#define VSUM3 V7
#define STEP R1
#define PIXELS R2
#define LEFT R3
#define CHUNK R4

// func sumNEON(args *SumArgs)
//
//	for each 16 channels
//		for each 256 pixels, or fewer at the end
//			sum in 16 bits, at most 256*255
//			add to the sums in 32 bits
TEXT ·sumNEON(SB), NOSPLIT, $0-8
	MOVD  args+0(FP), ARGS
	MOVD  SumArgs_In(ARGS), IN
	MOVD  SumArgs_Step(ARGS), STEP
	MOVD  SumArgs_Out(ARGS), OUT
	MOVD  SumArgs_Pixels(ARGS), PIXELS
	MOVD  SumArgs_Channels(ARGS), C
	VMOVI $0x80, VSIGN.B16

sumChannels:
	MOVD IN, PTR
	MOVD PIXELS, LEFT
	VEOR VSUM0.B16, VSUM0.B16, VSUM0.B16
	VEOR VSUM1.B16, VSUM1.B16, VSUM1.B16
	VEOR VSUM2.B16, VSUM2.B16, VSUM2.B16
	VEOR VSUM3.B16, VSUM3.B16, VSUM3.B16

sumChunk:
	MOVD $256, CHUNK
	CMP  LEFT, CHUNK
	CSEL LT, CHUNK, LEFT, CHUNK
	SUB  CHUNK, LEFT
	VEOR VLOW.B16, VLOW.B16, VLOW.B16
	VEOR VHIGH.B16, VHIGH.B16, VHIGH.B16

sumPixel:
	VLD1.P  (PTR)(STEP), [VX.B16]
	SUBS    $1, CHUNK
	VEOR    VSIGN.B16, VX.B16, VX.B16    // from the signed byte to what it stands for
	VUADDW  VX.B8, VLOW.H8, VLOW.H8
	VUADDW2 VX.B16, VHIGH.H8, VHIGH.H8
	BNE     sumPixel
	VUADDW  VLOW.H4, VSUM0.S4, VSUM0.S4
	VUADDW2 VLOW.H8, VSUM1.S4, VSUM1.S4
	VUADDW  VHIGH.H4, VSUM2.S4, VSUM2.S4
	VUADDW2 VHIGH.H8, VSUM3.S4, VSUM3.S4
	CBNZ    LEFT, sumChunk

	VST1.P [VSUM0.S4, VSUM1.S4, VSUM2.S4, VSUM3.S4], 64(OUT)
	ADD    $16, IN
	SUBS   $16, C
	BNE    sumChannels
	RET
