#include "go_asm.h"
#include "textflag.h"
#include "igemm_avx2_amd64.h"

// AVX2 indirect GEMM for panels of 8 channels, 4 pixels by 1 vector: the groups of a wide grouped
// convolution and what is left of a layer after panels of 32. Sums are Y0, Y2, Y4, Y6, pixel by pixel.

// Sums of four pixels, chains of one quad: VPMADDUBSW cannot saturate.
#define TILE_CHAIN1 \
	VPBROADCASTD (R8)(DX*1), Y8   \
	VPBROADCASTD 4(R8)(DX*1), Y9  \
	QUAD1(0, Y8, Y0)              \
	QUAD1(32, Y9, Y0)             \
	VPBROADCASTD (R9)(DX*1), Y8   \
	VPBROADCASTD 4(R9)(DX*1), Y9  \
	QUAD1(0, Y8, Y2)              \
	QUAD1(32, Y9, Y2)             \
	VPBROADCASTD (R10)(DX*1), Y8  \
	VPBROADCASTD 4(R10)(DX*1), Y9 \
	QUAD1(0, Y8, Y4)              \
	QUAD1(32, Y9, Y4)             \
	VPBROADCASTD (R11)(DX*1), Y8  \
	VPBROADCASTD 4(R11)(DX*1), Y9 \
	QUAD1(0, Y8, Y6)              \
	QUAD1(32, Y9, Y6)

#define ONE_CHAIN1 \
	VPBROADCASTD (R8)(DX*1), Y8  \
	VPBROADCASTD 4(R8)(DX*1), Y9 \
	QUAD1(0, Y8, Y0)             \
	QUAD1(32, Y9, Y0)

// Sums of four pixels, two quads in an int16 lane.
#define TILE_CHAIN2 \
	VPBROADCASTD (R8)(DX*1), Y8   \
	VPBROADCASTD 4(R8)(DX*1), Y9  \
	QUAD2(0, 32, Y8, Y9, Y0)      \
	VPBROADCASTD (R9)(DX*1), Y8   \
	VPBROADCASTD 4(R9)(DX*1), Y9  \
	QUAD2(0, 32, Y8, Y9, Y2)      \
	VPBROADCASTD (R10)(DX*1), Y8  \
	VPBROADCASTD 4(R10)(DX*1), Y9 \
	QUAD2(0, 32, Y8, Y9, Y4)      \
	VPBROADCASTD (R11)(DX*1), Y8  \
	VPBROADCASTD 4(R11)(DX*1), Y9 \
	QUAD2(0, 32, Y8, Y9, Y6)

#define ONE_CHAIN2 \
	VPBROADCASTD (R8)(DX*1), Y8  \
	VPBROADCASTD 4(R8)(DX*1), Y9 \
	QUAD2(0, 32, Y8, Y9, Y0)

// Sums of four pixels, four quads in an int16 lane.
#define TILE_CHAIN4 \
	QUADS4(R8)       \
	QUAD4(0, 32, Y0) \
	QUADS4(R9)       \
	QUAD4(0, 32, Y2) \
	QUADS4(R10)      \
	QUAD4(0, 32, Y4) \
	QUADS4(R11)      \
	QUAD4(0, 32, Y6)

#define ONE_CHAIN4 \
	QUADS4(R8)       \
	QUAD4(0, 32, Y0)

// Sums for weights that prove nothing: bytes widened to int16.
#define TILE_WIDE \
	WIDEN(0, Y10, Y11)         \
	SPLIT(R8, 0, Y8, Y9)       \
	WIDE(Y8, Y9, Y10, Y11, Y0) \
	SPLIT(R9, 0, Y8, Y9)       \
	WIDE(Y8, Y9, Y10, Y11, Y2) \
	SPLIT(R10, 0, Y8, Y9)      \
	WIDE(Y8, Y9, Y10, Y11, Y4) \
	SPLIT(R11, 0, Y8, Y9)      \
	WIDE(Y8, Y9, Y10, Y11, Y6) \
	WIDEN(32, Y10, Y11)        \
	SPLIT(R8, 4, Y8, Y9)       \
	WIDE(Y8, Y9, Y10, Y11, Y0) \
	SPLIT(R9, 4, Y8, Y9)       \
	WIDE(Y8, Y9, Y10, Y11, Y2) \
	SPLIT(R10, 4, Y8, Y9)      \
	WIDE(Y8, Y9, Y10, Y11, Y4) \
	SPLIT(R11, 4, Y8, Y9)      \
	WIDE(Y8, Y9, Y10, Y11, Y6)

#define ONE_WIDE \
	WIDEN(0, Y10, Y11)         \
	SPLIT(R8, 0, Y8, Y9)       \
	WIDE(Y8, Y9, Y10, Y11, Y0) \
	WIDEN(32, Y10, Y11)        \
	SPLIT(R8, 4, Y8, Y9)       \
	WIDE(Y8, Y9, Y10, Y11, Y0)

#define TILE 4
#define QUAD 32

#define TILE_PIXELS \
	PIXEL(0, R8)  \
	PIXEL(1, R9)  \
	PIXEL(2, R10) \
	PIXEL(3, R11)

#define LOAD_BIAS \
	MOVQ    IGEMMArgs_Bias(DI), AX \
	VMOVDQU (AX), Y0

#define SPREAD_BIAS \
	VMOVDQA Y0, Y2 \
	VMOVDQA Y0, Y4 \
	VMOVDQA Y0, Y6

// x is the low half of a.
#define TILE_EACH(OP) \
	OP(0, Y0, X0) \
	OP(1, Y2, X2) \
	OP(2, Y4, X4) \
	OP(3, Y6, X6)

#define ONE(OP) OP(0, Y0, X0)

#define SCALES(i, a, x) \
SCALE(0, a)

#define ADDS_UNSIGNED(i, a, x) \
	RESIDUAL(i)        \
	ADD_UNSIGNED(0, a)

#define ADDS_SIGNED(i, a, x) \
	RESIDUAL(i)      \
	ADD_SIGNED(0, a)

#define STORE_UNSIGNED(i, a, x) \
	ROUND(a)            \
	VPACKSSDW a, a, a   \
	VPACKUSWB a, a, a   \
	VPERMD    a, Y13, a \
	OUTPUT(i)           \
	VMOVQ     x, (R9)

#define STORE_SIGNED(i, a, x) \
	ROUND(a)                       \
	VPACKSSDW a, a, a              \
	VPACKSSWB a, a, a              \
	VPMAXSB   minus127<>(SB), a, a \
	VPERMD    a, Y13, a            \
	OUTPUT(i)                      \
	VMOVQ     x, (R9)

// func igemm8WideAVX2(a *IGEMMArgs)
TEXT ·igemm8WideAVX2(SB), NOSPLIT, $0-8
	IGEMM(MASK, WIDE_TILE, WIDE_ONE)

// func igemm8Chain1AVX2(a *IGEMMArgs)
TEXT ·igemm8Chain1AVX2(SB), NOSPLIT, $0-8
	IGEMM(ONES, CHAIN1_TILE, CHAIN1_ONE)

// func igemm8Chain2AVX2(a *IGEMMArgs)
TEXT ·igemm8Chain2AVX2(SB), NOSPLIT, $0-8
	IGEMM(ONES, CHAIN2_TILE, CHAIN2_ONE)

// func igemm8Chain4AVX2(a *IGEMMArgs)
TEXT ·igemm8Chain4AVX2(SB), NOSPLIT, $0-8
	IGEMM(ONES, CHAIN4_TILE, CHAIN4_ONE)
