#include "go_asm.h"
#include "textflag.h"

// func linearAVX2(a *LinearArgs)
//
//	for each row of weights: out = bias + sum of 64 products at a time, in four sums, and then of 16
TEXT ·linearAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), DI
	MOVQ LinearArgs_W(DI), BX
	MOVQ LinearArgs_In(DI), SI
	MOVQ LinearArgs_K(DI), R8
	MOVQ LinearArgs_Out(DI), R13
	MOVQ LinearArgs_Bias(DI), R9
	MOVQ LinearArgs_N(DI), CX
	LEAQ -63(R8), R10

row:
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	XORQ  DX, DX
	CMPQ  DX, R10
	JGE   rest

k64:
	VPMOVSXBW (BX)(DX*1), Y4
	VPMADDWD  (SI)(DX*2), Y4, Y4
	VPADDD    Y4, Y0, Y0
	VPMOVSXBW 16(BX)(DX*1), Y5
	VPMADDWD  32(SI)(DX*2), Y5, Y5
	VPADDD    Y5, Y1, Y1
	VPMOVSXBW 32(BX)(DX*1), Y6
	VPMADDWD  64(SI)(DX*2), Y6, Y6
	VPADDD    Y6, Y2, Y2
	VPMOVSXBW 48(BX)(DX*1), Y7
	VPMADDWD  96(SI)(DX*2), Y7, Y7
	VPADDD    Y7, Y3, Y3
	ADDQ      $64, DX
	CMPQ      DX, R10
	JLT       k64

rest:
	CMPQ DX, R8
	JGE  sum

k:
	VPMOVSXBW (BX)(DX*1), Y4
	VPMADDWD  (SI)(DX*2), Y4, Y4
	VPADDD    Y4, Y0, Y0
	ADDQ      $16, DX
	CMPQ      DX, R8
	JLT       k

sum:
	VPADDD       Y1, Y0, Y0
	VPADDD       Y3, Y2, Y2
	VPADDD       Y2, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD       X1, X0, X0
	VPSHUFD      $0x4e, X0, X1
	VPADDD       X1, X0, X0
	VPSHUFD      $0xb1, X0, X1
	VPADDD       X1, X0, X0
	VMOVD        X0, AX
	ADDL         (R9), AX
	MOVL         AX, (R13)
	ADDQ         $4, R9
	ADDQ         $4, R13
	ADDQ         R8, BX
	DECQ         CX
	JNE          row
	VZEROUPPER
	RET
