#include "textflag.h"
#include "go_asm.h"
#include "arm64.h"
#include "requant_dot_arm64.h"
#include "igemm_dot_arm64.h"

// Indirect GEMM by dot products, 4 pixels by 16 channels: Cortex-A75 and A76, Neoverse N1 and newer.
//
// A register W holds 4 consecutive k of each of 4 channels, X 16 consecutive k of a pixel. A dot product
// by element takes W with one quad of X.
//
//	               W0    W1    W2    W3       a quad of channels 0-3, 4-7, 8-11, 12-15
//	            +------------------------+
//	         X0 | A00   A01   A02   A03  |
//	a quad of X1 | A10   A11   A12   A13 |    int32x4 each: 4 channels
//	pixels   X2 | A20   A21   A22   A23  |
//	0-3      X3 | A30   A31   A32   A33  |
//	            +------------------------+
//
// W4..W7 belong to odd quads, so that a quad's weights are loaded while the one before is multiplied.

// Vector registers are numbers, as the header's macros take them; those that are loaded or stored have a
// second name.
#define X0 0
#define X1 1
#define X2 2
#define X3 3
#define W0 4
#define W1 5
#define W2 6
#define W3 7
#define W4 8
#define W5 9
#define W6 10
#define W7 11
#define A00 16
#define A01 17
#define A02 18
#define A03 19
#define A10 20
#define A11 21
#define A12 22
#define A13 23
#define A20 24
#define A21 25
#define A22 26
#define A23 27
#define A30 28
#define A31 29
#define A32 30
#define A33 31
#define FX0 F0
#define FX1 F1
#define FX2 F2
#define FX3 F3
#define FW0 F4
#define FW1 F5
#define FW2 F6
#define FW3 F7
#define FW4 F8
#define FW5 F9
#define FW6 F10
#define FW7 F11
#define FA00 F16
#define FA01 F17
#define FA02 F18
#define FA03 F19
#define FA10 F20
#define FA11 F21
#define FA12 F22
#define FA13 F23
#define FA20 F24
#define FA21 F25
#define FA22 F26
#define FA23 F27
#define FA30 F28
#define FA31 F29
#define FA32 F30
#define FA33 F31

#define LOG_NR 4
#define BEGIN_PANEL

#define BIASES(a0, a1, a2, a3) \
	FMOVQ (BIAS), a0;   \
	FMOVQ 16(BIAS), a1; \
	FMOVQ 32(BIAS), a2; \
	FMOVQ 48(BIAS), a3

#define ONE_SUMS BIASES(FA00, FA01, FA02, FA03)

#define TILE_SUMS \
	BIASES(FA00, FA01, FA02, FA03); \
	BIASES(FA10, FA11, FA12, FA13); \
	BIASES(FA20, FA21, FA22, FA23); \
	BIASES(FA30, FA31, FA32, FA33)

// DOTS adds quad i of four pixels times four channels, DOT of one pixel.
#define DOTS(i, w, a0, a1, a2, a3) \
	SDOTE(a0, w, X0, i); \
	SDOTE(a1, w, X1, i); \
	SDOTE(a2, w, X2, i); \
	SDOTE(a3, w, X3, i)

#define DOTS_EACH(i, w0, w1, w2, w3) \
	DOTS(i, w0, A00, A10, A20, A30); \
	DOTS(i, w1, A01, A11, A21, A31); \
	DOTS(i, w2, A02, A12, A22, A32); \
	DOTS(i, w3, A03, A13, A23, A33)

// QUAD multiplies quad i, whose weights are in w0..w3, and loads the next quad's, at next, into n0..n3.
#define QUAD(i, w0, w1, w2, w3, next, n0, n1, n2, n3) \
	FMOVQ next(W), n0;               \
	DOTS(i, w0, A00, A10, A20, A30); \
	FMOVQ (next+16)(W), n1;          \
	DOTS(i, w1, A01, A11, A21, A31); \
	FMOVQ (next+32)(W), n2;          \
	DOTS(i, w2, A02, A12, A22, A32); \
	FMOVQ (next+48)(W), n3;          \
	DOTS(i, w3, A03, A13, A23, A33)

#define TILE_K16 \
	FMOVQ.P 16(P0), FX0;                              \
	FMOVQ   (W), FW0;                                 \
	FMOVQ.P 16(P1), FX1;                              \
	FMOVQ.P 16(P2), FX2;                              \
	FMOVQ.P 16(P3), FX3;                              \
	FMOVQ   16(W), FW1;                               \
	FMOVQ   32(W), FW2;                               \
	FMOVQ   48(W), FW3;                               \
	QUAD(0, W0, W1, W2, W3, 64, FW4, FW5, FW6, FW7);  \
	QUAD(1, W4, W5, W6, W7, 128, FW0, FW1, FW2, FW3); \
	QUAD(2, W0, W1, W2, W3, 192, FW4, FW5, FW6, FW7); \
	ADD     $256, W;                                  \
	DOTS_EACH(3, W4, W5, W6, W7)

#define TILE_K8 \
	FMOVD (P0), FX0;                                 \
	FMOVQ (W), FW0;                                  \
	FMOVD (P1), FX1;                                 \
	FMOVD (P2), FX2;                                 \
	FMOVD (P3), FX3;                                 \
	FMOVQ 16(W), FW1;                                \
	FMOVQ 32(W), FW2;                                \
	FMOVQ 48(W), FW3;                                \
	QUAD(0, W0, W1, W2, W3, 64, FW4, FW5, FW6, FW7); \
	ADD   $128, W;                                   \
	DOTS_EACH(1, W4, W5, W6, W7)

#define DOT(i, w0, w1, w2, w3) \
	SDOTE(A00, w0, X0, i); \
	SDOTE(A01, w1, X0, i); \
	SDOTE(A02, w2, X0, i); \
	SDOTE(A03, w3, X0, i)

#define ONE_HALF(at, i, j) \
	FMOVQ (at)(W), FW0;     \
	FMOVQ (at+16)(W), FW1;  \
	FMOVQ (at+32)(W), FW2;  \
	FMOVQ (at+48)(W), FW3;  \
	FMOVQ (at+64)(W), FW4;  \
	FMOVQ (at+80)(W), FW5;  \
	FMOVQ (at+96)(W), FW6;  \
	FMOVQ (at+112)(W), FW7; \
	DOT(i, W0, W1, W2, W3); \
	DOT(j, W4, W5, W6, W7)

#define ONE_K16 \
	FMOVQ.P 16(P0), FX0; \
	ONE_HALF(0, 0, 1);   \
	ONE_HALF(128, 2, 3); \
	ADD     $256, W

#define ONE_K8 \
	FMOVD (P0), FX0;   \
	ONE_HALF(0, 0, 1); \
	ADD   $128, W

// Rows: a pixel's sums, its residual's address, its place in the output.
#define ONE_EACH(OP) OP(A00, A01, A02, A03, B0, P0, FA00)

#define TILE_EACH(OP) \
	OP(A00, A01, A02, A03, B0, P0, FA00); \
	OP(A10, A11, A12, A13, B1, P1, FA10); \
	OP(A20, A21, A22, A23, B2, P2, FA20); \
	OP(A30, A31, A32, A33, B3, P3, FA30)

#define SCALES(a0, a1, a2, a3, b, p, f) \
	FMOVQ (MULT), FM0;     \
	FMOVQ 16(MULT), FM1;   \
	FMOVQ 32(MULT), FM2;   \
	FMOVQ 48(MULT), FM3;   \
	SCALE4(a0, a1, a2, a3)

#define RESADDS(a0, a1, a2, a3, b, p, f) \
	FMOVQ (b), FRB;      \
	ADD4(a0, a1, a2, a3)

#define NARROWS(a0, a1, a2, a3, b, p, f) NARROW4(a0, a1, a2, a3)

#define FLOORS(a0, a1, a2, a3, b, p, f) SMAX16B(a0, a0, FLOOR)

#define STORES(a0, a1, a2, a3, b, p, f) FMOVQ f, (p)

// func igemm16Dot(args *IGEMMArgs)
TEXT ·igemm16Dot(SB), NOSPLIT, $0-8
	IGEMM
