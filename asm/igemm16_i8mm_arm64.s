#include "textflag.h"
#include "go_asm.h"
#include "arm64.h"
#include "requant_dot_arm64.h"
#include "igemm_dot_arm64.h"

// Indirect GEMM by matrix products, 4 pixels by 16 channels: Cortex-A510 and A710, Neoverse V1 and newer.
//
// Z holds 8 consecutive k of each of two pixels, W the same 8 k of two channels; their product is four sums.
//
//	                W0    W1    ..    W7       channels 0-1, 2-3, .. 14-15
//	             +------------------------+
//	pixels 0-1 Z0| A00   A01    ..   A07  |    int32x4 each: two channels of the first pixel,
//	pixels 2-3 Z1| A10   A11    ..   A17  |    then the same two of the second
//	             +------------------------+
//
// Everything stays in that order until the sums are bytes; biases and multipliers are brought into it once
// for a panel. A pixel that is left over stands for both of a pair.

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
#define A04 20
#define A05 21
#define A06 22
#define A07 23
#define A10 24
#define A11 25
#define A12 26
#define A13 27
#define A14 28
#define A15 29
#define A16 30
#define A17 31
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
#define FA04 F20
#define FA05 F21
#define FA06 F22
#define FA07 F23
#define FA10 F24
#define FA11 F25
#define FA12 F26
#define FA13 F27
#define FA14 F28
#define FA15 F29
#define FA16 F30
#define FA17 F31

#define LOG_NR 4

// BEGIN_PANEL stores at LOCAL the biases, then the multipliers, two channels in a register, twice.
#define PAIRS(from, at) \
	FMOVQ (from), FW0;                  \
	FMOVQ 16(from), FW1;                \
	FMOVQ 32(from), FW2;                \
	FMOVQ 48(from), FW3;                \
	ZIP1D(A00, W0, W0);                 \
	ZIP2D(A01, W0, W0);                 \
	ZIP1D(A02, W1, W1);                 \
	ZIP2D(A03, W1, W1);                 \
	ZIP1D(A04, W2, W2);                 \
	ZIP2D(A05, W2, W2);                 \
	ZIP1D(A06, W3, W3);                 \
	ZIP2D(A07, W3, W3);                 \
	FSTPQ (FA00, FA01), (at+0)(LOCAL);  \
	FSTPQ (FA02, FA03), (at+32)(LOCAL); \
	FSTPQ (FA04, FA05), (at+64)(LOCAL); \
	FSTPQ (FA06, FA07), (at+96)(LOCAL)

#define BEGIN_PANEL \
	PAIRS(BIAS, 0);  \
	PAIRS(MULT, 128)

#define LOAD8(from, at, f0, f1, f2, f3, f4, f5, f6, f7) \
	FMOVQ (at)(from), f0;    \
	FMOVQ (at+16)(from), f1; \
	FMOVQ (at+32)(from), f2; \
	FMOVQ (at+48)(from), f3; \
	FMOVQ (at+64)(from), f4; \
	FMOVQ (at+80)(from), f5; \
	FMOVQ (at+96)(from), f6; \
	FMOVQ (at+112)(from), f7

#define ONE_SUMS LOAD8(LOCAL, 0, FA00, FA01, FA02, FA03, FA04, FA05, FA06, FA07)

#define TILE_SUMS \
	ONE_SUMS;                                                       \
	LOAD8(LOCAL, 0, FA10, FA11, FA12, FA13, FA14, FA15, FA16, FA17)

// PRODUCTS adds two pixel pairs times two channel pairs, PRODUCT one pixel pair.
#define PRODUCTS(z0, z1, w0, w1, a00, a01, a10, a11) \
	SMMLA(a00, z0, w0); \
	SMMLA(a10, z1, w0); \
	SMMLA(a01, z0, w1); \
	SMMLA(a11, z1, w1)

#define PRODUCTS8(z0, z1) \
	PRODUCTS(z0, z1, W0, W1, A00, A01, A10, A11); \
	PRODUCTS(z0, z1, W2, W3, A02, A03, A12, A13); \
	PRODUCTS(z0, z1, W4, W5, A04, A05, A14, A15); \
	PRODUCTS(z0, z1, W6, W7, A06, A07, A16, A17)

#define PRODUCT8(z) \
	SMMLA(A00, z, W0); \
	SMMLA(A01, z, W1); \
	SMMLA(A02, z, W2); \
	SMMLA(A03, z, W3); \
	SMMLA(A04, z, W4); \
	SMMLA(A05, z, W5); \
	SMMLA(A06, z, W6); \
	SMMLA(A07, z, W7)

#define TILE_K16 \
	FMOVQ.P 16(P0), FX0;                          \
	FMOVQ.P 16(P1), FX1;                          \
	FMOVQ   (W), FW0;                             \
	FMOVQ   16(W), FW1;                           \
	FMOVQ.P 16(P2), FX2;                          \
	FMOVQ.P 16(P3), FX3;                          \
	ZIP1D(Z0, X0, X1);                            \
	ZIP2D(X1, X0, X1);                            \
	FMOVQ   32(W), FW2;                           \
	FMOVQ   48(W), FW3;                           \
	ZIP1D(Z1, X2, X3);                            \
	ZIP2D(X3, X2, X3);                            \
	PRODUCTS(Z0, Z1, W0, W1, A00, A01, A10, A11); \
	FMOVQ   64(W), FW4;                           \
	FMOVQ   80(W), FW5;                           \
	PRODUCTS(Z0, Z1, W2, W3, A02, A03, A12, A13); \
	FMOVQ   96(W), FW6;                           \
	FMOVQ   112(W), FW7;                          \
	FMOVQ   128(W), FW0;                          \
	FMOVQ   144(W), FW1;                          \
	PRODUCTS(Z0, Z1, W4, W5, A04, A05, A14, A15); \
	FMOVQ   160(W), FW2;                          \
	FMOVQ   176(W), FW3;                          \
	PRODUCTS(Z0, Z1, W6, W7, A06, A07, A16, A17); \
	FMOVQ   192(W), FW4;                          \
	FMOVQ   208(W), FW5;                          \
	FMOVQ   224(W), FW6;                          \
	FMOVQ   240(W), FW7;                          \
	ADD     $256, W;                              \
	PRODUCTS8(X1, X3)

#define TILE_K8 \
	FMOVD (P0), FX0;                                     \
	FMOVD (P1), FX1;                                     \
	FMOVD (P2), FX2;                                     \
	FMOVD (P3), FX3;                                     \
	LOAD8(W, 0, FW0, FW1, FW2, FW3, FW4, FW5, FW6, FW7); \
	ZIP1D(Z0, X0, X1);                                   \
	ZIP1D(Z1, X2, X3);                                   \
	ADD   $128, W;                                       \
	PRODUCTS8(Z0, Z1)

#define ONE_K16 \
	FMOVQ.P 16(P0), FX0;                                   \
	LOAD8(W, 0, FW0, FW1, FW2, FW3, FW4, FW5, FW6, FW7);   \
	ZIP1D(Z0, X0, X0);                                     \
	ZIP2D(X1, X0, X0);                                     \
	PRODUCT8(Z0);                                          \
	LOAD8(W, 128, FW0, FW1, FW2, FW3, FW4, FW5, FW6, FW7); \
	ADD     $256, W;                                       \
	PRODUCT8(X1)

#define ONE_K8 \
	FMOVD (P0), FX0;                                     \
	LOAD8(W, 0, FW0, FW1, FW2, FW3, FW4, FW5, FW6, FW7); \
	ZIP1D(Z0, X0, X0);                                   \
	ADD   $128, W;                                       \
	PRODUCT8(Z0)

// Two rows: the sums of a pair of pixels, its residuals' addresses, its places in the output.
#define ONE_EACH(OP) OP(A00, A01, A02, A03, A04, A05, A06, A07, B0, B0, P0, P0, FA01, FA02)

#define TILE_EACH(OP) \
	OP(A00, A01, A02, A03, A04, A05, A06, A07, B0, B1, P0, P1, FA01, FA02); \
	OP(A10, A11, A12, A13, A14, A15, A16, A17, B2, B3, P2, P3, FA11, FA12)

#define SCALES(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, p0, p1, f0, f1) \
	FMOVQ 128(LOCAL), FM0;  \
	FMOVQ 144(LOCAL), FM1;  \
	FMOVQ 160(LOCAL), FM2;  \
	FMOVQ 176(LOCAL), FM3;  \
	SCALE4(a0, a1, a2, a3); \
	FMOVQ 192(LOCAL), FM0;  \
	FMOVQ 208(LOCAL), FM1;  \
	FMOVQ 224(LOCAL), FM2;  \
	FMOVQ 240(LOCAL), FM3;  \
	SCALE4(a4, a5, a6, a7)

#define RESADDS(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, p0, p1, f0, f1) \
	FMOVQ (b0), FX0;      \
	FMOVQ (b1), FX1;      \
	ZIP1H(RB, X0, X1);    \
	ADD4(a0, a1, a2, a3); \
	ZIP2H(RB, X0, X1);    \
	ADD4(a4, a5, a6, a7)

#define NARROWS(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, p0, p1, f0, f1) \
	NARROW4(a0, a1, a2, a3); \
	NARROW4(a4, a5, a6, a7)

#define FLOORS(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, p0, p1, f0, f1) \
	SMAX16B(a0, a0, FLOOR); \
	SMAX16B(a4, a4, FLOOR)

#define STORES(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, p0, p1, f0, f1) \
	UZP1H(a1, a0, a4); \
	UZP2H(a2, a0, a4); \
	FMOVQ f0, (p0);    \
	FMOVQ f1, (p1)

// func igemm16I8MM(args *IGEMMArgs)
TEXT ·igemm16I8MM(SB), NOSPLIT, $256-8
	MOVD $local-256(SP), LOCAL
	IGEMM
