#include "group_vnni_amd64.h"

// Panels of 8 channels, sums in YMM registers: those of four pixels are Y0 to Y3, Y5 holds the multipliers and
// Y6 the bias, in the sums' order.

// GROUP_PANEL begins a panel; order is that of the sums' channels.
#define GROUP_PANEL(order) \
	VMOVDQU order<>(SB), Y6                 \
	MOVQ    R8, AX                          \
	SUBQ    GroupArgs_Bias(DI), AX          \
	ADDQ    GroupArgs_Mult(DI), AX          \
	VPERMD  (AX), Y6, Y5                    \
	VPERMD  (R8), Y6, Y6                    \
	GROUP_ROWS

// GROUP_FINISH turns the sums into bytes and stores them; order says where those of a pixel belong.
#define GROUP_FINISH(order) \
	GROUP_REQUANTISE(Y0, Y1, Y2, Y3, Y5) \
	VMOVDQU      pixels<>(SB), Y1        \
	VPERMD       Y0, Y1, Y0              \
	VPSHUFB      order<>(SB), Y0, Y0     \
	VMOVQ        X0, (R13)               \
	GROUP_STORED                         \
	VMOVHPS      X0, (R13)               \
	GROUP_STORED                         \
	VEXTRACTI128 $1, Y0, X0              \
	VMOVQ        X0, (R13)               \
	GROUP_STORED                         \
	VMOVHPS      X0, (R13)               \
	GROUP_STORED                         \
	LEAQ         (R9)(R14*4), R9

// pixels collects the dwords of each pixel from the lanes.
DATA pixels<>+0(SB)/8, $0x0000000400000000
DATA pixels<>+8(SB)/8, $0x0000000500000001
DATA pixels<>+16(SB)/8, $0x0000000600000002
DATA pixels<>+24(SB)/8, $0x0000000700000003
GLOBL pixels<>(SB), RODATA|NOPTR, $32
