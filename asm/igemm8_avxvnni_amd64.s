#include "go_asm.h"
#include "textflag.h"
#include "igemm_vnni256_amd64.h"

// AVX-VNNI indirect GEMM for panels of 8 channels, 6 pixels: the groups of odd widths. For Alder Lake-N (N100), Alder
// Lake and later PCs, Zen 5. The weights of two quads are interleaved,
//
//	quad 0    c0 c1 c2 c3 | c4 c5 c6 c7        Y12    c0 c0' c1 c1' | c4 c4' c5 c5'
//	quad 1    c0'c1'c2'c3'| c4'c5'c6'c7'       Y13    c2 c2' c3 c3' | c6 c6' c7 c7'
//
// so that one broadcast of 8 activations serves both; VPHADDD of a pixel's two sums then has the channels in
// order. Sums are Y0 Y1, Y2 Y3, ... Y10 Y11, pixel by pixel; those of quad 0 begin with the bias, the others with
// 0. Per two quads: 6 broadcasts, 2 weight loads with their shuffles, 12 VPDPBUSD.

#define INIT \
	MOVQ       IGEMMArgs_Bias(DI), AX \
	VMOVDQU    (AX), Y1               \
	VPXOR      Y2, Y2, Y2             \
	VPUNPCKLDQ Y2, Y1, Y0             \
	VPUNPCKHDQ Y2, Y1, Y1             \
	VMOVDQA    Y0, Y2                 \
	VMOVDQA    Y1, Y3                 \
	VMOVDQA    Y0, Y4                 \
	VMOVDQA    Y1, Y5                 \
	VMOVDQA    Y0, Y6                 \
	VMOVDQA    Y1, Y7                 \
	VMOVDQA    Y0, Y8                 \
	VMOVDQA    Y1, Y9                 \
	VMOVDQA    Y0, Y10                \
	VMOVDQA    Y1, Y11

// DOTS multiplies two quads of a pixel with the weights in Y12 and Y13.
#define DOTS(P, a, b) \
	VPBROADCASTQ (P)(DX*1), Y14 \
	VPDPBUSD_VEX(12, 14, a)     \
	VPDPBUSD_VEX(13, 14, b)

#define BODY \
	VMOVDQU    (BX), Y13        \
	VPUNPCKLDQ 32(BX), Y13, Y12 \
	VPUNPCKHDQ 32(BX), Y13, Y13 \
	DOTS(R8, 0, 1)              \
	DOTS(R9, 2, 3)              \
	DOTS(R10, 4, 5)             \
	DOTS(R11, 6, 7)             \
	DOTS(R14, 8, 9)             \
	DOTS(R15, 10, 11)           \
	ADDQ       $64, BX          \
	ADDQ       $8, DX

#define FOLD \
	VPHADDD Y1, Y0, Y0    \
	VPHADDD Y3, Y2, Y2    \
	VPHADDD Y5, Y4, Y4    \
	VPHADDD Y7, Y6, Y6    \
	VPHADDD Y9, Y8, Y8    \
	VPHADDD Y11, Y10, Y10

#define FINISH(POINT, ADD, BYTES) \
	SUMS1(0, Y0, POINT, ADD, BYTES)  \
	STORE(0, Y0, VMOVQ, X0)          \
	SUMS1(1, Y2, POINT, ADD, BYTES)  \
	STORE(1, Y2, VMOVQ, X2)          \
	SUMS1(2, Y4, POINT, ADD, BYTES)  \
	STORE(2, Y4, VMOVQ, X4)          \
	SUMS1(3, Y6, POINT, ADD, BYTES)  \
	STORE(3, Y6, VMOVQ, X6)          \
	SUMS1(4, Y8, POINT, ADD, BYTES)  \
	STORE(4, Y8, VMOVQ, X8)          \
	SUMS1(5, Y10, POINT, ADD, BYTES) \
	STORE(5, Y10, VMOVQ, X10)

// func igemm8AVXVNNI(a *IGEMMArgs)
TEXT ·igemm8AVXVNNI(SB), NOSPLIT, $24-8
	IGEMM_VNNI(6, PIXELS6, INIT, BODY, FOLD, FINISH)
