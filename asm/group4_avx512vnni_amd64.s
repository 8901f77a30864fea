#include "go_asm.h"
#include "textflag.h"
#include "group_vnni512_amd64.h"

// AVX-512 VNNI direct grouped 3x3 convolution with 4 channels a group: a panel is four groups, g to j. The 16
// input bytes of a pixel are a quad of each; VBROADCASTI32X4 repeats them:
//
//	x     g    h    i    j    | g    h    i    j    | g    h    i    j    | g    h    i    j
//	w     g0   h0   i0   j0   | g1   h1   i1   j1   | g2   h2   i2   j2   | g3   h3   i3   j3
//
// The panel's nine vectors of weights stay in Z7 to Z15.

// sums: the channels in that order, h0 being channel 4.
DATA sums<>+0(SB)/8, $0x0000000400000000
DATA sums<>+8(SB)/8, $0x0000000c00000008
DATA sums<>+16(SB)/8, $0x0000000500000001
DATA sums<>+24(SB)/8, $0x0000000d00000009
DATA sums<>+32(SB)/8, $0x0000000600000002
DATA sums<>+40(SB)/8, $0x0000000e0000000a
DATA sums<>+48(SB)/8, $0x0000000700000003
DATA sums<>+56(SB)/8, $0x0000000f0000000b
GLOBL sums<>(SB), RODATA|NOPTR, $64

// channels brings the bytes of a pixel in this order back to that of channels.
DATA channels<>+0(SB)/8, $0x0d0905010c080400
DATA channels<>+8(SB)/8, $0x0f0b07030e0a0602
DATA channels<>+16(SB)/8, $0x0d0905010c080400
DATA channels<>+24(SB)/8, $0x0f0b07030e0a0602
DATA channels<>+32(SB)/8, $0x0d0905010c080400
DATA channels<>+40(SB)/8, $0x0f0b07030e0a0602
DATA channels<>+48(SB)/8, $0x0d0905010c080400
DATA channels<>+56(SB)/8, $0x0f0b07030e0a0602
GLOBL channels<>(SB), RODATA|NOPTR, $64

// TAP adds the products of one tap of four pixels with the weights w.
#define TAP(AT, w) \
	VBROADCASTI32X4 AT(AX), Z16  \
	VBROADCASTI32X4 AT(R10), Z17 \
	VBROADCASTI32X4 AT(R11), Z18 \
	VBROADCASTI32X4 AT(SI), Z19  \
	VPDPBUSD        w, Z16, Z0   \
	VPDPBUSD        w, Z17, Z1   \
	VPDPBUSD        w, Z18, Z2   \
	VPDPBUSD        w, Z19, Z3

#define ROW(a, b, c) \
	TAP(LEFT, a)   \
	TAP(MIDDLE, b) \
	TAP(RIGHT, c)

// Where windows are a pixel apart, 14 pixels share their 16 columns: a row of them takes 16 loads instead of 42. Their sums
// are Z16 to Z29. A column adds to three pixels, as the right, the middle and the left of their windows, but for the first
// and last two.

#define FIRST(x, u, p) \
	VBROADCASTI32X4 x, Z4    \
	VPDPBUSD        u, Z4, p

#define SECOND(x, u, v, p, q) \
	VBROADCASTI32X4 x, Z4    \
	VPDPBUSD        u, Z4, p \
	VPDPBUSD        v, Z4, q

#define COLUMN(x, u, v, w, p, q, r) \
	VBROADCASTI32X4 x, Z4    \
	VPDPBUSD        u, Z4, p \
	VPDPBUSD        v, Z4, q \
	VPDPBUSD        w, Z4, r

#define COLUMNS(a, b, c) \
	FIRST(LEFT(AX), a, Z16)                    \
	SECOND(MIDDLE(AX), a, b, Z17, Z16)         \
	LEAQ (AX)(R12*2), AX                       \
	COLUMN(LEFT(AX), a, b, c, Z18, Z17, Z16)   \
	COLUMN(MIDDLE(AX), a, b, c, Z19, Z18, Z17) \
	LEAQ (AX)(R12*2), AX                       \
	COLUMN(LEFT(AX), a, b, c, Z20, Z19, Z18)   \
	COLUMN(MIDDLE(AX), a, b, c, Z21, Z20, Z19) \
	LEAQ (AX)(R12*2), AX                       \
	COLUMN(LEFT(AX), a, b, c, Z22, Z21, Z20)   \
	COLUMN(MIDDLE(AX), a, b, c, Z23, Z22, Z21) \
	LEAQ (AX)(R12*2), AX                       \
	COLUMN(LEFT(AX), a, b, c, Z24, Z23, Z22)   \
	COLUMN(MIDDLE(AX), a, b, c, Z25, Z24, Z23) \
	LEAQ (AX)(R12*2), AX                       \
	COLUMN(LEFT(AX), a, b, c, Z26, Z25, Z24)   \
	COLUMN(MIDDLE(AX), a, b, c, Z27, Z26, Z25) \
	LEAQ (AX)(R12*2), AX                       \
	COLUMN(LEFT(AX), a, b, c, Z28, Z27, Z26)   \
	COLUMN(MIDDLE(AX), a, b, c, Z29, Z28, Z27) \
	LEAQ (AX)(R12*2), AX                       \
	SECOND(LEFT(AX), b, c, Z29, Z28)           \
	FIRST(MIDDLE(AX), c, Z29)

// func group4AVX512VNNI(a *GroupArgs)
//
//	for each panel, row, 14 pixels at a time if they share columns, then four:
//		acc = bias
//		for each tap: acc += x*w
//		scale, round, pack, store 16 bytes each
TEXT ·group4AVX512VNNI(SB), NOSPLIT, $0-8
	GROUP_PROLOGUE
	GROUP_STEPS

panel:
	GROUP_PANEL(sums)
	VMOVDQU32 (BX), Z7
	VMOVDQU32 64(BX), Z8
	VMOVDQU32 128(BX), Z9
	VMOVDQU32 192(BX), Z10
	VMOVDQU32 256(BX), Z11
	VMOVDQU32 320(BX), Z12
	VMOVDQU32 384(BX), Z13
	VMOVDQU32 448(BX), Z14
	VMOVDQU32 512(BX), Z15

row:
	GROUP_ROW

	CMPQ CX, $14
	JLT  pixel
	CMPQ R14, R12
	JNE  pixel

columns:
	VMOVDQA32 Z6, Z16
	VMOVDQA32 Z6, Z17
	VMOVDQA32 Z6, Z18
	VMOVDQA32 Z6, Z19
	VMOVDQA32 Z6, Z20
	VMOVDQA32 Z6, Z21
	VMOVDQA32 Z6, Z22
	VMOVDQA32 Z6, Z23
	VMOVDQA32 Z6, Z24
	VMOVDQA32 Z6, Z25
	VMOVDQA32 Z6, Z26
	VMOVDQA32 Z6, Z27
	VMOVDQA32 Z6, Z28
	VMOVDQA32 Z6, Z29
	MOVQ      R9, AX
	COLUMNS(Z7, Z8, Z9)
	ADDQ      GroupArgs_TapRow(DI), R9
	MOVQ      R9, AX
	COLUMNS(Z10, Z11, Z12)
	ADDQ      GroupArgs_TapRow(DI), R9
	MOVQ      R9, AX
	COLUMNS(Z13, Z14, Z15)
	SUBQ      GroupArgs_TapRow(DI), AX
	SUBQ      GroupArgs_TapRow(DI), AX
	MOVQ      AX, R9
	GROUP_OUTPUT
	GROUP_REQUANTISE(Z16, Z17, Z18, Z19, Z5)
	GROUP_STORE4(channels, Z16, X16)
	GROUP_REQUANTISE(Z20, Z21, Z22, Z23, Z5)
	GROUP_STORE4(channels, Z20, X20)
	GROUP_REQUANTISE(Z24, Z25, Z26, Z27, Z5)
	GROUP_STORE4(channels, Z24, X24)
	GROUP_REQUANTISE(Z28, Z29, Z30, Z31, Z5)
	GROUP_STORE2(channels, Z28, X28)
	SUBQ      $14, CX
	JEQ       rowdone
	CMPQ      CX, $14
	JGE       columns

pixel:
	GROUP_PIXELS
	VMOVDQA32 Z6, Z0
	VMOVDQA32 Z6, Z1
	VMOVDQA32 Z6, Z2
	VMOVDQA32 Z6, Z3
	ROW(Z7, Z8, Z9)
	GROUP_DOWN
	ROW(Z10, Z11, Z12)
	GROUP_DOWN
	ROW(Z13, Z14, Z15)
	GROUP_FINISH(channels)
	JMP       pixel

rowdone:
	GROUP_NEXT_ROW
	JNE row
	GROUP_NEXT_PANEL512(576)
	JNE panel
	VZEROUPPER
	RET
