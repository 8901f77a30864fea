#include "textflag.h"
#include "go_asm.h"
#include "arm64.h"
#include "requant_dot_arm64.h"
#include "igemm_dot_arm64.h"

// Indirect GEMM by dot products, 4 pixels by 8 channels, for what is left of a layer or of a group after
// panels of 16.
//
// A register W holds 4 consecutive k of each of 4 channels, X 16 consecutive k of a pixel. A dot product
// by element takes W with one quad of X.

// Vector registers are numbers, as the header's macros take them; those that are loaded or stored have a
// second name. A quad has W0 and W1, the next W2 and W3, and so on.
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
#define A10 18
#define A11 19
#define A20 20
#define A21 21
#define A30 22
#define A31 23
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
#define FA10 F18
#define FA11 F19
#define FA20 F20
#define FA21 F21
#define FA30 F22
#define FA31 F23

#define LOG_NR 3
#define BEGIN_PANEL

#define ONE_SUMS \
	FMOVQ (BIAS), FA00;  \
	FMOVQ 16(BIAS), FA01

#define TILE_SUMS \
	FMOVQ (BIAS), FA00;   \
	FMOVQ 16(BIAS), FA01; \
	FMOVQ (BIAS), FA10;   \
	FMOVQ 16(BIAS), FA11; \
	FMOVQ (BIAS), FA20;   \
	FMOVQ 16(BIAS), FA21; \
	FMOVQ (BIAS), FA30;   \
	FMOVQ 16(BIAS), FA31

// DOTS adds quad i of four pixels times eight channels, DOT of one pixel.
#define DOTS(i, w0, w1) \
	SDOTE(A00, w0, X0, i); \
	SDOTE(A10, w0, X1, i); \
	SDOTE(A20, w0, X2, i); \
	SDOTE(A30, w0, X3, i); \
	SDOTE(A01, w1, X0, i); \
	SDOTE(A11, w1, X1, i); \
	SDOTE(A21, w1, X2, i); \
	SDOTE(A31, w1, X3, i)

#define DOT(i, w0, w1) \
	SDOTE(A00, w0, X0, i); \
	SDOTE(A01, w1, X0, i)

#define TILE_K16 \
	FMOVQ.P 16(P0), FX0; \
	FMOVQ   (W), FW0;    \
	FMOVQ   16(W), FW1;  \
	FMOVQ.P 16(P1), FX1; \
	FMOVQ.P 16(P2), FX2; \
	FMOVQ.P 16(P3), FX3; \
	FMOVQ   32(W), FW2;  \
	FMOVQ   48(W), FW3;  \
	FMOVQ   64(W), FW4;  \
	FMOVQ   80(W), FW5;  \
	DOTS(0, W0, W1);     \
	FMOVQ   96(W), FW6;  \
	FMOVQ   112(W), FW7; \
	DOTS(1, W2, W3);     \
	ADD     $128, W;     \
	DOTS(2, W4, W5);     \
	DOTS(3, W6, W7)

#define TILE_K8 \
	FMOVD (P0), FX0;  \
	FMOVQ (W), FW0;   \
	FMOVQ 16(W), FW1; \
	FMOVD (P1), FX1;  \
	FMOVD (P2), FX2;  \
	FMOVD (P3), FX3;  \
	FMOVQ 32(W), FW2; \
	FMOVQ 48(W), FW3; \
	DOTS(0, W0, W1);  \
	ADD   $64, W;     \
	DOTS(1, W2, W3)

#define ONE_K16 \
	FMOVQ.P 16(P0), FX0; \
	FMOVQ   (W), FW0;    \
	FMOVQ   16(W), FW1;  \
	FMOVQ   32(W), FW2;  \
	FMOVQ   48(W), FW3;  \
	FMOVQ   64(W), FW4;  \
	FMOVQ   80(W), FW5;  \
	FMOVQ   96(W), FW6;  \
	FMOVQ   112(W), FW7; \
	ADD     $128, W;     \
	DOT(0, W0, W1);      \
	DOT(1, W2, W3);      \
	DOT(2, W4, W5);      \
	DOT(3, W6, W7)

#define ONE_K8 \
	FMOVD (P0), FX0;  \
	FMOVQ (W), FW0;   \
	FMOVQ 16(W), FW1; \
	FMOVQ 32(W), FW2; \
	FMOVQ 48(W), FW3; \
	ADD   $64, W;     \
	DOT(0, W0, W1);   \
	DOT(1, W2, W3)

// Rows: a pixel's sums, its residual's address, its place in the output.
#define ONE_EACH(OP) OP(A00, A01, B0, P0, FA00)

#define TILE_EACH(OP) \
	OP(A00, A01, B0, P0, FA00); \
	OP(A10, A11, B1, P1, FA10); \
	OP(A20, A21, B2, P2, FA20); \
	OP(A30, A31, B3, P3, FA30)

#define SCALES(a0, a1, b, p, f) \
	FMOVQ (MULT), FM0;   \
	FMOVQ 16(MULT), FM1; \
	SCALE2(a0, a1)

#define RESADDS(a0, a1, b, p, f) \
	FMOVD (b), FRB; \
	ADD2(a0, a1)

#define NARROWS(a0, a1, b, p, f) NARROW2(a0, a1)

#define FLOORS(a0, a1, b, p, f) SMAX16B(a0, a0, FLOOR)

#define STORES(a0, a1, b, p, f) FMOVD f, (p)

// func igemm8Dot(args *IGEMMArgs)
TEXT ·igemm8Dot(SB), NOSPLIT, $0-8
	IGEMM
