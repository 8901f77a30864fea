#include "go_asm.h"
#include "textflag.h"
#include "igemm_vnni256_amd64.h"

// AVX-VNNI indirect GEMM for panels of 32 channels, 3 pixels by 4 vectors. For Alder Lake-N (N100), Alder Lake and
// later PCs, Zen 5. Per quad: 3 broadcasts and 4 weight loads, 12 VPDPBUSD.
//
//	          channels 0-7   8-15   16-23   24-31
//	pixel 0        Y0         Y1     Y2      Y3
//	pixel 1        Y4         Y5     Y6      Y7
//	pixel 2        Y8         Y9     Y10     Y11

#define INIT \
	MOVQ    IGEMMArgs_Bias(DI), AX \
	VMOVDQU (AX), Y0               \
	VMOVDQU 32(AX), Y1             \
	VMOVDQU 64(AX), Y2             \
	VMOVDQU 96(AX), Y3             \
	VMOVDQA Y0, Y4                 \
	VMOVDQA Y1, Y5                 \
	VMOVDQA Y2, Y6                 \
	VMOVDQA Y3, Y7                 \
	VMOVDQA Y0, Y8                 \
	VMOVDQA Y1, Y9                 \
	VMOVDQA Y2, Y10                \
	VMOVDQA Y3, Y11

// DOTS multiplies the vector of weights at w with a quad of each pixel (Y12 to Y14).
#define DOTS(w, a, b, c) \
	VMOVDQU w(BX), Y15      \
	VPDPBUSD_VEX(15, 12, a) \
	VPDPBUSD_VEX(15, 13, b) \
	VPDPBUSD_VEX(15, 14, c)

#define QUAD(w, at) \
	VPBROADCASTD at(R8)(DX*1), Y12  \
	VPBROADCASTD at(R9)(DX*1), Y13  \
	VPBROADCASTD at(R10)(DX*1), Y14 \
	DOTS(w, 0, 4, 8)                \
	DOTS((w+32), 1, 5, 9)           \
	DOTS((w+64), 2, 6, 10)          \
	DOTS((w+96), 3, 7, 11)

#define BODY \
	QUAD(0, 0)    \
	QUAD(128, 4)  \
	ADDQ $256, BX \
	ADDQ $8, DX

#define FOLD

#define FINISH(POINT, ADD, BYTES) \
	SUMS4(0, 32, Y0, Y1, Y2, Y3, POINT, ADD, BYTES)   \
	STORE(0, Y0, VMOVDQU, Y0)                         \
	SUMS4(1, 32, Y4, Y5, Y6, Y7, POINT, ADD, BYTES)   \
	STORE(1, Y4, VMOVDQU, Y4)                         \
	SUMS4(2, 32, Y8, Y9, Y10, Y11, POINT, ADD, BYTES) \
	STORE(2, Y8, VMOVDQU, Y8)

// func igemm32AVXVNNI(a *IGEMMArgs)
TEXT ·igemm32AVXVNNI(SB), NOSPLIT, $24-8
	IGEMM_VNNI(3, PIXELS3, INIT, BODY, FOLD, FINISH)
