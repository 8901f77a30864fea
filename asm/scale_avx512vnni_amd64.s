#include "go_asm.h"
#include "textflag.h"

// Scaling by gates with AVX-512, 64 channels at a time in four vectors of float32 and what is left 16 at a time, for the CPUs
// of AVX-512 VNNI. General registers are those of scale_avx2_amd64.s, and
//	R12  the number of channels less 63
// Z14 holds Mult, Z15 ResMult, Z13 -127 in each byte, Z12 the order of channels after packing.

// The packs work within 128-bit lanes: the dwords of channels come out as 0 4 8 12, 1 5 9 13, ...
DATA order<>+0(SB)/8, $0x0000000400000000
DATA order<>+8(SB)/8, $0x0000000c00000008
DATA order<>+16(SB)/8, $0x0000000500000001
DATA order<>+24(SB)/8, $0x0000000d00000009
DATA order<>+32(SB)/8, $0x0000000600000002
DATA order<>+40(SB)/8, $0x0000000e0000000a
DATA order<>+48(SB)/8, $0x0000000700000003
DATA order<>+56(SB)/8, $0x0000000f0000000b
GLOBL order<>(SB), RODATA|NOPTR, $64

DATA floor<>+0(SB)/4, $0x81818181
GLOBL floor<>(SB), RODATA|NOPTR, $4

// GATED makes float32 of 16 channels of the input and multiplies them by their gates and Mult; WIDEN brings 16 bytes to
// 32 bits.
#define GATED(WIDEN, at, acc) \
	WIDEN     at(R8)(BX*1), acc           \
	VCVTDQ2PS acc, acc                    \
	VMULPS    (4*at)(R10)(BX*4), acc, acc \
	VMULPS    Z14, acc, acc

// ADD adds 16 channels of the residual, and NO_ADD does not.
#define ADD(WIDEN, at, acc) \
	WIDEN     at(R9)(BX*1), Z4 \
	VCVTDQ2PS Z4, Z4           \
	VMULPS    Z15, Z4, Z4      \
	VADDPS    Z4, acc, acc

#define NO_ADD(WIDEN, at, acc)

// UNSIGNED clamps 16 bits to 0..255, SIGNED to -127..127.
#define UNSIGNED(a, b) \
	VPACKUSWB b, a, a

#define SIGNED(a, b) \
	VPACKSSWB b, a, a   \
	VPMAXSB   Z13, a, a

// CHANNELS does all channels of a pixel.
#define CHANNELS(WIDEN, SUM, WIDEN_RES, BYTES, wide, narrow) \
	CMPQ      BX, R12         \
	JGE       narrow          \
	wide:                     \
	GATED(WIDEN, 0, Z0)       \
	GATED(WIDEN, 16, Z1)      \
	GATED(WIDEN, 32, Z2)      \
	GATED(WIDEN, 48, Z3)      \
	SUM(WIDEN_RES, 0, Z0)     \
	SUM(WIDEN_RES, 16, Z1)    \
	SUM(WIDEN_RES, 32, Z2)    \
	SUM(WIDEN_RES, 48, Z3)    \
	VCVTPS2DQ Z0, Z0          \
	VCVTPS2DQ Z1, Z1          \
	VCVTPS2DQ Z2, Z2          \
	VCVTPS2DQ Z3, Z3          \
	VPACKSSDW Z1, Z0, Z0      \
	VPACKSSDW Z3, Z2, Z2      \
	BYTES(Z0, Z2)             \
	VPERMD    Z0, Z12, Z0     \
	VMOVDQU32 Z0, (R13)(BX*1) \
	ADDQ      $64, BX         \
	CMPQ      BX, R12         \
	JLT       wide            \
	CMPQ      BX, R11         \
	JGE       next            \
	narrow:                   \
	GATED(WIDEN, 0, Z0)       \
	SUM(WIDEN_RES, 0, Z0)     \
	VCVTPS2DQ Z0, Z0          \
	VPACKSSDW Z0, Z0, Z0      \
	BYTES(Z0, Z0)             \
	VPERMD    Z0, Z12, Z0     \
	VMOVDQU   X0, (R13)(BX*1) \
	ADDQ      $16, BX         \
	CMPQ      BX, R11         \
	JLT       narrow

// func scaleAVX512VNNI(a *ScaleArgs)
//
//	for each row, pixel, 64 or 16 channels: scale, add the residual if the epilogue says so, round, pack, store
TEXT ·scaleAVX512VNNI(SB), NOSPLIT, $0-8
	MOVQ         a+0(FP), DI
	MOVQ         ScaleArgs_Gate(DI), R10
	MOVQ         ScaleArgs_Channels(DI), R11
	LEAQ         -63(R11), R12
	VBROADCASTSS ScaleArgs_Mult(DI), Z14
	VBROADCASTSS ScaleArgs_ResMult(DI), Z15
	VPBROADCASTD floor<>(SB), Z13
	VMOVDQU32    order<>(SB), Z12
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
	CHANNELS(VPMOVZXBD, NO_ADD, VPMOVZXBD, UNSIGNED, plainWide, plainNarrow)
	JMP  next

signed:
	CHANNELS(VPMOVSXBD, NO_ADD, VPMOVSXBD, SIGNED, signedWide, signedNarrow)
	JMP next

addUnsigned:
	CHANNELS(VPMOVSXBD, ADD, VPMOVZXBD, UNSIGNED, addUnsignedWide, addUnsignedNarrow)
	JMP next

addSigned:
	CHANNELS(VPMOVSXBD, ADD, VPMOVSXBD, UNSIGNED, addSignedWide, addSignedNarrow)

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
