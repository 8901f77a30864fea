package asm

import (
	"os"

	"golang.org/x/sys/cpu"
)

// sgemmKernel is one of the kernels of Sgemm.
type sgemmKernel int

const (
	sgemmGo sgemmKernel = iota
	sgemmAVX2
	sgemmAVX512
)

// sgemmUsed is the kernel that runs; tests change it.
var sgemmUsed = bestSgemm(os.Getenv(Env))

// bestSgemm is the best kernel of this CPU. Whoever asks for a set of int8 kernels without AVX-512 gets none of it here
// either: the bits are the same, the times are those of the lesser machine.
func bestSgemm(set string) sgemmKernel {
	switch {
	case cpu.X86.HasAVX512F && (set == "" || set == avx512vnni.Name):
		return sgemmAVX512
	case cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		return sgemmAVX2
	}
	return sgemmGo
}

// sgemm6x16AVX2 needs AVX2 and FMA.
//
//go:noescape
func sgemm6x16AVX2(t *sgemmTile)

// sgemm6x16AVX512 needs AVX512F. It gives the bits of sgemm6x16AVX2.
//
//go:noescape
func sgemm6x16AVX512(t *sgemmTile)

func sgemmTiles(t *sgemmTile) {
	switch sgemmUsed {
	case sgemmAVX512:
		sgemm6x16AVX512(t)
	case sgemmAVX2:
		sgemm6x16AVX2(t)
	default:
		sgemmTilesGo(t)
	}
}
