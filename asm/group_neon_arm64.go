package asm

// group4NEON is GroupReference(args, 4, 16, ByOutput, 0x80) for weights in -127..127: the loop that GroupArgs
// documents, with activations held as signed bytes q-128. A panel is 16 channels, four groups, its weights
// [9 taps][4 o][4 g][4 i].
//
// The sums are exact for whatever data; Depth is ignored. Nothing need be aligned, and no byte is read or
// written that GroupArgs does not name. It runs on every arm64 CPU.
//
//go:noescape
func group4NEON(args *GroupArgs)

// group8NEON is GroupReference(args, 8, 16, ByOutput, 0x80) in the same manner. A panel is 16 channels, two groups,
// its weights [9 taps][8 o][2 g][8 i].
//
//go:noescape
func group8NEON(args *GroupArgs)
