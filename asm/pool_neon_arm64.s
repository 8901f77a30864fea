#include "textflag.h"
#include "go_asm.h"
#include "arm64.h"

// Max pooling, average pooling, the binomial filter and sums over pixels, for every ARMv8.0 core.

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

// func maxPoolNEON(args *PoolArgs)
//
//	for each row
//		for each column
//			for each 16 channels
//				maximum of nine taps, which flow through X0..X3, held as signed bytes
TEXT ·maxPoolNEON(SB), NOSPLIT, $0-8
	MOVD args+0(FP), ARGS
	MOVD PoolArgs_TapCol(ARGS), COL
	MOVD PoolArgs_TapRow(ARGS), ROW
	MOVD PoolArgs_InCol(ARGS), INCOL
	MOVD PoolArgs_OutCol(ARGS), OUTCOL
	MOVD PoolArgs_Channels(ARGS), CHANNELS
	MOVD PoolArgs_In(ARGS), INROW
	MOVD PoolArgs_Out(ARGS), OUTROW
	MOVD PoolArgs_Rows(ARGS), ROWS
	ADD  COL, ROW, TMP
	MOVD $16, BACK
	SUB  TMP<<1, BACK
	SUB  COL<<1, ROW

maxRow:
	MOVD PoolArgs_Cols(ARGS), COLS
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
	MOVD PoolArgs_InRow(ARGS), TMP
	ADD  TMP, INROW
	MOVD PoolArgs_OutRow(ARGS), TMP
	ADD  TMP, OUTROW
	SUBS $1, ROWS
	BNE  maxRow
	RET

// The average's registers: sums in 16 bits, and what each needs to round to even.
#define LOW 4
#define HIGH 5
#define VLOWS V4
#define VHIGHS V5
#define VEVEN0 V6
#define VEVEN1 V7
#define VONES V16

// func averagePoolNEON(args *PoolArgs)
//
//	for each row
//		for each column
//			for each 16 channels
//				s = sum of four taps in 16 bits
//				out = (s + 1 + (s>>2 & 1)) >> 2
//
// Bytes are held as q-128, which takes 512 from the sum and 128 from the result, and leaves its parity alone.
TEXT ·averagePoolNEON(SB), NOSPLIT, $0-8
	MOVD  args+0(FP), ARGS
	MOVD  PoolArgs_TapCol(ARGS), COL
	MOVD  PoolArgs_TapRow(ARGS), ROW
	MOVD  PoolArgs_InCol(ARGS), INCOL
	MOVD  PoolArgs_OutCol(ARGS), OUTCOL
	MOVD  PoolArgs_Channels(ARGS), CHANNELS
	MOVD  PoolArgs_In(ARGS), INROW
	MOVD  PoolArgs_Out(ARGS), OUTROW
	MOVD  PoolArgs_Rows(ARGS), ROWS
	ADD   COL, ROW, TMP
	MOVD  $16, BACK
	SUB   TMP, BACK
	SUB   COL, ROW
	VMOVI $1, VONES.B16
	VUSHR $8, VONES.H8, VONES.H8

averageRow:
	MOVD PoolArgs_Cols(ARGS), COLS
	MOVD INROW, IN
	MOVD OUTROW, OUT

averageColumn:
	MOVD IN, PTR
	MOVD OUT, DST
	MOVD CHANNELS, C

averageChannels:
	VLD1.P (PTR)(COL), [VX0.B16]
	VLD1.P (PTR)(ROW), [VX1.B16]
	VLD1.P (PTR)(COL), [VX2.B16]
	VLD1.P (PTR)(BACK), [VX3.B16]
	SADDLB(LOW, X0, X1)
	SADDLB2(HIGH, X0, X1)
	SUBS   $16, C
	SADDWB(LOW, LOW, X2)
	SADDWB2(HIGH, HIGH, X2)
	SADDWB(LOW, LOW, X3)
	SADDWB2(HIGH, HIGH, X3)
	VSHL   $13, VLOWS.H8, VEVEN0.H8
	VSHL   $13, VHIGHS.H8, VEVEN1.H8
	VADD   VONES.H8, VLOWS.H8, VLOWS.H8
	VADD   VONES.H8, VHIGHS.H8, VHIGHS.H8
	VUSRA  $15, VEVEN0.H8, VLOWS.H8
	VUSRA  $15, VEVEN1.H8, VHIGHS.H8
	SHRNH(X0, LOW)
	SHRNH2(X0, HIGH)
	VST1.P [VX0.B16], 16(DST)
	BNE    averageChannels

	ADD  INCOL, IN
	ADD  OUTCOL, OUT
	SUBS $1, COLS
	BNE  averageColumn
	MOVD PoolArgs_InRow(ARGS), TMP
	ADD  TMP, INROW
	MOVD PoolArgs_OutRow(ARGS), TMP
	ADD  TMP, OUTROW
	SUBS $1, ROWS
	BNE  averageRow
	RET

// The blur's registers: MIDDLE leads from the left tap of a row to its middle one, RIGHT from there to the right one,
// LOWER0 and LOWER1 from there to the left one of the next row, BACK as above. The corners' sums in 16 bits are in LOW and
// HIGH, and half of what the others add in SIDES.
#define MIDDLE R1
#define RIGHT R2
#define LOWER0 R17
#define LOWER1 R19
#define SIDES0 17
#define SIDES1 18
#define VSIDES0 V17
#define VSIDES1 V18
#define VSEVENS V16

// func blurNEON(args *BlurArgs)
//
//	for each row
//		for each column
//			for each 16 channels
//				s = corners + 2*(sides + 2*centre) in 16 bits
//				out = (s + 7 + (s>>4 & 1)) >> 4
//
// Bytes are held as q-128, which takes 2048 from the sum and 128 from the result, and leaves its parity alone.
TEXT ·blurNEON(SB), NOSPLIT, $0-8
	MOVD  args+0(FP), ARGS
	MOVD  BlurArgs_In(ARGS), INROW
	MOVD  BlurArgs_Out(ARGS), OUTROW
	MOVD  BlurArgs_InCol(ARGS), INCOL
	MOVD  BlurArgs_OutCol(ARGS), OUTCOL
	MOVD  BlurArgs_Channels(ARGS), CHANNELS
	MOVD  BlurArgs_Rows(ARGS), ROWS
	MOVD  BlurArgs_Right(ARGS), RIGHT
	MOVD  BlurArgs_Left(ARGS), TMP
	NEG   TMP, MIDDLE
	SUB   RIGHT, TMP
	MOVD  BlurArgs_Up(ARGS), LOWER0
	MOVD  BlurArgs_Down(ARGS), LOWER1
	SUB   MIDDLE, INROW
	ADD   LOWER0, INROW                     // In is the first pixel's centre, and this its upper left tap
	SUB   LOWER1, LOWER0, BACK
	ADD   TMP, BACK
	ADD   $16, BACK
	SUB   LOWER0, TMP, LOWER0
	ADD   TMP, LOWER1
	VMOVI $7, VSEVENS.B16
	VUSHR $8, VSEVENS.H8, VSEVENS.H8

blurRow:
	MOVD BlurArgs_Cols(ARGS), COLS
	MOVD INROW, IN
	MOVD OUTROW, OUT

blurColumn:
	MOVD IN, PTR
	MOVD OUT, DST
	MOVD CHANNELS, C

blurChannels:
	VLD1.P (PTR)(MIDDLE), [VX0.B16]
	VLD1.P (PTR)(RIGHT), [VX1.B16]
	VLD1.P (PTR)(LOWER0), [VX2.B16]
	VLD1.P (PTR)(MIDDLE), [VX3.B16]
	SADDLB(LOW, X0, X2)
	SADDLB2(HIGH, X0, X2)
	VLD1.P (PTR)(RIGHT), [VX0.B16]
	SADDLB(SIDES0, X1, X3)
	SADDLB2(SIDES1, X1, X3)
	VLD1.P (PTR)(LOWER1), [VX2.B16]
	SADDWB(SIDES0, SIDES0, X0)
	SADDWB2(SIDES1, SIDES1, X0)
	VLD1.P (PTR)(MIDDLE), [VX1.B16]
	SADDWB(SIDES0, SIDES0, X0)
	SADDWB2(SIDES1, SIDES1, X0)
	VLD1.P (PTR)(RIGHT), [VX3.B16]
	SADDWB(SIDES0, SIDES0, X2)
	SADDWB2(SIDES1, SIDES1, X2)
	VLD1.P (PTR)(BACK), [VX0.B16]
	SADDWB(LOW, LOW, X1)
	SADDWB2(HIGH, HIGH, X1)
	SUBS   $16, C
	SADDWB(SIDES0, SIDES0, X3)
	SADDWB2(SIDES1, SIDES1, X3)
	SADDWB(LOW, LOW, X0)
	SADDWB2(HIGH, HIGH, X0)
	VSHL   $1, VSIDES0.H8, VSIDES0.H8
	VSHL   $1, VSIDES1.H8, VSIDES1.H8
	VADD   VSIDES0.H8, VLOWS.H8, VLOWS.H8
	VADD   VSIDES1.H8, VHIGHS.H8, VHIGHS.H8
	VSHL   $11, VLOWS.H8, VEVEN0.H8
	VSHL   $11, VHIGHS.H8, VEVEN1.H8
	VADD   VSEVENS.H8, VLOWS.H8, VLOWS.H8
	VADD   VSEVENS.H8, VHIGHS.H8, VHIGHS.H8
	VUSRA  $15, VEVEN0.H8, VLOWS.H8
	VUSRA  $15, VEVEN1.H8, VHIGHS.H8
	SHRN4H(X0, LOW)
	SHRN4H2(X0, HIGH)
	VST1.P [VX0.B16], 16(DST)
	BNE    blurChannels

	ADD  INCOL, IN
	ADD  OUTCOL, OUT
	SUBS $1, COLS
	BNE  blurColumn
	MOVD BlurArgs_InRow(ARGS), TMP
	ADD  TMP, INROW
	MOVD BlurArgs_OutRow(ARGS), TMP
	ADD  TMP, OUTROW
	SUBS $1, ROWS
	BNE  blurRow
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
#define VSTART V16
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
//
// Both kinds of bytes are summed as what they hold in the way of activations. That is 128 more than a signed byte's
// value, which the sums begin with the opposite of.
TEXT ·sumNEON(SB), NOSPLIT, $0-8
	MOVD  args+0(FP), ARGS
	MOVD  SumArgs_In(ARGS), IN
	MOVD  SumArgs_Step(ARGS), STEP
	MOVD  SumArgs_Out(ARGS), OUT
	MOVD  SumArgs_Pixels(ARGS), PIXELS
	MOVD  SumArgs_Channels(ARGS), C
	VMOVI $0x80, VSIGN.B16
	MOVBU SumArgs_Signed(ARGS), TMP
	MUL   PIXELS, TMP
	NEG   TMP<<7, TMP
	VDUP  TMP, VSTART.S4

sumChannels:
	MOVD IN, PTR
	MOVD PIXELS, LEFT
	VORR VSTART.B16, VSTART.B16, VSUM0.B16
	VORR VSTART.B16, VSTART.B16, VSUM1.B16
	VORR VSTART.B16, VSTART.B16, VSUM2.B16
	VORR VSTART.B16, VSTART.B16, VSUM3.B16

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
