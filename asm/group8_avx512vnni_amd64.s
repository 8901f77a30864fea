#include "go_asm.h"
#include "textflag.h"
#include "group_vnni512_amd64.h"

// AVX-512 VNNI direct grouped 3x3 convolution with 8 channels a group: a panel is two groups, g and h. The 16
// input bytes of a pixel are two quads of each, gp gq hp hq; VBROADCASTI32X4 repeats them, and two vectors of
// weights make the sums of output channels 0 to 3 of each group (Z0 to Z3, by pixel) and 4 to 7 (Z7 to Z10):
//
//	x     gp   gq   hp   hq   | gp   gq   hp   hq   | gp   gq   hp   hq   | gp   gq   hp   hq
//	w     g0p  g0q  h0p  h0q  | g1p  g1q  h1p  h1q  | g2p  g2q  h2p  h2q  | g3p  g3q  h3p  h3q
//	w     g4p  g4q  h4p  h4q  | g5p  g5q  h5p  h5q  | g6p  g6q  h6p  h6q  | g7p  g7q  h7p  h7q
//
// Two VSHUFPS of the two take the p and the q, whose sum is g0 h0 g4 h4 | g1 h1 g5 h5 | ... The p begin with the
// bias (Z12 and Z13), the q with 0. The panel's 18 vectors of weights stay in Z14 to Z31.

// sums: the channels in that order, h0 being channel 8.
DATA sums<>+0(SB)/8, $0x0000000800000000
DATA sums<>+8(SB)/8, $0x0000000c00000004
DATA sums<>+16(SB)/8, $0x0000000900000001
DATA sums<>+24(SB)/8, $0x0000000d00000005
DATA sums<>+32(SB)/8, $0x0000000a00000002
DATA sums<>+40(SB)/8, $0x0000000e00000006
DATA sums<>+48(SB)/8, $0x0000000b00000003
DATA sums<>+56(SB)/8, $0x0000000f00000007
GLOBL sums<>(SB), RODATA|NOPTR, $64

// channels brings the bytes of a pixel in this order back to that of channels.
DATA channels<>+0(SB)/8, $0x0e0a06020c080400
DATA channels<>+8(SB)/8, $0x0f0b07030d090501
DATA channels<>+16(SB)/8, $0x0e0a06020c080400
DATA channels<>+24(SB)/8, $0x0f0b07030d090501
DATA channels<>+32(SB)/8, $0x0e0a06020c080400
DATA channels<>+40(SB)/8, $0x0f0b07030d090501
DATA channels<>+48(SB)/8, $0x0e0a06020c080400
DATA channels<>+56(SB)/8, $0x0f0b07030d090501
GLOBL channels<>(SB), RODATA|NOPTR, $64

// DOTS adds the products of one tap of the pixel at x with the weights v and w.
#define DOTS(x, v, w, a, b) \
	VBROADCASTI32X4 x, Z4    \
	VPDPBUSD        v, Z4, a \
	VPDPBUSD        w, Z4, b

#define TAP(AT, v, w) \
	DOTS(AT(AX), v, w, Z0, Z7)  \
	DOTS(AT(R10), v, w, Z1, Z8) \
	DOTS(AT(R11), v, w, Z2, Z9) \
	DOTS(AT(SI), v, w, Z3, Z10)

#define ROW(a, b, c, d, e, f) \
	TAP(LEFT, a, b)   \
	TAP(MIDDLE, c, d) \
	TAP(RIGHT, e, f)

// PAIR adds the p and q of a pixel, with x for scratch.
#define PAIR(a, b, x) \
	VSHUFPS $0x88, b, a, x \
	VSHUFPS $0xdd, b, a, a \
	VPADDD  x, a, a

// Where windows are a pixel apart, 7 pixels share their 9 columns: a row of them takes 9 loads instead of 21. Their sums
// are Z0 to Z6 and Z7 to Z13. A column adds to three pixels, as the right, the middle and the left of their windows, but
// for the first and last two. The first two vectors of weights stay in memory meanwhile, so that Z14 and Z15 are free;
// bias and multipliers are in the frame.

#define ADD(v, w, a, b) \
	VPDPBUSD v, Z14, a \
	VPDPBUSD w, Z14, b

#define COLUMNS(a, b, c, d, e, f) \
	VBROADCASTI32X4 LEFT(AX), Z14   \
	ADD(a, b, Z0, Z7)               \
	VBROADCASTI32X4 MIDDLE(AX), Z14 \
	ADD(a, b, Z1, Z8)               \
	ADD(c, d, Z0, Z7)               \
	LEAQ            (AX)(R12*2), AX \
	VBROADCASTI32X4 LEFT(AX), Z14   \
	ADD(a, b, Z2, Z9)               \
	ADD(c, d, Z1, Z8)               \
	ADD(e, f, Z0, Z7)               \
	VBROADCASTI32X4 MIDDLE(AX), Z14 \
	ADD(a, b, Z3, Z10)              \
	ADD(c, d, Z2, Z9)               \
	ADD(e, f, Z1, Z8)               \
	LEAQ            (AX)(R12*2), AX \
	VBROADCASTI32X4 LEFT(AX), Z14   \
	ADD(a, b, Z4, Z11)              \
	ADD(c, d, Z3, Z10)              \
	ADD(e, f, Z2, Z9)               \
	VBROADCASTI32X4 MIDDLE(AX), Z14 \
	ADD(a, b, Z5, Z12)              \
	ADD(c, d, Z4, Z11)              \
	ADD(e, f, Z3, Z10)              \
	LEAQ            (AX)(R12*2), AX \
	VBROADCASTI32X4 LEFT(AX), Z14   \
	ADD(a, b, Z6, Z13)              \
	ADD(c, d, Z5, Z12)              \
	ADD(e, f, Z4, Z11)              \
	VBROADCASTI32X4 MIDDLE(AX), Z14 \
	ADD(c, d, Z6, Z13)              \
	ADD(e, f, Z5, Z12)              \
	LEAQ            (AX)(R12*2), AX \
	VBROADCASTI32X4 LEFT(AX), Z14   \
	ADD(e, f, Z6, Z13)

// func group8AVX512VNNI(a *GroupArgs)
//
//	for each panel, row, 7 pixels at a time if they share columns, then four:
//		acc = bias
//		for each tap: acc += x*w
//		add up pairs, scale, round, pack, store 16 bytes each
TEXT ·group8AVX512VNNI(SB), NOSPLIT, $192-8
	GROUP_PROLOGUE
	GROUP_STEPS

panel:
	GROUP_PANEL(sums)
	VPXORD     Z4, Z4, Z4
	VPUNPCKLDQ Z4, Z6, Z12
	VPUNPCKHDQ Z4, Z6, Z13
	VMOVDQU32  (BX), Z14
	VMOVDQU32  64(BX), Z15
	VMOVDQU32  Z12, first-64(SP)
	VMOVDQU32  Z13, second-128(SP)
	VMOVDQU32  Z5, mult-192(SP)
	VMOVDQU32  128(BX), Z16
	VMOVDQU32  192(BX), Z17
	VMOVDQU32  256(BX), Z18
	VMOVDQU32  320(BX), Z19
	VMOVDQU32  384(BX), Z20
	VMOVDQU32  448(BX), Z21
	VMOVDQU32  512(BX), Z22
	VMOVDQU32  576(BX), Z23
	VMOVDQU32  640(BX), Z24
	VMOVDQU32  704(BX), Z25
	VMOVDQU32  768(BX), Z26
	VMOVDQU32  832(BX), Z27
	VMOVDQU32  896(BX), Z28
	VMOVDQU32  960(BX), Z29
	VMOVDQU32  1024(BX), Z30
	VMOVDQU32  1088(BX), Z31

row:
	GROUP_ROW

	CMPQ CX, $7
	JLT  pixel
	CMPQ R14, R12
	JNE  pixel

columns:
	VMOVDQU32 first-64(SP), Z0
	VMOVDQA32 Z0, Z1
	VMOVDQA32 Z0, Z2
	VMOVDQA32 Z0, Z3
	VMOVDQA32 Z0, Z4
	VMOVDQA32 Z0, Z5
	VMOVDQA32 Z0, Z6
	VMOVDQU32 second-128(SP), Z7
	VMOVDQA32 Z7, Z8
	VMOVDQA32 Z7, Z9
	VMOVDQA32 Z7, Z10
	VMOVDQA32 Z7, Z11
	VMOVDQA32 Z7, Z12
	VMOVDQA32 Z7, Z13
	MOVQ      R9, AX
	COLUMNS((BX), 64(BX), Z16, Z17, Z18, Z19)
	ADDQ      GroupArgs_TapRow(DI), R9
	MOVQ      R9, AX
	COLUMNS(Z20, Z21, Z22, Z23, Z24, Z25)
	ADDQ      GroupArgs_TapRow(DI), R9
	MOVQ      R9, AX
	COLUMNS(Z26, Z27, Z28, Z29, Z30, Z31)
	SUBQ      R12, AX
	SUBQ      GroupArgs_TapRow(DI), AX
	SUBQ      GroupArgs_TapRow(DI), AX
	MOVQ      AX, R9
	PAIR(Z0, Z7, Z14)
	PAIR(Z1, Z8, Z14)
	PAIR(Z2, Z9, Z14)
	PAIR(Z3, Z10, Z14)
	PAIR(Z4, Z11, Z14)
	PAIR(Z5, Z12, Z14)
	PAIR(Z6, Z13, Z14)
	VMOVDQU32 mult-192(SP), Z15
	GROUP_REQUANTISE(Z0, Z1, Z2, Z3, Z15)
	GROUP_REQUANTISE(Z4, Z5, Z6, Z7, Z15)
	GROUP_OUTPUT
	GROUP_STORE4(channels, Z0, X0)
	GROUP_STORE3(channels, Z4, X4)
	SUBQ      $7, CX
	JEQ       rowdone
	CMPQ      CX, $7
	JGE       columns
	VMOVDQU32 first-64(SP), Z12
	VMOVDQU32 second-128(SP), Z13
	VMOVDQU32 mult-192(SP), Z5
	VMOVDQU32 (BX), Z14
	VMOVDQU32 64(BX), Z15

pixel:
	GROUP_PIXELS
	VMOVDQA32 Z12, Z0
	VMOVDQA32 Z12, Z1
	VMOVDQA32 Z12, Z2
	VMOVDQA32 Z12, Z3
	VMOVDQA32 Z13, Z7
	VMOVDQA32 Z13, Z8
	VMOVDQA32 Z13, Z9
	VMOVDQA32 Z13, Z10
	ROW(Z14, Z15, Z16, Z17, Z18, Z19)
	GROUP_DOWN
	ROW(Z20, Z21, Z22, Z23, Z24, Z25)
	GROUP_DOWN
	ROW(Z26, Z27, Z28, Z29, Z30, Z31)
	PAIR(Z0, Z7, Z4)
	PAIR(Z1, Z8, Z4)
	PAIR(Z2, Z9, Z4)
	PAIR(Z3, Z10, Z4)
	GROUP_FINISH(channels)
	JMP       pixel

rowdone:
	GROUP_NEXT_ROW
	JNE row
	GROUP_NEXT_PANEL512(1152)
	JNE panel
	VZEROUPPER
	RET
