#include "group_vnni_amd64.h"

// Panels of 16 channels, sums in ZMM registers: those of four pixels are Z0 to Z3, Z5 holds the multipliers and
// Z6 the bias, in the sums' order.

// GROUP_PANEL begins a panel; order is that of the sums' channels.
#define GROUP_PANEL(order) \
	VMOVDQU32 order<>(SB), Z6        \
	MOVQ      R8, AX                 \
	SUBQ      GroupArgs_Bias(DI), AX \
	ADDQ      GroupArgs_Mult(DI), AX \
	VPERMD    (AX), Z6, Z5           \
	VPERMD    (R8), Z6, Z6           \
	GROUP_ROWS

// GROUP_FINISH turns the sums into bytes and stores them; order says where those of a pixel belong.
#define GROUP_FINISH(order) \
	GROUP_REQUANTISE(Z0, Z1, Z2, Z3, Z5) \
	VMOVDQU32     pixels<>(SB), Z1       \
	VPERMD        Z0, Z1, Z0             \
	VPSHUFB       order<>(SB), Z0, Z0    \
	VMOVDQU       X0, (R13)              \
	GROUP_STORED                         \
	VEXTRACTI32X4 $1, Z0, (R13)          \
	GROUP_STORED                         \
	VEXTRACTI32X4 $2, Z0, (R13)          \
	GROUP_STORED                         \
	VEXTRACTI32X4 $3, Z0, (R13)          \
	GROUP_STORED                         \
	LEAQ          (R9)(R14*4), R9

// GROUP_OUTPUT prepares R10, R11 and Z1 for GROUP_STORE4 and its like, which store the bytes of four pixels, or three or
// two, that are in a, of which x is the low part.
#define GROUP_OUTPUT \
	MOVQ      GroupArgs_OutCol(DI), R10 \
	LEAQ      (R10)(R10*2), R11         \
	VMOVDQU32 pixels<>(SB), Z1

#define GROUP_STORE2(order, a, x) \
	VPERMD        a, Z1, a              \
	VPSHUFB       order<>(SB), a, a     \
	VMOVDQU32     x, (R13)              \
	VEXTRACTI32X4 $1, a, (R13)(R10*1)   \
	LEAQ          (R13)(R10*2), R13

#define GROUP_STORE3(order, a, x) \
	VPERMD        a, Z1, a              \
	VPSHUFB       order<>(SB), a, a     \
	VMOVDQU32     x, (R13)              \
	VEXTRACTI32X4 $1, a, (R13)(R10*1)   \
	VEXTRACTI32X4 $2, a, (R13)(R10*2)   \
	ADDQ          R11, R13

#define GROUP_STORE4(order, a, x) \
	VPERMD        a, Z1, a              \
	VPSHUFB       order<>(SB), a, a     \
	VMOVDQU32     x, (R13)              \
	VEXTRACTI32X4 $1, a, (R13)(R10*1)   \
	VEXTRACTI32X4 $2, a, (R13)(R10*2)   \
	VEXTRACTI32X4 $3, a, (R13)(R11*1)   \
	LEAQ          (R13)(R10*4), R13

// GROUP_NEXT_PANEL512 is GROUP_NEXT_PANEL for 16 channels.
#define GROUP_NEXT_PANEL512(bytes) \
	ADDQ $bytes, BX               \
	ADDQ $64, R8                  \
	MOVQ R8, AX                   \
	SUBQ GroupArgs_Bias(DI), AX   \
	SHRQ $6, AX                   \
	CMPQ AX, GroupArgs_Panels(DI)

// pixels collects the dwords of each pixel from the lanes.
DATA pixels<>+0(SB)/8, $0x0000000400000000
DATA pixels<>+8(SB)/8, $0x0000000c00000008
DATA pixels<>+16(SB)/8, $0x0000000500000001
DATA pixels<>+24(SB)/8, $0x0000000d00000009
DATA pixels<>+32(SB)/8, $0x0000000600000002
DATA pixels<>+40(SB)/8, $0x0000000e0000000a
DATA pixels<>+48(SB)/8, $0x0000000700000003
DATA pixels<>+56(SB)/8, $0x0000000f0000000b
GLOBL pixels<>(SB), RODATA|NOPTR, $64
