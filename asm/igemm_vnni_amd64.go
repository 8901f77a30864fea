package asm

// igemmAVXVNNI and igemmAVX512VNNI hold the indirect GEMMs of one panel, by panel width / 8 - 1.
var (
	igemmAVXVNNI    = [4]func(*IGEMMArgs){0: igemm8AVXVNNI, 1: igemm16AVXVNNI, 3: igemm32AVXVNNI}
	igemmAVX512VNNI = [8]func(*IGEMMArgs){
		0: igemm8AVX512VNNI, 1: igemm16AVX512VNNI, 3: igemm32AVX512VNNI, 7: igemm64AVX512VNNI,
	}
)

func runIGEMMAVXVNNI(a *IGEMMArgs) { a.eachPanel(igemmAVXVNNI[a.NR/8-1]) }

func runIGEMMAVX512VNNI(a *IGEMMArgs) { a.eachPanel(igemmAVX512VNNI[a.NR/8-1]) }

// The kernels compute IGEMMArgs' result for a single panel of 8, 16, 32 or 64 channels, packed
// [Taps][K/4][NR][4], for any weights: VPDPBUSD neither saturates nor wraps before int32. Nothing needs
// alignment; nothing outside the stated bytes is read or written.

//go:noescape
func igemm8AVXVNNI(a *IGEMMArgs)

//go:noescape
func igemm16AVXVNNI(a *IGEMMArgs)

//go:noescape
func igemm32AVXVNNI(a *IGEMMArgs)

//go:noescape
func igemm8AVX512VNNI(a *IGEMMArgs)

//go:noescape
func igemm16AVX512VNNI(a *IGEMMArgs)

//go:noescape
func igemm32AVX512VNNI(a *IGEMMArgs)

//go:noescape
func igemm64AVX512VNNI(a *IGEMMArgs)
