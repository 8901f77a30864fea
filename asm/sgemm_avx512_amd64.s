#include "go_asm.h"
#include "textflag.h"

// Float32 tile of 6 rows by 16 columns, AVX-512: 6 accumulators, one load of B and six multiply-adds that broadcast
// their element of A themselves. The order of additions is that of sgemm6x16AVX2, and so are the bits. For Zen 4, where
// four multiply-adds are under way at once, 6 rows are enough; cores with two multipliers of 512 bits could use 8.
//
//	        b
//	row 0   Z0
//	 ...
//	row 5   Z5
//
// Z6 holds 16 columns of B.
//
//	for tap := range taps { for k := range K { row[i] += A[rows[i] + tap + k] * B[16 columns] } }

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
#define FLOOR  Z6 // after the taps

// ROW(N, A): A = &a[rows[N]]
#define ROW(N, A) \
	MOVQ 8*N(ROWS), A \
	LEAQ (AX)(A*4), A

// FMA(A, P): P += A[INDEX] * B
#define FMA(A, P) VFMADD231PS.BCST (A)(INDEX*4), Z6, P

// ADD(P): P += the row of C
#define ADD(P) \
	VADDPS (C_PTR), P, P \
	ADDQ   STRIDE, C_PTR

// STORE(P): the row of C = max(floor, P); a NaN, as the second source, goes through
#define STORE(P) \
	VMAXPS  P, FLOOR, P   \
	VMOVUPS P, (C_PTR)    \
	ADDQ    STRIDE, C_PTR

// func sgemm6x16AVX512(t *sgemmTile)
TEXT ·sgemm6x16AVX512(SB), NOSPLIT, $0-8
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
	VMOVUPS (AX), Z0
	VMOVAPS Z0, Z1
	VMOVAPS Z0, Z2
	VMOVAPS Z0, Z3
	VMOVAPS Z0, Z4
	VMOVAPS Z0, Z5

	MOVQ sgemmTile_b(T), B_PTR
	MOVQ sgemmTile_taps(T), TAP
	MOVQ (sgemmTile_taps+8)(T), TAPS // the slice's length

tap:
	MOVQ (TAP), INDEX
	MOVQ sgemmTile_k(T), LAST
	ADDQ INDEX, LAST
	ADDQ $8, TAP

k:
	VMOVUPS (B_PTR), Z6
	FMA(A0, Z0)
	FMA(A1, Z1)
	FMA(A2, Z2)
	FMA(A3, Z3)
	FMA(A4, Z4)
	FMA(A5, Z5)
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
	ADD(Z0)
	ADD(Z1)
	ADD(Z2)
	ADD(Z3)
	ADD(Z4)
	ADD(Z5)

store:
	MOVQ         sgemmTile_c(T), C_PTR
	ADDQ         sgemmTile_done(T), C_PTR
	VBROADCASTSS sgemmTile_floor(T), FLOOR
	STORE(Z0)
	STORE(Z1)
	STORE(Z2)
	STORE(Z3)
	STORE(Z4)
	STORE(Z5)
	SUBQ         sgemmTile_c(T), C_PTR
	MOVQ         C_PTR, sgemmTile_done(T)
	DECQ         sgemmTile_tiles(T)
	JNZ          tile
	VZEROUPPER
	RET
