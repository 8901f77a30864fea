package asm

func runGroup4AVX2(a *GroupArgs) {
	if a.Depth == 3 {
		group4Chain3AVX2(a)
		return
	}
	group4WideAVX2(a)
}

func runGroup8AVX2(a *GroupArgs) {
	if a.Depth == 6 {
		group8Chain6AVX2(a)
		return
	}
	group8WideAVX2(a)
}

// The kernels compute GroupArgs' result for panels of 8 channels, weights [9 taps][width/4 quads][8][4].
// Nothing needs alignment; nothing outside the stated bytes is read or written. The chains are whole rows
// of the window: 3 taps of one quad, or of two.

//go:noescape
func group4WideAVX2(a *GroupArgs)

//go:noescape
func group4Chain3AVX2(a *GroupArgs)

//go:noescape
func group8WideAVX2(a *GroupArgs)

//go:noescape
func group8Chain6AVX2(a *GroupArgs)
