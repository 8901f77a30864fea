#include "go_asm.h"
#include "textflag.h"
#include "igemm_vnni256_amd64.h"

// AVX-512 VNNI indirect GEMM for panels of 8 channels, 7 pixels: the groups of odd widths. For Cascade Lake, Ice Lake
// and later servers, Zen 4 and later. Two quads fill a vector; their weights are interleaved,
//
//	memory     c0 c1 c2 c3 c4 c5 c6 c7 | c0'c1'c2'c3'c4'c5'c6'c7'
//	Z12        c0 c0' c1 c1' c2 c2' c3 c3' c4 c4' c5 c5' c6 c6' c7 c7'
//
// so that one broadcast of 8 activations serves both. Sums are Z0 to Z6, even dwords beginning with the bias and
// odd ones with 0. Per two quads: 7 broadcasts, one weight load with its shuffle, 7 VPDPBUSD.

// interleave brings dwords 0 to 7 to even places and 8 to 15 to odd ones.
DATA interleave<>+0(SB)/8, $0x0000000800000000
DATA interleave<>+8(SB)/8, $0x0000000900000001
DATA interleave<>+16(SB)/8, $0x0000000a00000002
DATA interleave<>+24(SB)/8, $0x0000000b00000003
DATA interleave<>+32(SB)/8, $0x0000000c00000004
DATA interleave<>+40(SB)/8, $0x0000000d00000005
DATA interleave<>+48(SB)/8, $0x0000000e00000006
DATA interleave<>+56(SB)/8, $0x0000000f00000007
GLOBL interleave<>(SB), RODATA|NOPTR, $64

#define INIT \
	VMOVDQU32 interleave<>(SB), Z15  \
	MOVQ      IGEMMArgs_Bias(DI), AX \
	VPMOVZXDQ (AX), Z0               \
	VMOVDQA32 Z0, Z1                 \
	VMOVDQA32 Z0, Z2                 \
	VMOVDQA32 Z0, Z3                 \
	VMOVDQA32 Z0, Z4                 \
	VMOVDQA32 Z0, Z5                 \
	VMOVDQA32 Z0, Z6

#define DOTS(P, x, sums) \
	VPBROADCASTQ (P)(DX*1), x \
	VPDPBUSD     Z12, x, sums

#define BODY \
	VPERMD (BX), Z15, Z12 \
	DOTS(R8, Z16, Z0)     \
	DOTS(R9, Z17, Z1)     \
	DOTS(R10, Z18, Z2)    \
	DOTS(R11, Z19, Z3)    \
	DOTS(R14, Z20, Z4)    \
	DOTS(R15, Z21, Z5)    \
	DOTS(R13, Z22, Z6)    \
	ADDQ   $64, BX        \
	ADDQ   $8, DX

// PAIR adds odd to even dwords and keeps those; y is the low half of sums.
#define PAIR(sums, y) \
	VPSRLQ  $32, sums, Z12  \
	VPADDD  Z12, sums, sums \
	VPMOVQD sums, y

#define FOLD \
	PAIR(Z0, Y0) \
	PAIR(Z1, Y1) \
	PAIR(Z2, Y2) \
	PAIR(Z3, Y3) \
	PAIR(Z4, Y4) \
	PAIR(Z5, Y5) \
	PAIR(Z6, Y6)

#define FINISH(POINT, ADD, BYTES) \
	SUMS1(0, Y0, POINT, ADD, BYTES) \
	STORE(0, Y0, VMOVQ, X0)         \
	SUMS1(1, Y1, POINT, ADD, BYTES) \
	STORE(1, Y1, VMOVQ, X1)         \
	SUMS1(2, Y2, POINT, ADD, BYTES) \
	STORE(2, Y2, VMOVQ, X2)         \
	SUMS1(3, Y3, POINT, ADD, BYTES) \
	STORE(3, Y3, VMOVQ, X3)         \
	SUMS1(4, Y4, POINT, ADD, BYTES) \
	STORE(4, Y4, VMOVQ, X4)         \
	SUMS1(5, Y5, POINT, ADD, BYTES) \
	STORE(5, Y5, VMOVQ, X5)         \
	SUMS1(6, Y6, POINT, ADD, BYTES) \
	STORE(6, Y6, VMOVQ, X6)

// func igemm8AVX512VNNI(a *IGEMMArgs)
TEXT ·igemm8AVX512VNNI(SB), NOSPLIT, $24-8
	IGEMM_VNNI(7, PIXELS7, INIT, BODY, FOLD, FINISH)
