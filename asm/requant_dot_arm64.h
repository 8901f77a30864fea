// Requantisation for the kernels of ARMv8.2 and later, whose sums cost so little that the way back to bytes
// counts. SCVTF and FCVTNS hold one of Cortex-A76's two vector pipes for two cycles each, so only the sums
// are converted by an instruction. The rest is done with the bits of floats, exactly:
//
//	float to integer: v + 1.5*2^23 is rounded to an integer, half to even, and its bits less those of
//	1.5*2^23 are that integer for |v| <= 2^22. Beyond, the bits still compare as the floats do, and the
//	negative ones lie below all others, so that the saturating difference is on the right side.
//
//	byte to float: the bits 0x4b000000 + q are those of 2^23 + q.
//
// With 128 more taken away, the integer is q-128, which saturates to a signed byte exactly where q does to
// an unsigned one.
//
// Sums lie in vector registers 16 to 31. A row is four registers of sums, which become 16 bytes in the
// first of them.

#define M0 0 // multipliers of a row
#define M1 1
#define M2 2
#define M3 3
#define MAGIC 4 // 1.5*2^23
#define ZEROBITS 5 // the bits of 1.5*2^23, and 128 more where q-128 is stored
#define FLOOR 6 // -127, the least that Signed stores
#define RB 7 // 16 bytes of the residual
#define RF0 8 // the same as floats
#define RF1 9
#define RF2 10
#define RF3 11
#define SIGN 12 // unsigned byte to signed byte and back
#define EXPONENT 13 // 0x4b00, the high half of the bits of 2^23
#define BASE 14 // 2^23, or 2^23+128 where the residual is its unsigned byte less 128
#define RESMULT 15
#define FM0 F0
#define FM1 F1
#define FM2 F2
#define FM3 F3
#define FMAGIC F4
#define FZEROBITS F5
#define FFLOOR F6
#define FRB F7
#define FSIGN F12
#define FEXPONENT F13
#define FBASE F14
#define FRESMULT F15

// Offsets of the constants. Those for signed bytes are 16 further than those for unsigned bytes.
#define MAGIC_AT 0x00
#define FLOOR_AT 0x10
#define ZEROBITS_AT 0x20
#define BASE_AT 0x40
#define SIGN_AT 0x60
#define EXPONENT_AT 0x70
#define ORDER4_AT 0x80 // for TBL: a row from [4 o][4 g] to [4 g][4 o]
#define ORDER8_AT 0x90 // and from [8 o][2 g] to [2 g][8 o]

DATA requantConst<>+0x00(SB)/8, $0x4b4000004b400000
DATA requantConst<>+0x08(SB)/8, $0x4b4000004b400000
DATA requantConst<>+0x10(SB)/8, $0x8181818181818181
DATA requantConst<>+0x18(SB)/8, $0x8181818181818181
DATA requantConst<>+0x20(SB)/8, $0x4b4000804b400080 // q-128
DATA requantConst<>+0x28(SB)/8, $0x4b4000804b400080
DATA requantConst<>+0x30(SB)/8, $0x4b4000004b400000
DATA requantConst<>+0x38(SB)/8, $0x4b4000004b400000
DATA requantConst<>+0x40(SB)/8, $0x4b0000004b000000
DATA requantConst<>+0x48(SB)/8, $0x4b0000004b000000
DATA requantConst<>+0x50(SB)/8, $0x4b0000804b000080 // r+128
DATA requantConst<>+0x58(SB)/8, $0x4b0000804b000080
DATA requantConst<>+0x60(SB)/8, $0x8080808080808080
DATA requantConst<>+0x68(SB)/8, $0x8080808080808080
DATA requantConst<>+0x70(SB)/8, $0x4b004b004b004b00
DATA requantConst<>+0x78(SB)/8, $0x4b004b004b004b00
DATA requantConst<>+0x80(SB)/8, $0x0d0905010c080400
DATA requantConst<>+0x88(SB)/8, $0x0f0b07030e0a0602
DATA requantConst<>+0x90(SB)/8, $0x0e0c0a0806040200
DATA requantConst<>+0x98(SB)/8, $0x0f0d0b0907050301
GLOBL requantConst<>(SB), RODATA|NOPTR, $160

// SCALE4 makes floats of a row and multiplies them.
#define SCALE4(a0, a1, a2, a3) \
	SCVTF(a0, a0);    \
	SCVTF(a1, a1);    \
	SCVTF(a2, a2);    \
	SCVTF(a3, a3);    \
	FMUL(a0, a0, M0); \
	FMUL(a1, a1, M1); \
	FMUL(a2, a2, M2); \
	FMUL(a3, a3, M3)

// ADD4 adds RB * RESMULT to a row.
#define ADD4(a0, a1, a2, a3) \
	EOR16B(RB, RB, SIGN);        \
	UXTLB(RF1, RB);              \
	UXTLB2(RF3, RB);             \
	ZIP1H(RF0, RF1, EXPONENT);   \
	ZIP2H(RF1, RF1, EXPONENT);   \
	ZIP1H(RF2, RF3, EXPONENT);   \
	ZIP2H(RF3, RF3, EXPONENT);   \
	FSUB(RF0, RF0, BASE);        \
	FSUB(RF1, RF1, BASE);        \
	FSUB(RF2, RF2, BASE);        \
	FSUB(RF3, RF3, BASE);        \
	FMULE(RF0, RF0, RESMULT, 0); \
	FMULE(RF1, RF1, RESMULT, 0); \
	FMULE(RF2, RF2, RESMULT, 0); \
	FMULE(RF3, RF3, RESMULT, 0); \
	FADD(a0, a0, RF0);           \
	FADD(a1, a1, RF1);           \
	FADD(a2, a2, RF2);           \
	FADD(a3, a3, RF3)

// NARROW4 makes bytes of a row of floats.
#define NARROW4(a0, a1, a2, a3) \
	FADD(a0, a0, MAGIC);       \
	FADD(a1, a1, MAGIC);       \
	FADD(a2, a2, MAGIC);       \
	FADD(a3, a3, MAGIC);       \
	SQSUB4S(a0, a0, ZEROBITS); \
	SQSUB4S(a1, a1, ZEROBITS); \
	SQSUB4S(a2, a2, ZEROBITS); \
	SQSUB4S(a3, a3, ZEROBITS); \
	SQXTNS(a0, a0);            \
	SQXTNS(a2, a2);            \
	SQXTNS2(a0, a1);           \
	SQXTNS2(a2, a3);           \
	SQXTNH(a0, a0);            \
	SQXTNH2(a0, a2)

// SCALE2, ADD2 and NARROW2 do the same with half a row: two registers, 8 bytes.
#define SCALE2(a0, a1) \
	SCVTF(a0, a0);    \
	SCVTF(a1, a1);    \
	FMUL(a0, a0, M0); \
	FMUL(a1, a1, M1)

#define ADD2(a0, a1) \
	EOR16B(RB, RB, SIGN);        \
	UXTLB(RF1, RB);              \
	ZIP1H(RF0, RF1, EXPONENT);   \
	ZIP2H(RF1, RF1, EXPONENT);   \
	FSUB(RF0, RF0, BASE);        \
	FSUB(RF1, RF1, BASE);        \
	FMULE(RF0, RF0, RESMULT, 0); \
	FMULE(RF1, RF1, RESMULT, 0); \
	FADD(a0, a0, RF0);           \
	FADD(a1, a1, RF1)

#define NARROW2(a0, a1) \
	FADD(a0, a0, MAGIC);       \
	FADD(a1, a1, MAGIC);       \
	SQSUB4S(a0, a0, ZEROBITS); \
	SQSUB4S(a1, a1, ZEROBITS); \
	SQXTNS(a0, a0);            \
	SQXTNS2(a0, a1);           \
	SQXTNH(a0, a0)
