#include "go_asm.h"
#include "textflag.h"
#include "igemm_vnni512_amd64.h"

// AVX-512 VNNI indirect GEMM for panels of 64 channels, 6 pixels by 4 vectors. For Cascade Lake, Ice Lake and later
// servers, Zen 4 and later. Per quad: 6 broadcasts and 4 weight loads, 24 VPDPBUSD.
//
//	          channels 0-15   16-31   32-47   48-63
//	pixel 0         Z0          Z1     Z2      Z3
//	pixel 1         Z4          Z5     Z6      Z7
//	...
//	pixel 5         Z20         Z21    Z22     Z23

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
	VMOVDQA32 Z3, Z23

// DOTS multiplies the vector of weights at w with a quad of each pixel (Z24 to Z29).
#define DOTS(w, a, b, c, d, e, f) \
	VMOVDQU32 w(BX), Z30  \
	VPDPBUSD  Z30, Z24, a \
	VPDPBUSD  Z30, Z25, b \
	VPDPBUSD  Z30, Z26, c \
	VPDPBUSD  Z30, Z27, d \
	VPDPBUSD  Z30, Z28, e \
	VPDPBUSD  Z30, Z29, f

#define QUAD(w, at) \
	VPBROADCASTD at(R8)(DX*1), Z24            \
	VPBROADCASTD at(R9)(DX*1), Z25            \
	VPBROADCASTD at(R10)(DX*1), Z26           \
	VPBROADCASTD at(R11)(DX*1), Z27           \
	VPBROADCASTD at(R14)(DX*1), Z28           \
	VPBROADCASTD at(R15)(DX*1), Z29           \
	DOTS(w, Z0, Z4, Z8, Z12, Z16, Z20)        \
	DOTS((w+64), Z1, Z5, Z9, Z13, Z17, Z21)   \
	DOTS((w+128), Z2, Z6, Z10, Z14, Z18, Z22) \
	DOTS((w+192), Z3, Z7, Z11, Z15, Z19, Z23)

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
	STORE(5, Z20, VMOVDQU32, Z20)

// func igemm64AVX512VNNI(a *IGEMMArgs)
TEXT ·igemm64AVX512VNNI(SB), NOSPLIT, $0-8
	IGEMM_VNNI(6, PIXELS6, INIT, BODY, FOLD, FINISH)
