#include "go_asm.h"
#include "textflag.h"
#include "group_vnni256_amd64.h"

// AVX-VNNI direct grouped 3x3 convolution with 4 channels a group: a panel is two groups, g and h. The 8 input
// bytes of a pixel are a quad of each; VPBROADCASTQ repeats them:
//
//	x     g     h     g     h     | g     h     g     h
//	w     g0    h0    g1    h1    | g2    h2    g3    h3
//
// The panel's nine vectors of weights stay in Y7 to Y15.

// sums: the channels in that order, h0 being channel 4.
DATA sums<>+0(SB)/8, $0x0000000400000000
DATA sums<>+8(SB)/8, $0x0000000500000001
DATA sums<>+16(SB)/8, $0x0000000600000002
DATA sums<>+24(SB)/8, $0x0000000700000003
GLOBL sums<>(SB), RODATA|NOPTR, $32

// channels brings the bytes of two pixels in this order back to that of channels.
DATA channels<>+0(SB)/8, $0x0705030106040200
DATA channels<>+8(SB)/8, $0x0f0d0b090e0c0a08
DATA channels<>+16(SB)/8, $0x0705030106040200
DATA channels<>+24(SB)/8, $0x0f0d0b090e0c0a08
GLOBL channels<>(SB), RODATA|NOPTR, $32

// TAP adds the products of one tap of four pixels with the weights in register w.
#define TAP(AT, w) \
	VPBROADCASTQ AT(AX), Y4  \
	VPDPBUSD_VEX(w, 4, 0)    \
	VPBROADCASTQ AT(R10), Y4 \
	VPDPBUSD_VEX(w, 4, 1)    \
	VPBROADCASTQ AT(R11), Y4 \
	VPDPBUSD_VEX(w, 4, 2)    \
	VPBROADCASTQ AT(SI), Y4  \
	VPDPBUSD_VEX(w, 4, 3)

#define ROW(a, b, c) \
	TAP(LEFT, a)   \
	TAP(MIDDLE, b) \
	TAP(RIGHT, c)

// func group4AVXVNNI(a *GroupArgs)
//
//	for each panel, row, four pixels at a time:
//		acc = bias
//		for each tap: acc += x*w
//		scale, round, pack, store 8 bytes each
TEXT ·group4AVXVNNI(SB), NOSPLIT, $0-8
	GROUP_PROLOGUE
	GROUP_STEPS

panel:
	GROUP_PANEL(sums)
	VMOVDQU (BX), Y7
	VMOVDQU 32(BX), Y8
	VMOVDQU 64(BX), Y9
	VMOVDQU 96(BX), Y10
	VMOVDQU 128(BX), Y11
	VMOVDQU 160(BX), Y12
	VMOVDQU 192(BX), Y13
	VMOVDQU 224(BX), Y14
	VMOVDQU 256(BX), Y15

row:
	GROUP_ROW

pixel:
	GROUP_PIXELS
	VMOVDQA Y6, Y0
	VMOVDQA Y6, Y1
	VMOVDQA Y6, Y2
	VMOVDQA Y6, Y3
	ROW(7, 8, 9)
	GROUP_DOWN
	ROW(10, 11, 12)
	GROUP_DOWN
	ROW(13, 14, 15)
	GROUP_FINISH(channels)
	JMP     pixel

rowdone:
	GROUP_NEXT_ROW
	JNE row
	GROUP_NEXT_PANEL(288)
	JNE panel
	VZEROUPPER
	RET
