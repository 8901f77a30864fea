// Building blocks of the AVX2 direct grouped convolutions. A panel is 8 output channels; loops run over
// panels, rows and pixels.
//
// General registers:
//	DI  the argument struct         BX  the panel's weights
//	R8  its biases                  R9 R10 R11  the window's rows, at the pixel
//	R12 bytes from tap to tap       R13 the output pixel
//	CX  pixels left                 DX  rows done
//	AX  scratch                     SI  scratch

#define GROUP_PROLOGUE \
	MOVQ a+0(FP), DI              \
	MOVQ GroupArgs_W(DI), BX      \
	MOVQ GroupArgs_Bias(DI), R8   \
	MOVQ GroupArgs_TapCol(DI), R12

// GROUP_ROWS begins a panel's rows.
#define GROUP_ROWS XORQ DX, DX

// GROUP_ROW points to the first pixel of row DX. The panel's channels begin as many bytes into a pixel as
// its biases, a quarter of their size, begin into the table.
#define GROUP_ROW \
	MOVQ  R8, AX                    \
	SUBQ  GroupArgs_Bias(DI), AX    \
	SHRQ  $2, AX                    \
	MOVQ  GroupArgs_InRow(DI), R9   \
	IMULQ DX, R9                    \
	ADDQ  GroupArgs_In(DI), R9      \
	ADDQ  AX, R9                    \
	MOVQ  GroupArgs_TapRow(DI), R11 \
	LEAQ  (R9)(R11*1), R10          \
	ADDQ  R10, R11                  \
	MOVQ  GroupArgs_OutRow(DI), R13 \
	IMULQ DX, R13                   \
	ADDQ  GroupArgs_Out(DI), R13    \
	ADDQ  AX, R13                   \
	MOVQ  GroupArgs_Cols(DI), CX

// GROUP_NEXT_ROW leaves the flags for JNE row.
#define GROUP_NEXT_ROW \
	INCQ DX                     \
	CMPQ DX, GroupArgs_Rows(DI)

// GROUP_NEXT_PANEL leaves the flags for JNE panel.
#define GROUP_NEXT_PANEL(bytes) \
	ADDQ $bytes, BX               \
	ADDQ $32, R8                  \
	MOVQ R8, AX                   \
	SUBQ GroupArgs_Bias(DI), AX   \
	SHRQ $5, AX                   \
	CMPQ AX, GroupArgs_Panels(DI)

// GROUP_STORE scales, rounds and packs Y0 and stores 8 bytes.
#define GROUP_STORE \
	MOVQ         R8, AX                    \
	SUBQ         GroupArgs_Bias(DI), AX    \
	ADDQ         GroupArgs_Mult(DI), AX    \
	VCVTDQ2PS    Y0, Y0                    \
	VMULPS       (AX), Y0, Y0              \
	VCVTPS2DQ    Y0, Y0                    \
	VEXTRACTI128 $1, Y0, X1                \
	VPACKSSDW    X1, X0, X0                \
	VPACKUSWB    X0, X0, X0                \
	VMOVQ        X0, (R13)                 \
	ADDQ         GroupArgs_OutCol(DI), R13

// GROUP_WIDEN writes the next 32 weights to SI as 16 even and 16 odd int16.
#define GROUP_WIDEN \
	VMOVDQU (BX), Y1     \
	VPSLLW  $8, Y1, Y2   \
	VPSRAW  $8, Y2, Y2   \
	VPSRAW  $8, Y1, Y1   \
	VMOVDQU Y2, (SI)     \
	VMOVDQU Y1, 32(SI)   \
	ADDQ    $32, BX      \
	ADDQ    $64, SI

// WIDE4: Y0 += the products of a pixel's two quads.
#define WIDE4(x, even, odd) \
	VPBROADCASTQ x, Y1        \
	VPSHUFB      Y14, Y1, Y2  \
	VPSHUFB      Y13, Y1, Y1  \
	VPMADDWD     even, Y1, Y1 \
	VPMADDWD     odd, Y2, Y2  \
	VPADDD       Y1, Y0, Y0   \
	VPADDD       Y2, Y0, Y0

// pairQuads brings quad 0 to every dword of the low half and quad 1 to those of the high half.
DATA pairQuads<>+0(SB)/8, $0x0302010003020100
DATA pairQuads<>+8(SB)/8, $0x0302010003020100
DATA pairQuads<>+16(SB)/8, $0x0706050407060504
DATA pairQuads<>+24(SB)/8, $0x0706050407060504
GLOBL pairQuads<>(SB), RODATA|NOPTR, $32

// evenBytes and oddBytes do the same with bytes 0 and 2, or 1 and 3, of the quads, widened to int16.
DATA evenBytes<>+0(SB)/8, $0x8002800080028000
DATA evenBytes<>+8(SB)/8, $0x8002800080028000
DATA evenBytes<>+16(SB)/8, $0x8006800480068004
DATA evenBytes<>+24(SB)/8, $0x8006800480068004
GLOBL evenBytes<>(SB), RODATA|NOPTR, $32

DATA oddBytes<>+0(SB)/8, $0x8003800180038001
DATA oddBytes<>+8(SB)/8, $0x8003800180038001
DATA oddBytes<>+16(SB)/8, $0x8007800580078005
DATA oddBytes<>+24(SB)/8, $0x8007800580078005
GLOBL oddBytes<>(SB), RODATA|NOPTR, $32
