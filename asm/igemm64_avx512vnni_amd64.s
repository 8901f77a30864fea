#include "go_asm.h"
#include "textflag.h"
#include "igemm_vnni512_amd64.h"

// AVX-512 VNNI indirect GEMM for panels of 64 channels, 7 pixels by 4 vectors: the maps of 224x224 images are 7, 14, 28
// and 56 pixels wide. For Cascade Lake, Ice Lake and later servers, Zen 4 and later. Per quad: 7 broadcasts, 3 weight
// loads and a fourth vector of weights that stays in memory, 28 VPDPBUSD.
//
//	          channels 0-15   16-31   32-47   48-63
//	pixel 0         Z0          Z1     Z2      Z3
//	pixel 1         Z4          Z5     Z6      Z7
//	...
//	pixel 6         Z24         Z25    Z26     Z27

#define INIT \
	MOVQ      IGEMMArgs_Bias(DI), AX \
	VMOVDQU32 (AX), Z0               \
	VMOVDQU32 64(AX), Z1             \
	VMOVDQU32 128(AX), Z2            \
	VMOVDQU32 192(AX), Z3            \
	VMOVDQA32 Z0, Z4                 \
	VMOVDQA32 Z1, Z5                 \
	VMOVDQA32 Z2, Z6                 \
	VMOVDQA32 Z3, Z7                 \
	VMOVDQA32 Z0, Z8                 \
	VMOVDQA32 Z1, Z9                 \
	VMOVDQA32 Z2, Z10                \
	VMOVDQA32 Z3, Z11                \
	VMOVDQA32 Z0, Z12                \
	VMOVDQA32 Z1, Z13                \
	VMOVDQA32 Z2, Z14                \
	VMOVDQA32 Z3, Z15                \
	VMOVDQA32 Z0, Z16                \
	VMOVDQA32 Z1, Z17                \
	VMOVDQA32 Z2, Z18                \
	VMOVDQA32 Z3, Z19                \
	VMOVDQA32 Z0, Z20                \
	VMOVDQA32 Z1, Z21                \
	VMOVDQA32 Z2, Z22                \
	VMOVDQA32 Z3, Z23                \
	VMOVDQA32 Z0, Z24                \
	VMOVDQA32 Z1, Z25                \
	VMOVDQA32 Z2, Z26                \
	VMOVDQA32 Z3, Z27

// DOTS multiplies a quad of a pixel with four vectors of weights (Z28 to Z30, and w).
#define DOTS(w, at, P, a, b, c, d) \
	VPBROADCASTD at(P)(DX*1), Z31    \
	VPDPBUSD     Z28, Z31, a         \
	VPDPBUSD     Z29, Z31, b         \
	VPDPBUSD     Z30, Z31, c         \
	VPDPBUSD     (w+192)(BX), Z31, d

#define QUAD(w, at) \
	VMOVDQU32 w(BX), Z28                 \
	VMOVDQU32 (w+64)(BX), Z29            \
	VMOVDQU32 (w+128)(BX), Z30           \
	DOTS(w, at, R8, Z0, Z1, Z2, Z3)      \
	DOTS(w, at, R9, Z4, Z5, Z6, Z7)      \
	DOTS(w, at, R10, Z8, Z9, Z10, Z11)   \
	DOTS(w, at, R11, Z12, Z13, Z14, Z15) \
	DOTS(w, at, R14, Z16, Z17, Z18, Z19) \
	DOTS(w, at, R15, Z20, Z21, Z22, Z23) \
	DOTS(w, at, R13, Z24, Z25, Z26, Z27)

#define BODY \
	QUAD(0, 0)    \
	QUAD(256, 4)  \
	ADDQ $512, BX \
	ADDQ $8, DX

#define FOLD

#define FINISH(POINT, ADD, BYTES) \
	SUMS4(0, 64, Z0, Z1, Z2, Z3, POINT, ADD, BYTES)     \
	STORE(0, Z0, VMOVDQU32, Z0)                         \
	SUMS4(1, 64, Z4, Z5, Z6, Z7, POINT, ADD, BYTES)     \
	STORE(1, Z4, VMOVDQU32, Z4)                         \
	SUMS4(2, 64, Z8, Z9, Z10, Z11, POINT, ADD, BYTES)   \
	STORE(2, Z8, VMOVDQU32, Z8)                         \
	SUMS4(3, 64, Z12, Z13, Z14, Z15, POINT, ADD, BYTES) \
	STORE(3, Z12, VMOVDQU32, Z12)                       \
	SUMS4(4, 64, Z16, Z17, Z18, Z19, POINT, ADD, BYTES) \
	STORE(4, Z16, VMOVDQU32, Z16)                       \
	SUMS4(5, 64, Z20, Z21, Z22, Z23, POINT, ADD, BYTES) \
	STORE(5, Z20, VMOVDQU32, Z20)                       \
	SUMS4(6, 64, Z24, Z25, Z26, Z27, POINT, ADD, BYTES) \
	STORE(6, Z24, VMOVDQU32, Z24)

// func igemm64AVX512VNNI(a *IGEMMArgs)
TEXT ·igemm64AVX512VNNI(SB), NOSPLIT, $24-8
	IGEMM_VNNI(7, PIXELS7, INIT, BODY, FOLD, FINISH)
