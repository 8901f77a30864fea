#include "go_asm.h"
#include "textflag.h"

// func maxPoolAVX2(a *PoolArgs)
//
//	for each row, pixel, 16 channels: out = max of the nine taps
TEXT ·maxPoolAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), DI
	MOVQ PoolArgs_TapCol(DI), R12
	XORQ DX, DX

row:
	MOVQ  PoolArgs_InRow(DI), R8
	IMULQ DX, R8
	ADDQ  PoolArgs_In(DI), R8
	MOVQ  PoolArgs_OutRow(DI), R13
	IMULQ DX, R13
	ADDQ  PoolArgs_Out(DI), R13
	MOVQ  PoolArgs_Cols(DI), CX

pixel:
	MOVQ R8, R9
	MOVQ PoolArgs_TapRow(DI), AX
	LEAQ (R9)(AX*1), R10
	LEAQ (R10)(AX*1), R11
	XORQ BX, BX

channels:
	VMOVDQU (R9), X0
	VPMAXUB (R9)(R12*1), X0, X0
	VPMAXUB (R9)(R12*2), X0, X0
	VMOVDQU (R10), X1
	VPMAXUB (R10)(R12*1), X1, X1
	VPMAXUB (R10)(R12*2), X1, X1
	VMOVDQU (R11), X2
	VPMAXUB (R11)(R12*1), X2, X2
	VPMAXUB (R11)(R12*2), X2, X2
	VPMAXUB X1, X0, X0
	VPMAXUB X2, X0, X0
	VMOVDQU X0, (R13)(BX*1)
	ADDQ    $16, R9
	ADDQ    $16, R10
	ADDQ    $16, R11
	ADDQ    $16, BX
	CMPQ    BX, PoolArgs_Channels(DI)
	JLT     channels
	ADDQ    PoolArgs_InCol(DI), R8
	ADDQ    PoolArgs_OutCol(DI), R13
	DECQ    CX
	JNE     pixel
	INCQ    DX
	CMPQ    DX, PoolArgs_Rows(DI)
	JNE     row
	RET

// func averagePoolAVX2(a *PoolArgs)
//
//	for each row, pixel, 16 channels: s = sum of the four taps in 16 bits; out = (s + 1 + (s>>2 & 1)) >> 2
TEXT ·averagePoolAVX2(SB), NOSPLIT, $0-8
	MOVQ     a+0(FP), DI
	MOVQ     PoolArgs_TapCol(DI), R12
	VPCMPEQW Y15, Y15, Y15
	VPSRLW   $15, Y15, Y15
	XORQ     DX, DX

row:
	MOVQ  PoolArgs_InRow(DI), R8
	IMULQ DX, R8
	ADDQ  PoolArgs_In(DI), R8
	MOVQ  PoolArgs_OutRow(DI), R13
	IMULQ DX, R13
	ADDQ  PoolArgs_Out(DI), R13
	MOVQ  PoolArgs_Cols(DI), CX

pixel:
	MOVQ R8, R9
	MOVQ PoolArgs_TapRow(DI), R10
	ADDQ R8, R10
	XORQ BX, BX

channels:
	VPMOVZXBW    (R9), Y0
	VPMOVZXBW    (R9)(R12*1), Y1
	VPMOVZXBW    (R10), Y2
	VPMOVZXBW    (R10)(R12*1), Y3
	VPADDW       Y1, Y0, Y0
	VPADDW       Y3, Y2, Y2
	VPADDW       Y2, Y0, Y0
	VPSRLW       $2, Y0, Y1
	VPADDW       Y15, Y0, Y0
	VPAND        Y15, Y1, Y1
	VPADDW       Y1, Y0, Y0
	VPSRLW       $2, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPACKUSWB    X1, X0, X0
	VMOVDQU      X0, (R13)(BX*1)
	ADDQ         $16, R9
	ADDQ         $16, R10
	ADDQ         $16, BX
	CMPQ         BX, PoolArgs_Channels(DI)
	JLT          channels
	ADDQ         PoolArgs_InCol(DI), R8
	ADDQ         PoolArgs_OutCol(DI), R13
	DECQ         CX
	JNE          pixel
	INCQ         DX
	CMPQ         DX, PoolArgs_Rows(DI)
	JNE          row
	VZEROUPPER
	RET

// func blurAVX2(a *BlurArgs)
//
//	for each row, pixel, 16 channels: s = corners + 2*(sides + 2*centre) in 16 bits, at most 16*255
//		out = (s + 7 + (s>>4 & 1)) >> 4
TEXT ·blurAVX2(SB), NOSPLIT, $0-8
	MOVQ     a+0(FP), DI
	MOVQ     BlurArgs_Left(DI), R12
	MOVQ     BlurArgs_Right(DI), SI
	VPCMPEQW Y15, Y15, Y15
	VPSRLW   $13, Y15, Y14
	VPSRLW   $15, Y15, Y15
	XORQ     DX, DX

row:
	MOVQ  BlurArgs_InRow(DI), R8
	IMULQ DX, R8
	ADDQ  BlurArgs_In(DI), R8
	MOVQ  BlurArgs_OutRow(DI), R13
	IMULQ DX, R13
	ADDQ  BlurArgs_Out(DI), R13
	MOVQ  BlurArgs_Cols(DI), CX

pixel:
	MOVQ R8, R9
	MOVQ BlurArgs_Up(DI), R10
	ADDQ R8, R10
	MOVQ BlurArgs_Down(DI), R11
	ADDQ R8, R11
	XORQ BX, BX

channels:
	VPMOVZXBW    (R9), Y0
	VPMOVZXBW    (R9)(R12*1), Y1
	VPMOVZXBW    (R9)(SI*1), Y2
	VPMOVZXBW    (R10), Y3
	VPMOVZXBW    (R10)(R12*1), Y4
	VPMOVZXBW    (R10)(SI*1), Y5
	VPMOVZXBW    (R11), Y6
	VPMOVZXBW    (R11)(R12*1), Y7
	VPMOVZXBW    (R11)(SI*1), Y8
	VPADDW       Y0, Y0, Y0
	VPADDW       Y2, Y1, Y1
	VPADDW       Y6, Y3, Y3
	VPADDW       Y5, Y4, Y4
	VPADDW       Y8, Y7, Y7
	VPADDW       Y3, Y1, Y1
	VPADDW       Y7, Y4, Y4
	VPADDW       Y1, Y0, Y0
	VPADDW       Y0, Y0, Y0
	VPADDW       Y4, Y0, Y0
	VPSRLW       $4, Y0, Y1
	VPADDW       Y14, Y0, Y0
	VPAND        Y15, Y1, Y1
	VPADDW       Y1, Y0, Y0
	VPSRLW       $4, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPACKUSWB    X1, X0, X0
	VMOVDQU      X0, (R13)(BX*1)
	ADDQ         $16, R9
	ADDQ         $16, R10
	ADDQ         $16, R11
	ADDQ         $16, BX
	CMPQ         BX, BlurArgs_Channels(DI)
	JLT          channels
	ADDQ         BlurArgs_InCol(DI), R8
	ADDQ         BlurArgs_OutCol(DI), R13
	DECQ         CX
	JNE          pixel
	INCQ         DX
	CMPQ         DX, BlurArgs_Rows(DI)
	JNE          row
	VZEROUPPER
	RET

// SUM_PIXELS adds 16 channels of all pixels to the sums, SUM_LINES 64; WIDEN brings 8 bytes to 32 bits.
#define SUM_PIXELS(WIDEN, pixel) \
pixel:  \
	WIDEN  (R9), Y2   \
	WIDEN  8(R9), Y3  \
	VPADDD Y2, Y0, Y0 \
	VPADDD Y3, Y1, Y1 \
	ADDQ   R12, R9    \
	DECQ   CX         \
	JNE    pixel

#define SUM_LINES(WIDEN, pixel) \
pixel:  \
	WIDEN  (R9), Y8    \
	WIDEN  8(R9), Y9   \
	WIDEN  16(R9), Y10 \
	WIDEN  24(R9), Y11 \
	WIDEN  32(R9), Y12 \
	WIDEN  40(R9), Y13 \
	WIDEN  48(R9), Y14 \
	WIDEN  56(R9), Y15 \
	VPADDD Y8, Y0, Y0  \
	VPADDD Y9, Y1, Y1  \
	VPADDD Y10, Y2, Y2 \
	VPADDD Y11, Y3, Y3 \
	VPADDD Y12, Y4, Y4 \
	VPADDD Y13, Y5, Y5 \
	VPADDD Y14, Y6, Y6 \
	VPADDD Y15, Y7, Y7 \
	ADDQ   R12, R9     \
	DECQ   CX          \
	JNE    pixel

// func sumAVX2(a *SumArgs)
//
//	for each 64 channels, a line of cache, and then for each 16: out = sum over pixels, in vectors of int32
TEXT ·sumAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), DI
	MOVQ SumArgs_Out(DI), R13
	MOVQ SumArgs_Step(DI), R12
	XORQ BX, BX

channels:
	MOVQ  SumArgs_In(DI), R9
	ADDQ  BX, R9
	MOVQ  SumArgs_Pixels(DI), CX
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	LEAQ  64(BX), AX
	CMPQ  AX, SumArgs_Channels(DI)
	JGT   narrow
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	VPXOR Y4, Y4, Y4
	VPXOR Y5, Y5, Y5
	VPXOR Y6, Y6, Y6
	VPXOR Y7, Y7, Y7

	CMPB SumArgs_Signed(DI), $0
	JNE  signedLines
	SUM_LINES(VPMOVZXBD, line)
	JMP  storeLines

signedLines:
	SUM_LINES(VPMOVSXBD, signedLine)

storeLines:
	VMOVDQU Y0, (R13)(BX*4)
	VMOVDQU Y1, 32(R13)(BX*4)
	VMOVDQU Y2, 64(R13)(BX*4)
	VMOVDQU Y3, 96(R13)(BX*4)
	VMOVDQU Y4, 128(R13)(BX*4)
	VMOVDQU Y5, 160(R13)(BX*4)
	VMOVDQU Y6, 192(R13)(BX*4)
	VMOVDQU Y7, 224(R13)(BX*4)
	ADDQ    $64, BX
	CMPQ    BX, SumArgs_Channels(DI)
	JLT     channels
	VZEROUPPER
	RET

narrow:
	CMPB SumArgs_Signed(DI), $0
	JNE  signed
	SUM_PIXELS(VPMOVZXBD, pixel)
	JMP  store

signed:
	SUM_PIXELS(VPMOVSXBD, signedPixel)

store:
	VMOVDQU Y0, (R13)(BX*4)
	VMOVDQU Y1, 32(R13)(BX*4)
	ADDQ    $16, BX
	CMPQ    BX, SumArgs_Channels(DI)
	JLT     channels
	VZEROUPPER
	RET
