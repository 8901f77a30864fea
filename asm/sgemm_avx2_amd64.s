#include "go_asm.h"
#include "textflag.h"

// Float32 tile of 6 rows by 16 columns, AVX2 and FMA: 12 accumulators, two loads of B and six broadcasts
// of A for 12 multiply-adds, so that the two multipliers of current cores are the limit.
//
//	        b0   b1
//	row 0   Y0   Y1
//	 ...
//	row 5  Y10  Y11
//
// Y12, Y13 hold 16 columns of B, Y14 and Y15 one element of A each in turn.

#define T      DI // the sgemmTile
#define B_PTR  SI
#define TAP    BX // next tap
#define TAPS   DX // taps left
#define INDEX  AX // element of A within a row: tap + k
#define LAST   CX // where INDEX ends
#define ROWS   R14 // next row offsets
#define A0     R8
#define A1     R9
#define A2     R10
#define A3     R11
#define A4     R12
#define A5     R13
#define C_PTR  BX // after the taps
#define STRIDE DX // after the taps, in bytes
#define FLOOR  Y15 // after the taps

// ROW(N, A): A = &a[rows[N]]
#define ROW(N, A) \
	MOVQ 8*N(ROWS), A \
	LEAQ (AX)(A*4), A

// FMA(A, V, P, Q): P, Q += A[INDEX] * B
#define FMA(A, V, P, Q) \
	VBROADCASTSS (A)(INDEX*4), V \
	VFMADD231PS  Y12, V, P       \
	VFMADD231PS  Y13, V, Q

// ADD(P, Q): P, Q += the row of C
#define ADD(P, Q) \
	VADDPS (C_PTR), P, P   \
	VADDPS 32(C_PTR), Q, Q \
	ADDQ   STRIDE, C_PTR

// STORE(P, Q): the row of C = max(floor, P), max(floor, Q); a NaN, as the second source, goes through
#define STORE(P, Q) \
	VMAXPS  P, FLOOR, P   \
	VMAXPS  Q, FLOOR, Q   \
	VMOVUPS P, (C_PTR)    \
	VMOVUPS Q, 32(C_PTR)  \
	ADDQ    STRIDE, C_PTR

// func sgemm6x16AVX2(t *sgemmTile)
TEXT ·sgemm6x16AVX2(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), T
	MOVQ sgemmTile_rows(T), ROWS

tile:
	MOVQ sgemmTile_a(T), AX
	ROW(0, A0)
	ROW(1, A1)
	ROW(2, A2)
	ROW(3, A3)
	ROW(4, A4)
	ROW(5, A5)
	ADDQ $48, ROWS

	MOVQ    sgemmTile_bias(T), AX
	VMOVUPS (AX), Y0
	VMOVUPS 32(AX), Y1
	VMOVAPS Y0, Y2
	VMOVAPS Y1, Y3
	VMOVAPS Y0, Y4
	VMOVAPS Y1, Y5
	VMOVAPS Y0, Y6
	VMOVAPS Y1, Y7
	VMOVAPS Y0, Y8
	VMOVAPS Y1, Y9
	VMOVAPS Y0, Y10
	VMOVAPS Y1, Y11

	MOVQ sgemmTile_b(T), B_PTR
	MOVQ sgemmTile_taps(T), TAP
	MOVQ (sgemmTile_taps+8)(T), TAPS // the slice's length

tap:
	MOVQ (TAP), INDEX
	MOVQ sgemmTile_k(T), LAST
	ADDQ INDEX, LAST
	ADDQ $8, TAP

k:
	VMOVUPS (B_PTR), Y12
	VMOVUPS 32(B_PTR), Y13
	FMA(A0, Y14, Y0, Y1)
	FMA(A1, Y15, Y2, Y3)
	FMA(A2, Y14, Y4, Y5)
	FMA(A3, Y15, Y6, Y7)
	FMA(A4, Y14, Y8, Y9)
	FMA(A5, Y15, Y10, Y11)
	ADDQ    $64, B_PTR
	INCQ    INDEX
	CMPQ    INDEX, LAST
	JLT     k
	DECQ    TAPS
	JNZ     tap

	MOVQ sgemmTile_stride(T), STRIDE
	SHLQ $2, STRIDE
	CMPB sgemmTile_add(T), $0
	JEQ  store
	MOVQ sgemmTile_c(T), C_PTR
	ADDQ sgemmTile_done(T), C_PTR
	ADD(Y0, Y1)
	ADD(Y2, Y3)
	ADD(Y4, Y5)
	ADD(Y6, Y7)
	ADD(Y8, Y9)
	ADD(Y10, Y11)

store:
	MOVQ         sgemmTile_c(T), C_PTR
	ADDQ         sgemmTile_done(T), C_PTR
	VBROADCASTSS sgemmTile_floor(T), FLOOR
	STORE(Y0, Y1)
	STORE(Y2, Y3)
	STORE(Y4, Y5)
	STORE(Y6, Y7)
	STORE(Y8, Y9)
	STORE(Y10, Y11)
	SUBQ         sgemmTile_c(T), C_PTR
	MOVQ         C_PTR, sgemmTile_done(T)
	DECQ         sgemmTile_tiles(T)
	JNZ          tile
	VZEROUPPER
	RET
