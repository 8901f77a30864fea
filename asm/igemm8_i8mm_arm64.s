#include "textflag.h"
#include "go_asm.h"
#include "arm64.h"
#include "requant_dot_arm64.h"
#include "igemm_dot_arm64.h"

// Indirect GEMM by matrix products, 4 pixels by 8 channels, for what is left of a layer or of a group after
// panels of 16.
//
// Z holds 8 consecutive k of each of two pixels, W the same 8 k of two channels; their product is four sums:
// two channels of the first pixel, then the same two of the second. Everything stays in that order until
// the sums are bytes. A pixel that is left over stands for both of a pair.

// Vector registers are numbers, as the header's macros take them; those that are loaded or stored have a
// second name. X is 16 k of a pixel, of which Z0 and Z1 take the first 8, X1 and X3 the last 8.
#define X0 0
#define X1 1
#define X2 2
#define X3 3
#define Z0 4
#define Z1 5
#define W0 8
#define W1 9
#define W2 10
#define W3 11
#define W4 12
#define W5 13
#define W6 14
#define W7 15
#define A00 16
#define A01 17
#define A02 18
#define A03 19
#define A10 20
#define A11 21
#define A12 22
#define A13 23
#define FX0 F0
#define FX1 F1
#define FX2 F2
#define FX3 F3
#define FW0 F8
#define FW1 F9
#define FW2 F10
#define FW3 F11
#define FW4 F12
#define FW5 F13
#define FW6 F14
#define FW7 F15
#define FA00 F16
#define FA01 F17
#define FA02 F18
#define FA03 F19
#define FA10 F20
#define FA11 F21
#define FA12 F22
#define FA13 F23

#define LOG_NR 3

// BEGIN_PANEL stores at LOCAL the biases, then the multipliers, two channels in a register, twice.
#define PAIRS(from, at) \
	FMOVQ (from), FW0;                 \
	FMOVQ 16(from), FW1;               \
	ZIP1D(A00, W0, W0);                \
	ZIP2D(A01, W0, W0);                \
	ZIP1D(A02, W1, W1);                \
	ZIP2D(A03, W1, W1);                \
	FSTPQ (FA00, FA01), (at+0)(LOCAL); \
	FSTPQ (FA02, FA03), (at+32)(LOCAL)

#define BEGIN_PANEL \
	PAIRS(BIAS, 0); \
	PAIRS(MULT, 64)

#define LOAD4(from, at, f0, f1, f2, f3) \
	FMOVQ (at)(from), f0;    \
	FMOVQ (at+16)(from), f1; \
	FMOVQ (at+32)(from), f2; \
	FMOVQ (at+48)(from), f3

#define ONE_SUMS LOAD4(LOCAL, 0, FA00, FA01, FA02, FA03)

#define TILE_SUMS \
	ONE_SUMS;                               \
	LOAD4(LOCAL, 0, FA10, FA11, FA12, FA13)

// PRODUCT adds a pair of pixels times 8 channels.
#define PRODUCT(z, w0, w1, w2, w3, a0, a1, a2, a3) \
	SMMLA(a0, z, w0); \
	SMMLA(a1, z, w1); \
	SMMLA(a2, z, w2); \
	SMMLA(a3, z, w3)

#define TILE_K16 \
	FMOVQ.P 16(P0), FX0;                             \
	FMOVQ.P 16(P1), FX1;                             \
	LOAD4(W, 0, FW0, FW1, FW2, FW3);                 \
	FMOVQ.P 16(P2), FX2;                             \
	FMOVQ.P 16(P3), FX3;                             \
	LOAD4(W, 64, FW4, FW5, FW6, FW7);                \
	ZIP1D(Z0, X0, X1);                               \
	ZIP1D(Z1, X2, X3);                               \
	ZIP2D(X1, X0, X1);                               \
	ZIP2D(X3, X2, X3);                               \
	ADD     $128, W;                                 \
	PRODUCT(Z0, W0, W1, W2, W3, A00, A01, A02, A03); \
	PRODUCT(Z1, W0, W1, W2, W3, A10, A11, A12, A13); \
	PRODUCT(X1, W4, W5, W6, W7, A00, A01, A02, A03); \
	PRODUCT(X3, W4, W5, W6, W7, A10, A11, A12, A13)

#define TILE_K8 \
	FMOVD (P0), FX0;                                 \
	FMOVD (P1), FX1;                                 \
	FMOVD (P2), FX2;                                 \
	FMOVD (P3), FX3;                                 \
	LOAD4(W, 0, FW0, FW1, FW2, FW3);                 \
	ZIP1D(Z0, X0, X1);                               \
	ZIP1D(Z1, X2, X3);                               \
	ADD   $64, W;                                    \
	PRODUCT(Z0, W0, W1, W2, W3, A00, A01, A02, A03); \
	PRODUCT(Z1, W0, W1, W2, W3, A10, A11, A12, A13)

#define ONE_K16 \
	FMOVQ.P 16(P0), FX0;                             \
	LOAD4(W, 0, FW0, FW1, FW2, FW3);                 \
	LOAD4(W, 64, FW4, FW5, FW6, FW7);                \
	ZIP1D(Z0, X0, X0);                               \
	ZIP2D(X1, X0, X0);                               \
	ADD     $128, W;                                 \
	PRODUCT(Z0, W0, W1, W2, W3, A00, A01, A02, A03); \
	PRODUCT(X1, W4, W5, W6, W7, A00, A01, A02, A03)

#define ONE_K8 \
	FMOVD (P0), FX0;                                \
	LOAD4(W, 0, FW0, FW1, FW2, FW3);                \
	ZIP1D(Z0, X0, X0);                              \
	ADD   $64, W;                                   \
	PRODUCT(Z0, W0, W1, W2, W3, A00, A01, A02, A03)

// A row: the sums of a pair of pixels, its residuals' addresses, its places in the output.
#define ONE_EACH(OP) OP(A00, A01, A02, A03, B0, B0, P0, P0, FA01, FA02)

#define TILE_EACH(OP) \
	OP(A00, A01, A02, A03, B0, B1, P0, P1, FA01, FA02); \
	OP(A10, A11, A12, A13, B2, B3, P2, P3, FA11, FA12)

#define SCALES(a0, a1, a2, a3, b0, b1, p0, p1, f0, f1) \
	LOAD4(LOCAL, 64, FM0, FM1, FM2, FM3); \
	SCALE4(a0, a1, a2, a3)

#define RESADDS(a0, a1, a2, a3, b0, b1, p0, p1, f0, f1) \
	FMOVD (b0), FX0;     \
	FMOVD (b1), FX1;     \
	ZIP1H(RB, X0, X1);   \
	ADD4(a0, a1, a2, a3)

#define NARROWS(a0, a1, a2, a3, b0, b1, p0, p1, f0, f1) NARROW4(a0, a1, a2, a3)

#define FLOORS(a0, a1, a2, a3, b0, b1, p0, p1, f0, f1) SMAX16B(a0, a0, FLOOR)

#define STORES(a0, a1, a2, a3, b0, b1, p0, p1, f0, f1) \
	UZP1H(a1, a0, a0); \
	UZP2H(a2, a0, a0); \
	FMOVD f0, (p0);    \
	FMOVD f1, (p1)

// func igemm8I8MM(args *IGEMMArgs)
TEXT ·igemm8I8MM(SB), NOSPLIT, $128-8
	MOVD $local-128(SP), LOCAL
	IGEMM
