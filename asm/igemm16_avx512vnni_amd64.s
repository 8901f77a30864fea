#include "go_asm.h"
#include "textflag.h"
#include "igemm_vnni512_amd64.h"

// AVX-512 VNNI indirect GEMM for panels of 16 channels, 7 pixels by 1 vector, with two sums a pixel, for even and
// for odd quads: Z0 Z1, Z2 Z3, ... Z12 Z13. For Cascade Lake, Ice Lake and later servers, Zen 4 and later. Per two
// quads: 14 broadcasts and 2 weight loads, 14 VPDPBUSD.

#define INIT \
	MOVQ      IGEMMArgs_Bias(DI), AX \
	VMOVDQU32 (AX), Z0               \
	VPXORD    Z1, Z1, Z1             \
	VMOVDQA32 Z0, Z2                 \
	VMOVDQA32 Z1, Z3                 \
	VMOVDQA32 Z0, Z4                 \
	VMOVDQA32 Z1, Z5                 \
	VMOVDQA32 Z0, Z6                 \
	VMOVDQA32 Z1, Z7                 \
	VMOVDQA32 Z0, Z8                 \
	VMOVDQA32 Z1, Z9                 \
	VMOVDQA32 Z0, Z10                \
	VMOVDQA32 Z1, Z11                \
	VMOVDQA32 Z0, Z12                \
	VMOVDQA32 Z1, Z13

// DOTS multiplies two quads of a pixel with their weights (Z14 and Z15).
#define DOTS(P, a, b) \
	VPBROADCASTD (P)(DX*1), Z16  \
	VPBROADCASTD 4(P)(DX*1), Z17 \
	VPDPBUSD     Z14, Z16, a     \
	VPDPBUSD     Z15, Z17, b

#define BODY \
	VMOVDQU32 (BX), Z14   \
	VMOVDQU32 64(BX), Z15 \
	DOTS(R8, Z0, Z1)      \
	DOTS(R9, Z2, Z3)      \
	DOTS(R10, Z4, Z5)     \
	DOTS(R11, Z6, Z7)     \
	DOTS(R14, Z8, Z9)     \
	DOTS(R15, Z10, Z11)   \
	DOTS(R13, Z12, Z13)   \
	ADDQ      $128, BX    \
	ADDQ      $8, DX

#define FOLD \
	VPADDD Z1, Z0, Z0    \
	VPADDD Z3, Z2, Z2    \
	VPADDD Z5, Z4, Z4    \
	VPADDD Z7, Z6, Z6    \
	VPADDD Z9, Z8, Z8    \
	VPADDD Z11, Z10, Z10 \
	VPADDD Z13, Z12, Z12

#define FINISH(POINT, ADD, BYTES) \
	SUMS1(0, Z0, POINT, ADD, BYTES)  \
	STORE(0, Z0, VMOVDQU, X0)        \
	SUMS1(1, Z2, POINT, ADD, BYTES)  \
	STORE(1, Z2, VMOVDQU, X2)        \
	SUMS1(2, Z4, POINT, ADD, BYTES)  \
	STORE(2, Z4, VMOVDQU, X4)        \
	SUMS1(3, Z6, POINT, ADD, BYTES)  \
	STORE(3, Z6, VMOVDQU, X6)        \
	SUMS1(4, Z8, POINT, ADD, BYTES)  \
	STORE(4, Z8, VMOVDQU, X8)        \
	SUMS1(5, Z10, POINT, ADD, BYTES) \
	STORE(5, Z10, VMOVDQU, X10)      \
	SUMS1(6, Z12, POINT, ADD, BYTES) \
	STORE(6, Z12, VMOVDQU, X12)

// func igemm16AVX512VNNI(a *IGEMMArgs)
TEXT ·igemm16AVX512VNNI(SB), NOSPLIT, $24-8
	IGEMM_VNNI(7, PIXELS7, INIT, BODY, FOLD, FINISH)
