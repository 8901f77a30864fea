#include "go_asm.h"
#include "textflag.h"
#include "igemm_avx2_amd64.h"

// AVX2 indirect GEMM for panels of 16 channels, 4 pixels by 2 vectors: the groups of a wide grouped
// convolution and what is left of a layer after panels of 32. Sums are Y0 Y1, Y2 Y3, Y4 Y5, Y6 Y7, pixel by pixel.

// Sums of four pixels, chains of one quad: VPMADDUBSW cannot saturate.
#define BODY4_CHAIN1 \
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

#define BODY1_CHAIN1 \
	VPBROADCASTD (R8)(DX*1), Y8  \
	VPBROADCASTD 4(R8)(DX*1), Y9 \
	QUAD1(0, Y8, Y0)             \
	QUAD1(32, Y8, Y1)            \
	QUAD1(64, Y9, Y0)            \
	QUAD1(96, Y9, Y1)

// Sums of four pixels, two quads in an int16 lane.
#define BODY4_CHAIN2 \
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

#define BODY1_CHAIN2 \
	VPBROADCASTD (R8)(DX*1), Y8  \
	VPBROADCASTD 4(R8)(DX*1), Y9 \
	QUAD2(0, 64, Y8, Y9, Y0)     \
	QUAD2(32, 96, Y8, Y9, Y1)

// Sums of four pixels, four quads in an int16 lane.
#define BODY4_CHAIN4 \
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

#define BODY1_CHAIN4 \
	QUADS4(R8)        \
	QUAD4(0, 64, Y0)  \
	QUAD4(32, 64, Y1)

// Sums for weights that prove nothing: bytes widened to int16.
#define BODY4_WIDE \
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

#define BODY1_WIDE \
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

#define LOAD_BIAS \
	MOVQ    IGEMMArgs_Bias(DI), AX \
	VMOVDQU (AX), Y0               \
	VMOVDQU 32(AX), Y1

#define SCALES(a, b) \
	SCALE(0, a)  \
	SCALE(32, b)

#define ADDS_UNSIGNED(i, a, b) \
	RESIDUAL(i)        \
	ADD_UNSIGNED(0, a) \
	ADD_UNSIGNED(8, b)

#define ADDS_SIGNED(i, a, b) \
	RESIDUAL(i)      \
	ADD_SIGNED(0, a) \
	ADD_SIGNED(8, b)

// x names the low half of a.
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

// STEP runs a body over a tap, 8 k at a time.
#define STEP(BODY, again) \
again:  \
	BODY          \
	ADDQ $128, BX \
	ADDQ $8, DX   \
	CMPQ DX, AX   \
	JLT  again

// STEP16 runs BODY16 over 16 k at a time and BODY8 over what is left of the tap;
// the label over follows it.
#define STEP16(BODY16, BODY8, again, rest, over) \
	SUBQ   $16, AX  \
	CMPQ   DX, AX   \
	JGT    rest     \
	again:          \
	BODY16          \
	ADDQ   $256, BX \
	ADDQ   $16, DX  \
	CMPQ   DX, AX   \
	JLE    again    \
	rest:           \
	ADDQ   $16, AX  \
	CMPQ   DX, AX   \
	JGE    over     \
	BODY8           \
	ADDQ   $128, BX

// The whole kernel, as in igemm32_avx2_amd64.s.
#define IGEMM(CONSTANT, LOOP4, LOOP1) \
	PROLOGUE \
	CONSTANT \
	JMP more \
	four:                          \
	START                          \
	PIXEL(0, R8)                   \
	PIXEL(1, R9)                   \
	PIXEL(2, R10)                  \
	PIXEL(3, R11)                  \
	LOAD_BIAS                      \
	VMOVDQA Y0, Y2                 \
	VMOVDQA Y1, Y3                 \
	VMOVDQA Y0, Y4                 \
	VMOVDQA Y1, Y5                 \
	VMOVDQA Y0, Y6                 \
	VMOVDQA Y1, Y7                 \
	tap4:                          \
	TAP                            \
	LOOP4                          \
	over4:                         \
	DECQ    CX                     \
	JNE     tap4                   \
	EPILOGUE                       \
	SCALES(Y0, Y1)                 \
	SCALES(Y2, Y3)                 \
	SCALES(Y4, Y5)                 \
	SCALES(Y6, Y7)                 \
	CMPL    CX, $const_AddUnsigned \
	JLT     plain4                 \
	JGT     signed4                \
	ADDS_UNSIGNED(0, Y0, Y1)       \
	ADDS_UNSIGNED(1, Y2, Y3)       \
	ADDS_UNSIGNED(2, Y4, Y5)       \
	ADDS_UNSIGNED(3, Y6, Y7)       \
	JMP     unsigned4              \
	signed4:                      \
	ADDS_SIGNED(0, Y0, Y1)        \
	ADDS_SIGNED(1, Y2, Y3)        \
	ADDS_SIGNED(2, Y4, Y5)        \
	ADDS_SIGNED(3, Y6, Y7)        \
	unsigned4:                    \
	STORE_UNSIGNED(0, Y0, Y1, X0) \
	STORE_UNSIGNED(1, Y2, Y3, X2) \
	STORE_UNSIGNED(2, Y4, Y5, X4) \
	STORE_UNSIGNED(3, Y6, Y7, X6) \
	JMP        next4              \
	plain4:                        \
	CMPL    CX, $const_Signed      \
	JNE     unsigned4              \
	STORE_SIGNED(0, Y0, Y1, X0)    \
	STORE_SIGNED(1, Y2, Y3, X2)    \
	STORE_SIGNED(2, Y4, Y5, X4)    \
	STORE_SIGNED(3, Y6, Y7, X6)    \
	next4:                         \
	ADDQ    $16, R12               \
	SUBQ    $4, R13                \
	more:                          \
	CMPQ    R13, $4                \
	JGE     four                   \
	single:                        \
	TESTQ   R13, R13               \
	JEQ     done                   \
	START                          \
	PIXEL(0, R8)                   \
	LOAD_BIAS                      \
	tap1:                          \
	TAP                            \
	LOOP1                          \
	over1:                         \
	DECQ    CX                     \
	JNE     tap1                   \
	EPILOGUE                       \
	SCALES(Y0, Y1)                 \
	CMPL    CX, $const_AddUnsigned \
	JLT     plain1                 \
	JGT     signed1                \
	ADDS_UNSIGNED(0, Y0, Y1)       \
	JMP     unsigned1              \
	signed1:                      \
	ADDS_SIGNED(0, Y0, Y1)        \
	unsigned1:                    \
	STORE_UNSIGNED(0, Y0, Y1, X0) \
	JMP        next1              \
	plain1:                     \
	CMPL    CX, $const_Signed   \
	JNE     unsigned1           \
	STORE_SIGNED(0, Y0, Y1, X0) \
	next1:                      \
	ADDQ    $4, R12             \
	SUBQ    $1, R13             \
	JMP     single              \
	done:      \
	VZEROUPPER \
	RET

#define WIDE_LOOP4 STEP(BODY4_WIDE, k4)
#define WIDE_LOOP1 STEP(BODY1_WIDE, k1)

// func igemm16WideAVX2(a *IGEMMArgs)
TEXT ·igemm16WideAVX2(SB), NOSPLIT, $0-8
	IGEMM(MASK, WIDE_LOOP4, WIDE_LOOP1)

#define CHAIN1_LOOP4 STEP(BODY4_CHAIN1, k4)
#define CHAIN1_LOOP1 STEP(BODY1_CHAIN1, k1)

// func igemm16Chain1AVX2(a *IGEMMArgs)
TEXT ·igemm16Chain1AVX2(SB), NOSPLIT, $0-8
	IGEMM(ONES, CHAIN1_LOOP4, CHAIN1_LOOP1)

#define CHAIN2_LOOP4 STEP(BODY4_CHAIN2, k4)
#define CHAIN2_LOOP1 STEP(BODY1_CHAIN2, k1)

// func igemm16Chain2AVX2(a *IGEMMArgs)
TEXT ·igemm16Chain2AVX2(SB), NOSPLIT, $0-8
	IGEMM(ONES, CHAIN2_LOOP4, CHAIN2_LOOP1)

#define CHAIN4_LOOP4 STEP16(BODY4_CHAIN4, BODY4_CHAIN2, k4, rest4, over4)
#define CHAIN4_LOOP1 STEP16(BODY1_CHAIN4, BODY1_CHAIN2, k1, rest1, over1)

// func igemm16Chain4AVX2(a *IGEMMArgs)
TEXT ·igemm16Chain4AVX2(SB), NOSPLIT, $0-8
	IGEMM(ONES, CHAIN4_LOOP4, CHAIN4_LOOP1)
