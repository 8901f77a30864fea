#include "go_asm.h"
#include "textflag.h"
#include "igemm_avx2_amd64.h"

// AVX2 indirect GEMM for panels of 32 channels, 2 pixels by 4 vectors. For Zen and Haswell and later
// without VNNI. Per 8 k: 4 broadcasts and 16 weight loads against 40 vector operations (chain 2).

// Sums of two pixels, chains of one quad: VPMADDUBSW cannot saturate.
#define TILE_CHAIN1 \
	VPBROADCASTD (R8)(DX*1), Y8   \
	VPBROADCASTD 4(R8)(DX*1), Y9  \
	VPBROADCASTD (R9)(DX*1), Y10  \
	VPBROADCASTD 4(R9)(DX*1), Y11 \
	QUAD1(0, Y8, Y0)              \
	QUAD1(32, Y8, Y1)             \
	QUAD1(64, Y8, Y2)             \
	QUAD1(96, Y8, Y3)             \
	QUAD1(128, Y9, Y0)            \
	QUAD1(160, Y9, Y1)            \
	QUAD1(192, Y9, Y2)            \
	QUAD1(224, Y9, Y3)            \
	QUAD1(0, Y10, Y4)             \
	QUAD1(32, Y10, Y5)            \
	QUAD1(64, Y10, Y6)            \
	QUAD1(96, Y10, Y7)            \
	QUAD1(128, Y11, Y4)           \
	QUAD1(160, Y11, Y5)           \
	QUAD1(192, Y11, Y6)           \
	QUAD1(224, Y11, Y7)

#define ONE_CHAIN1 \
	VPBROADCASTD (R8)(DX*1), Y8  \
	VPBROADCASTD 4(R8)(DX*1), Y9 \
	QUAD1(0, Y8, Y0)             \
	QUAD1(32, Y8, Y1)            \
	QUAD1(64, Y8, Y2)            \
	QUAD1(96, Y8, Y3)            \
	QUAD1(128, Y9, Y0)           \
	QUAD1(160, Y9, Y1)           \
	QUAD1(192, Y9, Y2)           \
	QUAD1(224, Y9, Y3)

// Sums of two pixels, two quads in an int16 lane.
#define TILE_CHAIN2 \
	VPBROADCASTD (R8)(DX*1), Y8   \
	VPBROADCASTD 4(R8)(DX*1), Y9  \
	VPBROADCASTD (R9)(DX*1), Y10  \
	VPBROADCASTD 4(R9)(DX*1), Y11 \
	QUAD2(0, 128, Y8, Y9, Y0)     \
	QUAD2(32, 160, Y8, Y9, Y1)    \
	QUAD2(64, 192, Y8, Y9, Y2)    \
	QUAD2(96, 224, Y8, Y9, Y3)    \
	QUAD2(0, 128, Y10, Y11, Y4)   \
	QUAD2(32, 160, Y10, Y11, Y5)  \
	QUAD2(64, 192, Y10, Y11, Y6)  \
	QUAD2(96, 224, Y10, Y11, Y7)

#define ONE_CHAIN2 \
	VPBROADCASTD (R8)(DX*1), Y8  \
	VPBROADCASTD 4(R8)(DX*1), Y9 \
	QUAD2(0, 128, Y8, Y9, Y0)    \
	QUAD2(32, 160, Y8, Y9, Y1)   \
	QUAD2(64, 192, Y8, Y9, Y2)   \
	QUAD2(96, 224, Y8, Y9, Y3)

// Sums of two pixels, four quads in an int16 lane.
#define TILE_CHAIN4 \
	QUADS4(R8)         \
	QUAD4(0, 128, Y0)  \
	QUAD4(32, 128, Y1) \
	QUAD4(64, 128, Y2) \
	QUAD4(96, 128, Y3) \
	QUADS4(R9)         \
	QUAD4(0, 128, Y4)  \
	QUAD4(32, 128, Y5) \
	QUAD4(64, 128, Y6) \
	QUAD4(96, 128, Y7)

#define ONE_CHAIN4 \
	QUADS4(R8)         \
	QUAD4(0, 128, Y0)  \
	QUAD4(32, 128, Y1) \
	QUAD4(64, 128, Y2) \
	QUAD4(96, 128, Y3)

// Sums for weights that prove nothing: bytes widened to int16.
#define TILE_WIDE \
	SPLIT(R8, 0, Y8, Y9)         \
	SPLIT(R9, 0, Y10, Y11)       \
	WIDEN(0, Y12, Y13)           \
	WIDE(Y8, Y9, Y12, Y13, Y0)   \
	WIDE(Y10, Y11, Y12, Y13, Y4) \
	WIDEN(32, Y12, Y13)          \
	WIDE(Y8, Y9, Y12, Y13, Y1)   \
	WIDE(Y10, Y11, Y12, Y13, Y5) \
	WIDEN(64, Y12, Y13)          \
	WIDE(Y8, Y9, Y12, Y13, Y2)   \
	WIDE(Y10, Y11, Y12, Y13, Y6) \
	WIDEN(96, Y12, Y13)          \
	WIDE(Y8, Y9, Y12, Y13, Y3)   \
	WIDE(Y10, Y11, Y12, Y13, Y7) \
	SPLIT(R8, 4, Y8, Y9)         \
	SPLIT(R9, 4, Y10, Y11)       \
	WIDEN(128, Y12, Y13)         \
	WIDE(Y8, Y9, Y12, Y13, Y0)   \
	WIDE(Y10, Y11, Y12, Y13, Y4) \
	WIDEN(160, Y12, Y13)         \
	WIDE(Y8, Y9, Y12, Y13, Y1)   \
	WIDE(Y10, Y11, Y12, Y13, Y5) \
	WIDEN(192, Y12, Y13)         \
	WIDE(Y8, Y9, Y12, Y13, Y2)   \
	WIDE(Y10, Y11, Y12, Y13, Y6) \
	WIDEN(224, Y12, Y13)         \
	WIDE(Y8, Y9, Y12, Y13, Y3)   \
	WIDE(Y10, Y11, Y12, Y13, Y7)

#define ONE_WIDE \
	SPLIT(R8, 0, Y8, Y9)       \
	WIDEN(0, Y12, Y13)         \
	WIDE(Y8, Y9, Y12, Y13, Y0) \
	WIDEN(32, Y12, Y13)        \
	WIDE(Y8, Y9, Y12, Y13, Y1) \
	WIDEN(64, Y12, Y13)        \
	WIDE(Y8, Y9, Y12, Y13, Y2) \
	WIDEN(96, Y12, Y13)        \
	WIDE(Y8, Y9, Y12, Y13, Y3) \
	SPLIT(R8, 4, Y8, Y9)       \
	WIDEN(128, Y12, Y13)       \
	WIDE(Y8, Y9, Y12, Y13, Y0) \
	WIDEN(160, Y12, Y13)       \
	WIDE(Y8, Y9, Y12, Y13, Y1) \
	WIDEN(192, Y12, Y13)       \
	WIDE(Y8, Y9, Y12, Y13, Y2) \
	WIDEN(224, Y12, Y13)       \
	WIDE(Y8, Y9, Y12, Y13, Y3)

#define TILE 2
#define QUAD 128

#define TILE_PIXELS \
	PIXEL(0, R8) \
	PIXEL(1, R9)

#define LOAD_BIAS \
	MOVQ    IGEMMArgs_Bias(DI), AX \
	VMOVDQU (AX), Y0               \
	VMOVDQU 32(AX), Y1             \
	VMOVDQU 64(AX), Y2             \
	VMOVDQU 96(AX), Y3

#define SPREAD_BIAS \
	VMOVDQA Y0, Y4 \
	VMOVDQA Y1, Y5 \
	VMOVDQA Y2, Y6 \
	VMOVDQA Y3, Y7

// x is the low half of a.
#define TILE_EACH(OP) \
	OP(0, Y0, Y1, Y2, Y3, X0) \
	OP(1, Y4, Y5, Y6, Y7, X4)

#define ONE(OP) OP(0, Y0, Y1, Y2, Y3, X0)

#define SCALES(i, a, b, c, d, x) \
	SCALE(0, a)  \
	SCALE(32, b) \
	SCALE(64, c) \
	SCALE(96, d)

#define ADDS_UNSIGNED(i, a, b, c, d, x) \
	RESIDUAL(i)         \
	ADD_UNSIGNED(0, a)  \
	ADD_UNSIGNED(8, b)  \
	ADD_UNSIGNED(16, c) \
	ADD_UNSIGNED(24, d)

#define ADDS_SIGNED(i, a, b, c, d, x) \
	RESIDUAL(i)       \
	ADD_SIGNED(0, a)  \
	ADD_SIGNED(8, b)  \
	ADD_SIGNED(16, c) \
	ADD_SIGNED(24, d)

#define STORE_UNSIGNED(i, a, b, c, d, x) \
	ROUND(a)            \
	ROUND(b)            \
	ROUND(c)            \
	ROUND(d)            \
	VPACKSSDW b, a, a   \
	VPACKSSDW d, c, c   \
	VPACKUSWB c, a, a   \
	VPERMD    a, Y13, a \
	OUTPUT(i)           \
	VMOVDQU   a, (R9)

#define STORE_SIGNED(i, a, b, c, d, x) \
	ROUND(a)                       \
	ROUND(b)                       \
	ROUND(c)                       \
	ROUND(d)                       \
	VPACKSSDW b, a, a              \
	VPACKSSDW d, c, c              \
	VPACKSSWB c, a, a              \
	VPMAXSB   minus127<>(SB), a, a \
	VPERMD    a, Y13, a            \
	OUTPUT(i)                      \
	VMOVDQU   a, (R9)

// func igemm32WideAVX2(a *IGEMMArgs)
TEXT ·igemm32WideAVX2(SB), NOSPLIT, $0-8
	IGEMM(MASK, WIDE_TILE, WIDE_ONE)

// func igemm32Chain1AVX2(a *IGEMMArgs)
TEXT ·igemm32Chain1AVX2(SB), NOSPLIT, $0-8
	IGEMM(ONES, CHAIN1_TILE, CHAIN1_ONE)

// func igemm32Chain2AVX2(a *IGEMMArgs)
TEXT ·igemm32Chain2AVX2(SB), NOSPLIT, $0-8
	IGEMM(ONES, CHAIN2_TILE, CHAIN2_ONE)

// func igemm32Chain4AVX2(a *IGEMMArgs)
TEXT ·igemm32Chain4AVX2(SB), NOSPLIT, $0-8
	IGEMM(ONES, CHAIN4_TILE, CHAIN4_ONE)
