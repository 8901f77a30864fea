#include "go_asm.h"
#include "textflag.h"
#include "igemm_avx2_amd64.h"

// AVX2 indirect GEMM for panels of 16 channels, 4 pixels by 2 vectors: the groups of a wide grouped
// convolution and what is left of a layer after panels of 32. Sums are Y0 Y1, Y2 Y3, Y4 Y5, Y6 Y7, pixel by pixel.

// Sums of four pixels, chains of one quad: VPMADDUBSW cannot saturate.
#define TILE_CHAIN1 \
	VPBROADCASTD (R8)(DX*1), Y8   \
	VPBROADCASTD 4(R8)(DX*1), Y9  \
	QUAD1(0, Y8, Y0)              \
	QUAD1(32, Y8, Y1)             \
	QUAD1(64, Y9, Y0)             \
	QUAD1(96, Y9, Y1)             \
	VPBROADCASTD (R9)(DX*1), Y8   \
	VPBROADCASTD 4(R9)(DX*1), Y9  \
	QUAD1(0, Y8, Y2)              \
	QUAD1(32, Y8, Y3)             \
	QUAD1(64, Y9, Y2)             \
	QUAD1(96, Y9, Y3)             \
	VPBROADCASTD (R10)(DX*1), Y8  \
	VPBROADCASTD 4(R10)(DX*1), Y9 \
	QUAD1(0, Y8, Y4)              \
	QUAD1(32, Y8, Y5)             \
	QUAD1(64, Y9, Y4)             \
	QUAD1(96, Y9, Y5)             \
	VPBROADCASTD (R11)(DX*1), Y8  \
	VPBROADCASTD 4(R11)(DX*1), Y9 \
	QUAD1(0, Y8, Y6)              \
	QUAD1(32, Y8, Y7)             \
	QUAD1(64, Y9, Y6)             \
	QUAD1(96, Y9, Y7)

#define ONE_CHAIN1 \
	VPBROADCASTD (R8)(DX*1), Y8  \
	VPBROADCASTD 4(R8)(DX*1), Y9 \
	QUAD1(0, Y8, Y0)             \
	QUAD1(32, Y8, Y1)            \
	QUAD1(64, Y9, Y0)            \
	QUAD1(96, Y9, Y1)

// Sums of four pixels, two quads in an int16 lane.
#define TILE_CHAIN2 \
	VPBROADCASTD (R8)(DX*1), Y8   \
	VPBROADCASTD 4(R8)(DX*1), Y9  \
	QUAD2(0, 64, Y8, Y9, Y0)      \
	QUAD2(32, 96, Y8, Y9, Y1)     \
	VPBROADCASTD (R9)(DX*1), Y8   \
	VPBROADCASTD 4(R9)(DX*1), Y9  \
	QUAD2(0, 64, Y8, Y9, Y2)      \
	QUAD2(32, 96, Y8, Y9, Y3)     \
	VPBROADCASTD (R10)(DX*1), Y8  \
	VPBROADCASTD 4(R10)(DX*1), Y9 \
	QUAD2(0, 64, Y8, Y9, Y4)      \
	QUAD2(32, 96, Y8, Y9, Y5)     \
	VPBROADCASTD (R11)(DX*1), Y8  \
	VPBROADCASTD 4(R11)(DX*1), Y9 \
	QUAD2(0, 64, Y8, Y9, Y6)      \
	QUAD2(32, 96, Y8, Y9, Y7)

#define ONE_CHAIN2 \
	VPBROADCASTD (R8)(DX*1), Y8  \
	VPBROADCASTD 4(R8)(DX*1), Y9 \
	QUAD2(0, 64, Y8, Y9, Y0)     \
	QUAD2(32, 96, Y8, Y9, Y1)

// Sums of four pixels, four quads in an int16 lane.
#define TILE_CHAIN4 \
	QUADS4(R8)        \
	QUAD4(0, 64, Y0)  \
	QUAD4(32, 64, Y1) \
	QUADS4(R9)        \
	QUAD4(0, 64, Y2)  \
	QUAD4(32, 64, Y3) \
	QUADS4(R10)       \
	QUAD4(0, 64, Y4)  \
	QUAD4(32, 64, Y5) \
	QUADS4(R11)       \
	QUAD4(0, 64, Y6)  \
	QUAD4(32, 64, Y7)

#define ONE_CHAIN4 \
	QUADS4(R8)        \
	QUAD4(0, 64, Y0)  \
	QUAD4(32, 64, Y1)

// Sums for weights that prove nothing: bytes widened to int16.
#define TILE_WIDE \
	WIDEN(0, Y10, Y11)         \
	WIDEN(32, Y12, Y13)        \
	SPLIT(R8, 0, Y8, Y9)       \
	WIDE(Y8, Y9, Y10, Y11, Y0) \
	WIDE(Y8, Y9, Y12, Y13, Y1) \
	SPLIT(R9, 0, Y8, Y9)       \
	WIDE(Y8, Y9, Y10, Y11, Y2) \
	WIDE(Y8, Y9, Y12, Y13, Y3) \
	SPLIT(R10, 0, Y8, Y9)      \
	WIDE(Y8, Y9, Y10, Y11, Y4) \
	WIDE(Y8, Y9, Y12, Y13, Y5) \
	SPLIT(R11, 0, Y8, Y9)      \
	WIDE(Y8, Y9, Y10, Y11, Y6) \
	WIDE(Y8, Y9, Y12, Y13, Y7) \
	WIDEN(64, Y10, Y11)        \
	WIDEN(96, Y12, Y13)        \
	SPLIT(R8, 4, Y8, Y9)       \
	WIDE(Y8, Y9, Y10, Y11, Y0) \
	WIDE(Y8, Y9, Y12, Y13, Y1) \
	SPLIT(R9, 4, Y8, Y9)       \
	WIDE(Y8, Y9, Y10, Y11, Y2) \
	WIDE(Y8, Y9, Y12, Y13, Y3) \
	SPLIT(R10, 4, Y8, Y9)      \
	WIDE(Y8, Y9, Y10, Y11, Y4) \
	WIDE(Y8, Y9, Y12, Y13, Y5) \
	SPLIT(R11, 4, Y8, Y9)      \
	WIDE(Y8, Y9, Y10, Y11, Y6) \
	WIDE(Y8, Y9, Y12, Y13, Y7)

#define ONE_WIDE \
	WIDEN(0, Y10, Y11)         \
	WIDEN(32, Y12, Y13)        \
	SPLIT(R8, 0, Y8, Y9)       \
	WIDE(Y8, Y9, Y10, Y11, Y0) \
	WIDE(Y8, Y9, Y12, Y13, Y1) \
	WIDEN(64, Y10, Y11)        \
	WIDEN(96, Y12, Y13)        \
	SPLIT(R8, 4, Y8, Y9)       \
	WIDE(Y8, Y9, Y10, Y11, Y0) \
	WIDE(Y8, Y9, Y12, Y13, Y1)

#define TILE 4
#define QUAD 64

#define TILE_PIXELS \
	PIXEL(0, R8)  \
	PIXEL(1, R9)  \
	PIXEL(2, R10) \
	PIXEL(3, R11)

#define LOAD_BIAS \
	MOVQ    IGEMMArgs_Bias(DI), AX \
	VMOVDQU (AX), Y0               \
	VMOVDQU 32(AX), Y1

#define SPREAD_BIAS \
	VMOVDQA Y0, Y2 \
	VMOVDQA Y1, Y3 \
	VMOVDQA Y0, Y4 \
	VMOVDQA Y1, Y5 \
	VMOVDQA Y0, Y6 \
	VMOVDQA Y1, Y7

// x is the low half of a.
#define TILE_EACH(OP) \
	OP(0, Y0, Y1, X0) \
	OP(1, Y2, Y3, X2) \
	OP(2, Y4, Y5, X4) \
	OP(3, Y6, Y7, X6)

#define ONE(OP) OP(0, Y0, Y1, X0)

#define SCALES(i, a, b, x) \
	SCALE(0, a)  \
	SCALE(32, b)

#define ADDS_UNSIGNED(i, a, b, x) \
	RESIDUAL(i)        \
	ADD_UNSIGNED(0, a) \
	ADD_UNSIGNED(8, b)

#define ADDS_SIGNED(i, a, b, x) \
	RESIDUAL(i)      \
	ADD_SIGNED(0, a) \
	ADD_SIGNED(8, b)

#define STORE_UNSIGNED(i, a, b, x) \
	ROUND(a)            \
	ROUND(b)            \
	VPACKSSDW b, a, a   \
	VPACKUSWB a, a, a   \
	VPERMD    a, Y13, a \
	OUTPUT(i)           \
	VMOVDQU   x, (R9)

#define STORE_SIGNED(i, a, b, x) \
	ROUND(a)                       \
	ROUND(b)                       \
	VPACKSSDW b, a, a              \
	VPACKSSWB a, a, a              \
	VPMAXSB   minus127<>(SB), a, a \
	VPERMD    a, Y13, a            \
	OUTPUT(i)                      \
	VMOVDQU   x, (R9)

// func igemm16WideAVX2(a *IGEMMArgs)
TEXT ·igemm16WideAVX2(SB), NOSPLIT, $0-8
	IGEMM(MASK, WIDE_TILE, WIDE_ONE)

// func igemm16Chain1AVX2(a *IGEMMArgs)
TEXT ·igemm16Chain1AVX2(SB), NOSPLIT, $0-8
	IGEMM(ONES, CHAIN1_TILE, CHAIN1_ONE)

// func igemm16Chain2AVX2(a *IGEMMArgs)
TEXT ·igemm16Chain2AVX2(SB), NOSPLIT, $0-8
	IGEMM(ONES, CHAIN2_TILE, CHAIN2_ONE)

// func igemm16Chain4AVX2(a *IGEMMArgs)
TEXT ·igemm16Chain4AVX2(SB), NOSPLIT, $0-8
	IGEMM(ONES, CHAIN4_TILE, CHAIN4_ONE)
