#include "go_asm.h"
#include "textflag.h"
#include "group_avx2_amd64.h"

// AVX2 direct grouped 3x3 convolution with 8 channels a group: a panel is one group, 8 output channels by 8
// inputs, and a tap is two quads, each broadcast to all lanes. Two pixels run at a time, so that a weight
// vector that was loaded serves twice. Weights are [9 taps][2 quads][8][4].

// QUAD8 multiplies one quad of two pixels (at x and y) with the weights at w.
#define QUAD8(w, x, y, a, b) \
	VMOVDQU      w(BX), Y4 \
	VPBROADCASTD x, a      \
	VPBROADCASTD y, b      \
	VPMADDUBSW   Y4, a, a  \
	VPMADDUBSW   Y4, b, b

#define ADD8(w, x, y) \
	QUAD8(w, x, y, Y5, Y6) \
	VPADDW Y5, Y2, Y2      \
	VPADDW Y6, Y3, Y3

// ROW8 adds one row of the window, six quads in an int16 lane, to Y0 and Y1. R14 is the second pixel's
// distance.
#define ROW8(at, R) \
	LEAQ     (R)(R14*1), AX                 \
	QUAD8(at, (R), (AX), Y2, Y3)            \
	ADD8(at+32, 4(R), 4(AX))                \
	ADD8(at+64, (R)(R12*1), (AX)(R12*1))    \
	ADD8(at+96, 4(R)(R12*1), 4(AX)(R12*1))  \
	ADD8(at+128, (R)(R12*2), (AX)(R12*2))   \
	ADD8(at+160, 4(R)(R12*2), 4(AX)(R12*2)) \
	VPMADDWD Y15, Y2, Y2                    \
	VPMADDWD Y15, Y3, Y3                    \
	VPADDD   Y2, Y0, Y0                     \
	VPADDD   Y3, Y1, Y1

// func group8Chain6AVX2(a *GroupArgs)
//
//	for each panel, row, two pixels at a time:
//		acc = bias
//		for each tap row: acc += ones * (six quads' products), int16 lanes proved
//		scale, round, pack, store 8 bytes each
//
// The last pixel of an odd row is its own second pixel, and is stored once.
TEXT ·group8Chain6AVX2(SB), NOSPLIT, $0-8
	GROUP_PROLOGUE
	VPCMPEQW Y15, Y15, Y15
	VPSRLW   $15, Y15, Y15

panel:
	GROUP_ROWS

row:
	GROUP_ROW

pixel:
	XORQ    R14, R14
	CMPQ    CX, $1
	CMOVQNE GroupArgs_InCol(DI), R14
	VMOVDQU (R8), Y0
	VMOVDQA Y0, Y1
	ROW8(0, R9)
	ROW8(192, R10)
	ROW8(384, R11)
	VMOVDQA Y1, Y7
	GROUP_STORE
	CMPQ    CX, $1
	JEQ     rowdone
	VMOVDQA Y7, Y0
	GROUP_STORE
	LEAQ    (R9)(R14*2), R9
	LEAQ    (R10)(R14*2), R10
	LEAQ    (R11)(R14*2), R11
	SUBQ    $2, CX
	JNE     pixel

rowdone:
	GROUP_NEXT_ROW
	JNE row
	GROUP_NEXT_PANEL(576)
	JNE panel
	VZEROUPPER
	RET

// WIDE8 is WIDE4 for a single quad.
#define WIDE8(x, even, odd) \
	VPBROADCASTD x, Y1        \
	VPSRLW       $8, Y1, Y2   \
	VPAND        Y15, Y1, Y1  \
	VPMADDWD     even, Y1, Y1 \
	VPMADDWD     odd, Y2, Y2  \
	VPADDD       Y1, Y0, Y0   \
	VPADDD       Y2, Y0, Y0

// func group8WideAVX2(a *GroupArgs)
//
// Any weights, widened to int16 once a panel into the frame, as in group4WideAVX2.
TEXT ·group8WideAVX2(SB), 0, $1152-8
	GROUP_PROLOGUE
	VPCMPEQW Y15, Y15, Y15
	VPSRLW   $8, Y15, Y15

panel:
	LEAQ w-1152(SP), SI
	MOVQ $18, CX

widen:
	GROUP_WIDEN
	DECQ CX
	JNE  widen
	SUBQ $576, BX
	GROUP_ROWS

row:
	GROUP_ROW

pixel:
	VMOVDQU (R8), Y0
	WIDE8((R9), w-1152(SP), w-1120(SP))
	WIDE8(4(R9), w-1088(SP), w-1056(SP))
	WIDE8((R9)(R12*1), w-1024(SP), w-992(SP))
	WIDE8(4(R9)(R12*1), w-960(SP), w-928(SP))
	WIDE8((R9)(R12*2), w-896(SP), w-864(SP))
	WIDE8(4(R9)(R12*2), w-832(SP), w-800(SP))
	WIDE8((R10), w-768(SP), w-736(SP))
	WIDE8(4(R10), w-704(SP), w-672(SP))
	WIDE8((R10)(R12*1), w-640(SP), w-608(SP))
	WIDE8(4(R10)(R12*1), w-576(SP), w-544(SP))
	WIDE8((R10)(R12*2), w-512(SP), w-480(SP))
	WIDE8(4(R10)(R12*2), w-448(SP), w-416(SP))
	WIDE8((R11), w-384(SP), w-352(SP))
	WIDE8(4(R11), w-320(SP), w-288(SP))
	WIDE8((R11)(R12*1), w-256(SP), w-224(SP))
	WIDE8(4(R11)(R12*1), w-192(SP), w-160(SP))
	WIDE8((R11)(R12*2), w-128(SP), w-96(SP))
	WIDE8(4(R11)(R12*2), w-64(SP), w-32(SP))
	GROUP_STORE
	ADDQ    GroupArgs_InCol(DI), R9
	ADDQ    GroupArgs_InCol(DI), R10
	ADDQ    GroupArgs_InCol(DI), R11
	DECQ    CX
	JNE     pixel
	GROUP_NEXT_ROW
	JNE     row
	GROUP_NEXT_PANEL(576)
	JNE     panel
	VZEROUPPER
	RET
