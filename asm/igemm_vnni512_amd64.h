#include "igemm_vnni_amd64.h"

// What igemm_vnni_amd64.h leaves open, for sums in ZMM registers. Z28 to Z31 are taken.

// On Zen 4 PREFETCHT1 brings weights hardly nearer.
#define FETCH PREFETCHT0 (R12)

#define ORDER Z31
#define FLOOR Z30

// PLUS_UNSIGNED and PLUS_SIGNED: as ADD_UNSIGNED and ADD_SIGNED for AVX2; Z29 holds ResMult.

#define PLUS_UNSIGNED(at, acc) \
	VPMOVZXBD at(R10), Z28  \
	VCVTDQ2PS Z28, Z28      \
	VMULPS    Z29, Z28, Z28 \
	VADDPS    Z28, acc, acc

#define PLUS_SIGNED(at, acc) \
	VPMOVSXBD at(R10), Z28  \
	VCVTDQ2PS Z28, Z28      \
	VMULPS    Z29, Z28, Z28 \
	VADDPS    Z28, acc, acc

#define CONSTANTS \
	MOVQ         IGEMMArgs_Mult(DI), R8     \
	MOVL         IGEMMArgs_Epilogue(DI), CX \
	VBROADCASTSS IGEMMArgs_ResMult(DI), Z29 \
	VPBROADCASTD minus127<>(SB), FLOOR      \
	VMOVDQU32    packOrder512<>(SB), ORDER

// The packs work within 128-bit lanes: the dwords of channels come out as 0 4 8 12, 1 5 9 13, ...
DATA packOrder512<>+0(SB)/8, $0x0000000400000000
DATA packOrder512<>+8(SB)/8, $0x0000000c00000008
DATA packOrder512<>+16(SB)/8, $0x0000000500000001
DATA packOrder512<>+24(SB)/8, $0x0000000d00000009
DATA packOrder512<>+32(SB)/8, $0x0000000600000002
DATA packOrder512<>+40(SB)/8, $0x0000000e0000000a
DATA packOrder512<>+48(SB)/8, $0x0000000700000003
DATA packOrder512<>+56(SB)/8, $0x0000000f0000000b
GLOBL packOrder512<>(SB), RODATA|NOPTR, $64
