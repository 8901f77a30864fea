#include "go_asm.h"
#include "textflag.h"

// Scaling by gates, 16 channels at a time in two vectors of float32. General registers:
//	DI  the argument struct       R8   the input pixel      R13  the output pixel
//	SI  columns left              R9   the residual pixel   BX   the channel
//	DX  the row                   R10  the gates            R11  the number of channels
// Y14 holds Mult, Y15 ResMult, X13 -127 in each byte.

DATA floor<>+0(SB)/8, $0x8181818181818181
DATA floor<>+8(SB)/8, $0x8181818181818181
GLOBL floor<>(SB), RODATA|NOPTR, $16

// GATED makes float32 of 8 channels of the input and multiplies them by their gates and Mult; WIDEN brings 8 bytes to
// 32 bits.
#define GATED(WIDEN, at, acc) \
	WIDEN     at(R8)(BX*1), acc           \
	VCVTDQ2PS acc, acc                    \
	VMULPS    (4*at)(R10)(BX*4), acc, acc \
	VMULPS    Y14, acc, acc

// ADD adds 8 channels of the residual.
#define ADD(WIDEN, at, acc) \
	WIDEN     at(R9)(BX*1), Y2 \
	VCVTDQ2PS Y2, Y2           \
	VMULPS    Y15, Y2, Y2      \
	VADDPS    Y2, acc, acc

// ROUND makes 16 bits of 16 channels. The packs work within 128-bit lanes, so that the dwords come out as 0 2 1 3.
#define ROUND \
	VCVTPS2DQ    Y0, Y0     \
	VCVTPS2DQ    Y1, Y1     \
	VPACKSSDW    Y1, Y0, Y0 \
	VEXTRACTI128 $1, Y0, X1

#define STORE \
	VPSHUFD $0xd8, X0, X0   \
	VMOVDQU X0, (R13)(BX*1) \
	ADDQ    $16, BX         \
	CMPQ    BX, R11

// UNSIGNED rounds, clamps to 0..255 and stores, SIGNED likewise to -127..127.
#define UNSIGNED \
	ROUND                \
	VPACKUSWB X1, X0, X0 \
	STORE

#define SIGNED \
	ROUND                 \
	VPACKSSWB X1, X0, X0  \
	VPMAXSB   X13, X0, X0 \
	STORE

// func scaleAVX2(a *ScaleArgs)
//
//	for each row, pixel, 16 channels: scale, add the residual if the epilogue says so, round, pack, store
TEXT ·scaleAVX2(SB), NOSPLIT, $0-8
	MOVQ         a+0(FP), DI
	MOVQ         ScaleArgs_Gate(DI), R10
	MOVQ         ScaleArgs_Channels(DI), R11
	VBROADCASTSS ScaleArgs_Mult(DI), Y14
	VBROADCASTSS ScaleArgs_ResMult(DI), Y15
	VMOVDQU      floor<>(SB), X13
	XORQ         DX, DX

row:
	MOVQ  ScaleArgs_InRow(DI), R8
	IMULQ DX, R8
	ADDQ  ScaleArgs_In(DI), R8
	MOVQ  ScaleArgs_ResRow(DI), R9
	IMULQ DX, R9
	ADDQ  ScaleArgs_Res(DI), R9
	MOVQ  ScaleArgs_OutRow(DI), R13
	IMULQ DX, R13
	ADDQ  ScaleArgs_Out(DI), R13
	MOVQ  ScaleArgs_Cols(DI), SI

pixel:
	XORQ BX, BX
	CMPL ScaleArgs_Epilogue(DI), $const_AddUnsigned
	JEQ  addUnsigned
	JGT  addSigned
	CMPL ScaleArgs_Epilogue(DI), $const_Signed
	JEQ  signed

plain:
	GATED(VPMOVZXBD, 0, Y0)
	GATED(VPMOVZXBD, 8, Y1)
	UNSIGNED
	JLT plain
	JMP next

signed:
	GATED(VPMOVSXBD, 0, Y0)
	GATED(VPMOVSXBD, 8, Y1)
	SIGNED
	JLT signed
	JMP next

addUnsigned:
	GATED(VPMOVSXBD, 0, Y0)
	GATED(VPMOVSXBD, 8, Y1)
	ADD(VPMOVZXBD, 0, Y0)
	ADD(VPMOVZXBD, 8, Y1)
	UNSIGNED
	JLT addUnsigned
	JMP next

addSigned:
	GATED(VPMOVSXBD, 0, Y0)
	GATED(VPMOVSXBD, 8, Y1)
	ADD(VPMOVSXBD, 0, Y0)
	ADD(VPMOVSXBD, 8, Y1)
	UNSIGNED
	JLT addSigned

next:
	ADDQ R11, R8
	ADDQ R11, R9
	ADDQ R11, R13
	DECQ SI
	JNE  pixel
	INCQ DX
	CMPQ DX, ScaleArgs_Rows(DI)
	JNE  row
	VZEROUPPER
	RET
