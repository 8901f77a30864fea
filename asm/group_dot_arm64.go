package asm

// group4Dot is GroupReference(args, 4, 16, ByOutput, 0x80) for weights in -127..127: the loop that GroupArgs
// documents, with activations held as signed bytes q-128. A panel is 16 channels, four groups, its weights
// [9 taps][4 o][4 g][4 i].
//
// The sums are exact for whatever data; Depth is ignored. Nothing need be aligned, and no byte is read or
// written that GroupArgs does not name. It needs ARMv8.2 with the dot product.
//
//go:noescape
func group4Dot(args *GroupArgs)

// group8Dot is GroupReference(args, 8, 16, ByOutput, 0x80) in the same manner. A panel is 16 channels, two groups,
// its weights [9 taps][8 o][2 g][8 i].
//
//go:noescape
func group8Dot(args *GroupArgs)
