#include "go_asm.h"
#include "textflag.h"

// func linearAVX2(a *LinearArgs)
//
//	for each row of weights: out = bias + sum of 16 products at a time
TEXT ·linearAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), DI
	MOVQ LinearArgs_W(DI), BX
	MOVQ LinearArgs_In(DI), SI
	MOVQ LinearArgs_K(DI), R8
	MOVQ LinearArgs_Out(DI), R13
	MOVQ LinearArgs_Bias(DI), R9
	MOVQ LinearArgs_N(DI), CX

row:
	VPXOR Y0, Y0, Y0
	XORQ  DX, DX

k:
	VPMOVSXBW    (BX)(DX*1), Y1
	VPMADDWD     (SI)(DX*2), Y1, Y1
	VPADDD       Y1, Y0, Y0
	ADDQ         $16, DX
	CMPQ         DX, R8
	JLT          k
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
