#include "go_asm.h"
#include "textflag.h"

// func maxPoolAVX2(a *MaxPoolArgs)
//
//	for each row, pixel, 16 channels: out = max of the nine taps
TEXT ·maxPoolAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), DI
	MOVQ MaxPoolArgs_TapCol(DI), R12
	XORQ DX, DX

row:
	MOVQ  MaxPoolArgs_InRow(DI), R8
	IMULQ DX, R8
	ADDQ  MaxPoolArgs_In(DI), R8
	MOVQ  MaxPoolArgs_OutRow(DI), R13
	IMULQ DX, R13
	ADDQ  MaxPoolArgs_Out(DI), R13
	MOVQ  MaxPoolArgs_Cols(DI), CX

pixel:
	MOVQ R8, R9
	MOVQ MaxPoolArgs_TapRow(DI), AX
	LEAQ (R9)(AX*1), R10
	LEAQ (R10)(AX*1), R11
	XORQ BX, BX

channels:
	VMOVDQU (R9), X0
	VPMAXUB (R9)(R12*1), X0, X0
	VPMAXUB (R9)(R12*2), X0, X0
	VMOVDQU (R10), X1
	VPMAXUB (R10)(R12*1), X1, X1
	VPMAXUB (R10)(R12*2), X1, X1
	VMOVDQU (R11), X2
	VPMAXUB (R11)(R12*1), X2, X2
	VPMAXUB (R11)(R12*2), X2, X2
	VPMAXUB X1, X0, X0
	VPMAXUB X2, X0, X0
	VMOVDQU X0, (R13)(BX*1)
	ADDQ    $16, R9
	ADDQ    $16, R10
	ADDQ    $16, R11
	ADDQ    $16, BX
	CMPQ    BX, MaxPoolArgs_Channels(DI)
	JLT     channels
	ADDQ    MaxPoolArgs_InCol(DI), R8
	ADDQ    MaxPoolArgs_OutCol(DI), R13
	DECQ    CX
	JNE     pixel
	INCQ    DX
	CMPQ    DX, MaxPoolArgs_Rows(DI)
	JNE     row
	RET

// func sumAVX2(a *SumArgs)
//
//	for each 16 channels: out = sum over pixels, in two vectors of int32
TEXT ·sumAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), DI
	MOVQ SumArgs_Out(DI), R13
	MOVQ SumArgs_Step(DI), R12
	XORQ BX, BX

channels:
	MOVQ  SumArgs_In(DI), R9
	ADDQ  BX, R9
	MOVQ  SumArgs_Pixels(DI), CX
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1

pixel:
	VPMOVZXBD (R9), Y2
	VPMOVZXBD 8(R9), Y3
	VPADDD    Y2, Y0, Y0
	VPADDD    Y3, Y1, Y1
	ADDQ      R12, R9
	DECQ      CX
	JNE       pixel
	VMOVDQU   Y0, (R13)(BX*4)
	VMOVDQU   Y1, 32(R13)(BX*4)
	ADDQ      $16, BX
	CMPQ      BX, SumArgs_Channels(DI)
	JLT       channels
	VZEROUPPER
	RET
