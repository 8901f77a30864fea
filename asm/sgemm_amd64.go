package asm

import "golang.org/x/sys/cpu"

// sgemmAVX2 selects the assembly kernel; tests clear it to reach the portable one.
var sgemmAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasFMA

// sgemm6x16AVX2 needs AVX2 and FMA.
//
//go:noescape
func sgemm6x16AVX2(t *sgemmTile)

func sgemmTiles(t *sgemmTile) {
	if sgemmAVX2 {
		sgemm6x16AVX2(t)
		return
	}
	sgemmTilesGo(t)
}
