#include "go_asm.h"
#include "textflag.h"
#include "group_avx2_amd64.h"

// AVX2 direct grouped 3x3 convolution with 4 channels a group: a panel is 8 output channels, two groups.
// The 8 input bytes of a pixel are broadcast and shuffled so that each half of the register holds one
// group's quad in every lane; one VPMADDUBSW then makes 32 useful products:
//
//	x     a b c d  a b c d  a b c d  a b c d | e f g h  e f g h  e f g h  e f g h
//	w     oc 0     oc 1     oc 2     oc 3    | oc 4     oc 5     oc 6     oc 7
//
// General registers: those of group_avx2_amd64.h, and R9 R10 R11 for the three rows of the window.

// func group4Chain3AVX2(a *GroupArgs)
//
//	for each panel, row, pixel:
//		acc = bias
//		for each tap row: acc += ones * (x0*w0 + x1*w1 + x2*w2), int16 lanes proved
//		scale, round, pack, store 8 bytes
TEXT ·group4Chain3AVX2(SB), NOSPLIT, $0-8
	GROUP_PROLOGUE
	VPCMPEQW Y14, Y14, Y14
	VPSRLW   $15, Y14, Y14
	VMOVDQU  pairQuads<>(SB), Y13

panel:
	// The panel's nine weight vectors stay in registers.
	VMOVDQU (BX), Y4
	VMOVDQU 32(BX), Y5
	VMOVDQU 64(BX), Y6
	VMOVDQU 96(BX), Y7
	VMOVDQU 128(BX), Y8
	VMOVDQU 160(BX), Y9
	VMOVDQU 192(BX), Y10
	VMOVDQU 224(BX), Y11
	VMOVDQU 256(BX), Y12
	GROUP_ROWS

row:
	GROUP_ROW

pixel:
	VPBROADCASTQ (R9), Y1
	VPSHUFB      Y13, Y1, Y1
	VPMADDUBSW   Y4, Y1, Y1
	VPBROADCASTQ (R9)(R12*1), Y2
	VPSHUFB      Y13, Y2, Y2
	VPMADDUBSW   Y5, Y2, Y2
	VPBROADCASTQ (R9)(R12*2), Y3
	VPSHUFB      Y13, Y3, Y3
	VPMADDUBSW   Y6, Y3, Y3
	VPADDW       Y2, Y1, Y1
	VPADDW       Y3, Y1, Y1
	VPMADDWD     Y14, Y1, Y1
	VPADDD       (R8), Y1, Y0

	VPBROADCASTQ (R10), Y1
	VPSHUFB      Y13, Y1, Y1
	VPMADDUBSW   Y7, Y1, Y1
	VPBROADCASTQ (R10)(R12*1), Y2
	VPSHUFB      Y13, Y2, Y2
	VPMADDUBSW   Y8, Y2, Y2
	VPBROADCASTQ (R10)(R12*2), Y3
	VPSHUFB      Y13, Y3, Y3
	VPMADDUBSW   Y9, Y3, Y3
	VPADDW       Y2, Y1, Y1
	VPADDW       Y3, Y1, Y1
	VPMADDWD     Y14, Y1, Y1
	VPADDD       Y1, Y0, Y0

	VPBROADCASTQ (R11), Y1
	VPSHUFB      Y13, Y1, Y1
	VPMADDUBSW   Y10, Y1, Y1
	VPBROADCASTQ (R11)(R12*1), Y2
	VPSHUFB      Y13, Y2, Y2
	VPMADDUBSW   Y11, Y2, Y2
	VPBROADCASTQ (R11)(R12*2), Y3
	VPSHUFB      Y13, Y3, Y3
	VPMADDUBSW   Y12, Y3, Y3
	VPADDW       Y2, Y1, Y1
	VPADDW       Y3, Y1, Y1
	VPMADDWD     Y14, Y1, Y1
	VPADDD       Y1, Y0, Y0

	GROUP_STORE
	ADDQ GroupArgs_InCol(DI), R9
	ADDQ GroupArgs_InCol(DI), R10
	ADDQ GroupArgs_InCol(DI), R11
	DECQ CX
	JNE  pixel
	GROUP_NEXT_ROW
	JNE  row
	GROUP_NEXT_PANEL(288)
	JNE  panel
	VZEROUPPER
	RET

// func group4WideAVX2(a *GroupArgs)
//
// Any weights: bytes are widened to int16, the weights once a panel into the frame, as the even and the odd
// bytes of each tap; two shuffles pick the even and the odd bytes of the pixel.
TEXT ·group4WideAVX2(SB), 0, $576-8
	GROUP_PROLOGUE
	VMOVDQU evenBytes<>(SB), Y13
	VMOVDQU oddBytes<>(SB), Y14

panel:
	LEAQ w-576(SP), SI
	MOVQ $9, CX

widen:
	GROUP_WIDEN
	DECQ CX
	JNE  widen
	SUBQ $288, BX
	GROUP_ROWS

row:
	GROUP_ROW

pixel:
	VMOVDQU (R8), Y0
	WIDE4((R9), w-576(SP), w-544(SP))
	WIDE4((R9)(R12*1), w-512(SP), w-480(SP))
	WIDE4((R9)(R12*2), w-448(SP), w-416(SP))
	WIDE4((R10), w-384(SP), w-352(SP))
	WIDE4((R10)(R12*1), w-320(SP), w-288(SP))
	WIDE4((R10)(R12*2), w-256(SP), w-224(SP))
	WIDE4((R11), w-192(SP), w-160(SP))
	WIDE4((R11)(R12*1), w-128(SP), w-96(SP))
	WIDE4((R11)(R12*2), w-64(SP), w-32(SP))
	GROUP_STORE
	ADDQ    GroupArgs_InCol(DI), R9
	ADDQ    GroupArgs_InCol(DI), R10
	ADDQ    GroupArgs_InCol(DI), R11
	DECQ    CX
	JNE     pixel
	GROUP_NEXT_ROW
	JNE     row
	GROUP_NEXT_PANEL(288)
	JNE     panel
	VZEROUPPER
	RET
