#include "go_asm.h"
#include "textflag.h"
#include "group_vnni256_amd64.h"

// AVX-VNNI direct grouped 3x3 convolution with 8 channels a group: a panel is one group. The 8 input bytes of a
// pixel are two quads, p and q; VPBROADCASTQ repeats them, and two vectors of weights make the sums of output
// channels 0 to 3 (Y0 to Y3, by pixel) and 4 to 7 (Y7 to Y10):
//
//	x     p     q     p     q     | p     q     p     q
//	w     0p    0q    1p    1q    | 2p    2q    3p    3q
//	w     4p    4q    5p    5q    | 6p    6q    7p    7q
//
// VPHADDD of the two adds p and q and leaves channels 0 1 4 5 | 2 3 6 7. The p begin with the bias (Y13 and Y14),
// the q with 0. A vector of weights that was loaded serves four pixels.

// sums: the channels in that order.
DATA sums<>+0(SB)/8, $0x0000000100000000
DATA sums<>+8(SB)/8, $0x0000000500000004
DATA sums<>+16(SB)/8, $0x0000000300000002
DATA sums<>+24(SB)/8, $0x0000000700000006
GLOBL sums<>(SB), RODATA|NOPTR, $32

// channels brings the bytes of two pixels in this order back to that of channels.
DATA channels<>+0(SB)/8, $0x0706030205040100
DATA channels<>+8(SB)/8, $0x0f0e0b0a0d0c0908
DATA channels<>+16(SB)/8, $0x0706030205040100
DATA channels<>+24(SB)/8, $0x0f0e0b0a0d0c0908
GLOBL channels<>(SB), RODATA|NOPTR, $32

// DOTS adds the products of one tap of the pixel at x.
#define DOTS(x, a, b) \
	VPBROADCASTQ x, Y4     \
	VPDPBUSD_VEX(11, 4, a) \
	VPDPBUSD_VEX(12, 4, b)

// TAP does one tap of four pixels with the weights at w.
#define TAP(AT, w) \
	VMOVDQU w(BX), Y11      \
	VMOVDQU (w+32)(BX), Y12 \
	DOTS(AT(AX), 0, 7)      \
	DOTS(AT(R10), 1, 8)     \
	DOTS(AT(R11), 2, 9)     \
	DOTS(AT(SI), 3, 10)

#define ROW(w) \
	TAP(LEFT, w)        \
	TAP(MIDDLE, (w+64)) \
	TAP(RIGHT, (w+128))

// func group8AVXVNNI(a *GroupArgs)
//
//	for each panel, row, four pixels at a time:
//		acc = bias
//		for each tap: acc += x*w
//		add up pairs, scale, round, pack, store 8 bytes each
TEXT ·group8AVXVNNI(SB), NOSPLIT, $0-8
	GROUP_PROLOGUE
	GROUP_STEPS

panel:
	GROUP_PANEL(sums)
	VPXOR      Y4, Y4, Y4
	VPUNPCKLDQ Y4, Y6, Y13
	VPUNPCKHDQ Y4, Y6, Y14

row:
	GROUP_ROW

pixel:
	GROUP_PIXELS
	VMOVDQA Y13, Y0
	VMOVDQA Y13, Y1
	VMOVDQA Y13, Y2
	VMOVDQA Y13, Y3
	VMOVDQA Y14, Y7
	VMOVDQA Y14, Y8
	VMOVDQA Y14, Y9
	VMOVDQA Y14, Y10
	ROW(0)
	GROUP_DOWN
	ROW(192)
	GROUP_DOWN
	ROW(384)
	VPHADDD Y7, Y0, Y0
	VPHADDD Y8, Y1, Y1
	VPHADDD Y9, Y2, Y2
	VPHADDD Y10, Y3, Y3
	GROUP_FINISH(channels)
	JMP     pixel

rowdone:
	GROUP_NEXT_ROW
	JNE row
	GROUP_NEXT_PANEL(576)
	JNE panel
	VZEROUPPER
	RET
