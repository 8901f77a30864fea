#include "go_asm.h"
#include "textflag.h"
#include "igemm_vnni512_amd64.h"

// AVX-512 VNNI indirect GEMM for panels of 32 channels, 7 pixels by 2 vectors: the groups of a wide grouped
// convolution and what is left of a layer after panels of 64. For Cascade Lake, Ice Lake and later servers, Zen 4
// and later. Sums are Z0 Z1, Z2 Z3, ... Z12 Z13, pixel by pixel. Per quad: 7 broadcasts and 2 weight loads,
// 14 VPDPBUSD.

#define INIT \
	MOVQ      IGEMMArgs_Bias(DI), AX \
	VMOVDQU32 (AX), Z0               \
	VMOVDQU32 64(AX), Z1             \
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

// DOTS multiplies a quad of a pixel with two vectors of weights (Z14 and Z15).
#define DOTS(at, P, a, b) \
	VPBROADCASTD at(P)(DX*1), Z16 \
	VPDPBUSD     Z14, Z16, a      \
	VPDPBUSD     Z15, Z16, b

#define QUAD(w, at) \
	VMOVDQU32 w(BX), Z14      \
	VMOVDQU32 (w+64)(BX), Z15 \
	DOTS(at, R8, Z0, Z1)      \
	DOTS(at, R9, Z2, Z3)      \
	DOTS(at, R10, Z4, Z5)     \
	DOTS(at, R11, Z6, Z7)     \
	DOTS(at, R14, Z8, Z9)     \
	DOTS(at, R15, Z10, Z11)   \
	DOTS(at, R13, Z12, Z13)

#define BODY \
	QUAD(0, 0)    \
	QUAD(128, 4)  \
	ADDQ $256, BX \
	ADDQ $8, DX

#define FOLD

#define FINISH(POINT, ADD, BYTES) \
	SUMS2(0, 64, Z0, Z1, POINT, ADD, BYTES)   \
	STORE(0, Z0, VMOVDQU, Y0)                 \
	SUMS2(1, 64, Z2, Z3, POINT, ADD, BYTES)   \
	STORE(1, Z2, VMOVDQU, Y2)                 \
	SUMS2(2, 64, Z4, Z5, POINT, ADD, BYTES)   \
	STORE(2, Z4, VMOVDQU, Y4)                 \
	SUMS2(3, 64, Z6, Z7, POINT, ADD, BYTES)   \
	STORE(3, Z6, VMOVDQU, Y6)                 \
	SUMS2(4, 64, Z8, Z9, POINT, ADD, BYTES)   \
	STORE(4, Z8, VMOVDQU, Y8)                 \
	SUMS2(5, 64, Z10, Z11, POINT, ADD, BYTES) \
	STORE(5, Z10, VMOVDQU, Y10)               \
	SUMS2(6, 64, Z12, Z13, POINT, ADD, BYTES) \
	STORE(6, Z12, VMOVDQU, Y12)

// func igemm32AVX512VNNI(a *IGEMMArgs)
TEXT ·igemm32AVX512VNNI(SB), NOSPLIT, $24-8
	IGEMM_VNNI(7, PIXELS7, INIT, BODY, FOLD, FINISH)
