// Vector instructions that Go's assembler cannot spell, of ARMv8.0 unless said otherwise. Operands are
// register numbers, 0 to 31: for V7 or R7 write 7. The destination comes first, as in Arm's manual and in the
// comments, whose Vd, Vn and Vm (X for addresses) stand for the operands. Where a mnemonic has several sizes, the lanes read
// stand behind it: B, H or S where their width changes, else all of them (8H). TestHeaderEncodings compares
// every macro with its comment.

// Products of 8-bit lanes, 16 bits wide: of the low eight lanes, and of the high eight ("2").

#define SMULLB(d, n, m)  WORD $(0x0e20c000 | (m)<<16 | (n)<<5 | (d)) // smull Vd.8h, Vn.8b, Vm.8b
#define SMULLB2(d, n, m) WORD $(0x4e20c000 | (m)<<16 | (n)<<5 | (d)) // smull2 Vd.8h, Vn.16b, Vm.16b
#define SMLALB(d, n, m)  WORD $(0x0e208000 | (m)<<16 | (n)<<5 | (d)) // smlal Vd.8h, Vn.8b, Vm.8b
#define SMLALB2(d, n, m) WORD $(0x4e208000 | (m)<<16 | (n)<<5 | (d)) // smlal2 Vd.8h, Vn.16b, Vm.16b

// ARMv8.2 dot product: to each 32-bit lane of Vd the four products of its bytes in Vn and Vm, or in Vn and
// lane i of Vm.

#define SDOT(d, n, m)     WORD $(0x4e809400 | (m)<<16 | (n)<<5 | (d)) // sdot Vd.4s, Vn.16b, Vm.16b
#define SDOTE(d, n, m, i) WORD $(0x4f80e000 | ((i)&1)<<21 | ((i)>>1)<<11 | (m)<<16 | (n)<<5 | (d)) // sdot Vd.4s, Vn.16b, Vm.4b[i]

// ARMv8.6 matrix product: Vn and Vm are two rows of eight bytes each; lane 2*r+c of Vd gets the eight
// products of row r of Vn and row c of Vm.

#define SMMLA(d, n, m) WORD $(0x4e80a400 | (m)<<16 | (n)<<5 | (d)) // smmla Vd.4s, Vn.16b, Vm.16b

// Products of 16-bit lanes, 32 bits wide.

#define SMLALH(d, n, m)  WORD $(0x0e608000 | (m)<<16 | (n)<<5 | (d)) // smlal Vd.4s, Vn.4h, Vm.4h
#define SMLALH2(d, n, m) WORD $(0x4e608000 | (m)<<16 | (n)<<5 | (d)) // smlal2 Vd.4s, Vn.8h, Vm.8h

// Sums of neighbouring 16-bit lanes, 32 bits wide: stored, and added to what is there.

#define SADDLP(d, n) WORD $(0x4e602800 | (n)<<5 | (d)) // saddlp Vd.4s, Vn.8h
#define SADALP(d, n) WORD $(0x4e606800 | (n)<<5 | (d)) // sadalp Vd.4s, Vn.8h

// Sums of signed 8-bit lanes, 16 bits wide, of the low eight and of the high eight: of two vectors, and of one with
// what is there in 16 bits.

#define SADDLB(d, n, m)  WORD $(0x0e200000 | (m)<<16 | (n)<<5 | (d)) // saddl Vd.8h, Vn.8b, Vm.8b
#define SADDLB2(d, n, m) WORD $(0x4e200000 | (m)<<16 | (n)<<5 | (d)) // saddl2 Vd.8h, Vn.16b, Vm.16b
#define SADDWB(d, n, m)  WORD $(0x0e201000 | (m)<<16 | (n)<<5 | (d)) // saddw Vd.8h, Vn.8h, Vm.8b
#define SADDWB2(d, n, m) WORD $(0x4e201000 | (m)<<16 | (n)<<5 | (d)) // saddw2 Vd.8h, Vn.8h, Vm.16b

// Zero.

#define ZERO(d) WORD $(0x6f00e400 | (d)) // movi Vd.2d, #0000000000000000

// Extension of the low half and of the high half, signed 8 to 16 and 16 to 32 bits, unsigned 8 to 16 bits.

#define SXTLB(d, n)  WORD $(0x0f08a400 | (n)<<5 | (d)) // sshll Vd.8h, Vn.8b, #0
#define SXTLB2(d, n) WORD $(0x4f08a400 | (n)<<5 | (d)) // sshll2 Vd.8h, Vn.16b, #0
#define SXTLH(d, n)  WORD $(0x0f10a400 | (n)<<5 | (d)) // sshll Vd.4s, Vn.4h, #0
#define SXTLH2(d, n) WORD $(0x4f10a400 | (n)<<5 | (d)) // sshll2 Vd.4s, Vn.8h, #0
#define UXTLB(d, n)  WORD $(0x2f08a400 | (n)<<5 | (d)) // ushll Vd.8h, Vn.8b, #0
#define UXTLB2(d, n) WORD $(0x6f08a400 | (n)<<5 | (d)) // ushll2 Vd.8h, Vn.16b, #0

// Saturating narrowing into the low half (which clears the high half) and into the high half: signed
// 32 to 16 bits, signed 16 to 8 bits, signed 16 to unsigned 8 bits.

#define SQXTNS(d, n)   WORD $(0x0e614800 | (n)<<5 | (d)) // sqxtn Vd.4h, Vn.4s
#define SQXTNS2(d, n)  WORD $(0x4e614800 | (n)<<5 | (d)) // sqxtn2 Vd.8h, Vn.4s
#define SQXTNH(d, n)   WORD $(0x0e214800 | (n)<<5 | (d)) // sqxtn Vd.8b, Vn.8h
#define SQXTNH2(d, n)  WORD $(0x4e214800 | (n)<<5 | (d)) // sqxtn2 Vd.16b, Vn.8h
#define SQXTUNH(d, n)  WORD $(0x2e212800 | (n)<<5 | (d)) // sqxtun Vd.8b, Vn.8h
#define SQXTUNH2(d, n) WORD $(0x6e212800 | (n)<<5 | (d)) // sqxtun2 Vd.16b, Vn.8h

// A quarter and a sixteenth of 16-bit lanes, rounded down and cut to 8 bits, into the low half (which clears the high
// half) and into the high half.

#define SHRNH(d, n)  WORD $(0x0f0e8400 | (n)<<5 | (d)) // shrn Vd.8b, Vn.8h, #2
#define SHRNH2(d, n) WORD $(0x4f0e8400 | (n)<<5 | (d)) // shrn2 Vd.16b, Vn.8h, #2
#define SHRN4H(d, n)  WORD $(0x0f0c8400 | (n)<<5 | (d)) // shrn Vd.8b, Vn.8h, #4
#define SHRN4H2(d, n) WORD $(0x4f0c8400 | (n)<<5 | (d)) // shrn2 Vd.16b, Vn.8h, #4

// Maximum of signed bytes.

#define SMAX16B(d, n, m) WORD $(0x4e206400 | (m)<<16 | (n)<<5 | (d)) // smax Vd.16b, Vn.16b, Vm.16b

// Four float32 lanes: conversion from int32; back, saturating, to nearest even whatever the rounding mode;
// product; product with lane i of Vm; sum; difference.

#define SCVTF(d, n)       WORD $(0x4e21d800 | (n)<<5 | (d)) // scvtf Vd.4s, Vn.4s
#define FCVTNS(d, n)      WORD $(0x4e21a800 | (n)<<5 | (d)) // fcvtns Vd.4s, Vn.4s
#define FMUL(d, n, m)     WORD $(0x6e20dc00 | (m)<<16 | (n)<<5 | (d)) // fmul Vd.4s, Vn.4s, Vm.4s
#define FMULE(d, n, m, i) WORD $(0x4f809000 | ((i)&1)<<21 | ((i)>>1)<<11 | (m)<<16 | (n)<<5 | (d)) // fmul Vd.4s, Vn.4s, Vm.s[i]
#define FADD(d, n, m)     WORD $(0x4e20d400 | (m)<<16 | (n)<<5 | (d)) // fadd Vd.4s, Vn.4s, Vm.4s
#define FSUB(d, n, m)     WORD $(0x4ea0d400 | (m)<<16 | (n)<<5 | (d)) // fsub Vd.4s, Vn.4s, Vm.4s

// Saturating difference of signed 32-bit lanes.

#define SQSUB4S(d, n, m) WORD $(0x4ea02c00 | (m)<<16 | (n)<<5 | (d)) // sqsub Vd.4s, Vn.4s, Vm.4s

// Go's assembler has these; they are here so that a kernel needs one name for each register: sums of
// neighbouring 32-bit lanes of Vn, then of Vm; sum; exclusive or; bytes of Vn picked by the numbers in Vm;
// the low halves and the high halves of Vn and Vm, lanes of 16, 32 or 64 bits taken in turns; the even and
// the odd lanes of Vn, then of Vm.

#define ADDP4S(d, n, m) WORD $(0x4ea0bc00 | (m)<<16 | (n)<<5 | (d)) // addp Vd.4s, Vn.4s, Vm.4s
#define ADD4S(d, n, m)  WORD $(0x4ea08400 | (m)<<16 | (n)<<5 | (d)) // add Vd.4s, Vn.4s, Vm.4s
#define EOR16B(d, n, m) WORD $(0x6e201c00 | (m)<<16 | (n)<<5 | (d)) // eor Vd.16b, Vn.16b, Vm.16b
#define TBL16B(d, n, m) WORD $(0x4e000000 | (m)<<16 | (n)<<5 | (d)) // tbl Vd.16b, { Vn.16b }, Vm.16b
#define ZIP1H(d, n, m)  WORD $(0x4e403800 | (m)<<16 | (n)<<5 | (d)) // zip1 Vd.8h, Vn.8h, Vm.8h
#define ZIP2H(d, n, m)  WORD $(0x4e407800 | (m)<<16 | (n)<<5 | (d)) // zip2 Vd.8h, Vn.8h, Vm.8h
#define ZIP1S(d, n, m)  WORD $(0x4e803800 | (m)<<16 | (n)<<5 | (d)) // zip1 Vd.4s, Vn.4s, Vm.4s
#define ZIP2S(d, n, m)  WORD $(0x4e807800 | (m)<<16 | (n)<<5 | (d)) // zip2 Vd.4s, Vn.4s, Vm.4s
#define ZIP1D(d, n, m)  WORD $(0x4ec03800 | (m)<<16 | (n)<<5 | (d)) // zip1 Vd.2d, Vn.2d, Vm.2d
#define ZIP2D(d, n, m)  WORD $(0x4ec07800 | (m)<<16 | (n)<<5 | (d)) // zip2 Vd.2d, Vn.2d, Vm.2d
#define UZP1H(d, n, m)  WORD $(0x4e401800 | (m)<<16 | (n)<<5 | (d)) // uzp1 Vd.8h, Vn.8h, Vm.8h
#define UZP2H(d, n, m)  WORD $(0x4e405800 | (m)<<16 | (n)<<5 | (d)) // uzp2 Vd.8h, Vn.8h, Vm.8h

// Load of a whole vector register from the sum of two registers.

#define LDRQ(d, n, m) WORD $(0x3ce06800 | (m)<<16 | (n)<<5 | (d)) // ldr Qd, [Xn, Xm]
