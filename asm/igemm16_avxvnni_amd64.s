#include "go_asm.h"
#include "textflag.h"
#include "igemm_vnni256_amd64.h"

// AVX-VNNI indirect GEMM for panels of 16 channels, 6 pixels by 2 vectors: the groups of a wide grouped
// convolution and what is left of a layer after panels of 32. For Alder Lake-N (N100), Alder Lake and later PCs,
// Zen 5. Sums are Y0 Y1, Y2 Y3, ... Y10 Y11, pixel by pixel. Per quad: 6 broadcasts and 2 weight loads, 12 VPDPBUSD.

#define INIT \
	MOVQ    IGEMMArgs_Bias(DI), AX \
	VMOVDQU (AX), Y0               \
	VMOVDQU 32(AX), Y1             \
	VMOVDQA Y0, Y2                 \
	VMOVDQA Y1, Y3                 \
	VMOVDQA Y0, Y4                 \
	VMOVDQA Y1, Y5                 \
	VMOVDQA Y0, Y6                 \
	VMOVDQA Y1, Y7                 \
	VMOVDQA Y0, Y8                 \
	VMOVDQA Y1, Y9                 \
	VMOVDQA Y0, Y10                \
	VMOVDQA Y1, Y11

// DOTS multiplies a quad of a pixel with two vectors of weights (Y12 and Y13).
#define DOTS(at, P, a, b) \
	VPBROADCASTD at(P)(DX*1), Y14 \
	VPDPBUSD_VEX(12, 14, a)       \
	VPDPBUSD_VEX(13, 14, b)

#define QUAD(w, at) \
	VMOVDQU w(BX), Y12      \
	VMOVDQU (w+32)(BX), Y13 \
	DOTS(at, R8, 0, 1)      \
	DOTS(at, R9, 2, 3)      \
	DOTS(at, R10, 4, 5)     \
	DOTS(at, R11, 6, 7)     \
	DOTS(at, R14, 8, 9)     \
	DOTS(at, R15, 10, 11)

#define BODY \
	QUAD(0, 0)    \
	QUAD(64, 4)   \
	ADDQ $128, BX \
	ADDQ $8, DX

#define FOLD

#define FINISH(POINT, ADD, BYTES) \
	SUMS2(0, 32, Y0, Y1, POINT, ADD, BYTES)   \
	STORE(0, Y0, VMOVDQU, X0)                 \
	SUMS2(1, 32, Y2, Y3, POINT, ADD, BYTES)   \
	STORE(1, Y2, VMOVDQU, X2)                 \
	SUMS2(2, 32, Y4, Y5, POINT, ADD, BYTES)   \
	STORE(2, Y4, VMOVDQU, X4)                 \
	SUMS2(3, 32, Y6, Y7, POINT, ADD, BYTES)   \
	STORE(3, Y6, VMOVDQU, X6)                 \
	SUMS2(4, 32, Y8, Y9, POINT, ADD, BYTES)   \
	STORE(4, Y8, VMOVDQU, X8)                 \
	SUMS2(5, 32, Y10, Y11, POINT, ADD, BYTES) \
	STORE(5, Y10, VMOVDQU, X10)

// func igemm16AVXVNNI(a *IGEMMArgs)
TEXT ·igemm16AVXVNNI(SB), NOSPLIT, $24-8
	IGEMM_VNNI(6, PIXELS6, INIT, BODY, FOLD, FINISH)
