package asm

// igemmAVX2 holds the indirect GEMMs of one panel, by panel width / 8 - 1 and depth: 0, 1, 2 or 4
// quads.
var igemmAVX2 = [4][5]func(*IGEMMArgs){
	0: {igemm8WideAVX2, igemm8Chain1AVX2, igemm8Chain2AVX2, nil, igemm8Chain4AVX2},
	1: {igemm16WideAVX2, igemm16Chain1AVX2, igemm16Chain2AVX2, nil, igemm16Chain4AVX2},
	3: {igemm32WideAVX2, igemm32Chain1AVX2, igemm32Chain2AVX2, nil, igemm32Chain4AVX2},
}

// runIGEMMAVX2 is IGEMM. The kernels do one panel, so that they need few registers for pointers.
func runIGEMMAVX2(a *IGEMMArgs) { a.eachPanel(igemmAVX2[a.NR/8-1][a.Depth]) }

// The kernels compute IGEMMArgs' result for a single panel of 8, 16 or 32 channels, packed
// [Taps][K/4][NR][4]. Nothing needs alignment; nothing outside the stated bytes is read or written. Wide
// takes any weights, ChainN weights proved for chains of N quads.

//go:noescape
func igemm8WideAVX2(a *IGEMMArgs)

//go:noescape
func igemm8Chain1AVX2(a *IGEMMArgs)

//go:noescape
func igemm8Chain2AVX2(a *IGEMMArgs)

//go:noescape
func igemm8Chain4AVX2(a *IGEMMArgs)

//go:noescape
func igemm16WideAVX2(a *IGEMMArgs)

//go:noescape
func igemm16Chain1AVX2(a *IGEMMArgs)

//go:noescape
func igemm16Chain2AVX2(a *IGEMMArgs)

//go:noescape
func igemm16Chain4AVX2(a *IGEMMArgs)

//go:noescape
func igemm32WideAVX2(a *IGEMMArgs)

//go:noescape
func igemm32Chain1AVX2(a *IGEMMArgs)

//go:noescape
func igemm32Chain2AVX2(a *IGEMMArgs)

//go:noescape
func igemm32Chain4AVX2(a *IGEMMArgs)
