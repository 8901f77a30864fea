package main

// usualLoop runs n times the usual inner loop of int8 runtimes on AVX2 CPUs without VNNI, on a tile of 4
// pixels by 3 vectors in registers and L1: VPMADDUBSW, VPMADDWD by ones, VPADDD. 384 products an iteration.
//
//go:noescape
func usualLoop(n int, x, w *byte)

// multiplyLoop is VPMADDUBSW alone: what no int8 loop on such a CPU can pass. 384 products an iteration.
//
//go:noescape
func multiplyLoop(n int, x, w *byte)

func ceilings() []*benchCase {
	data := make([]byte, 4096)
	const n, macs = 8192, 384
	return []*benchCase{
		{name: "ceiling: the usual int8 loop, 4x3", macs: n * macs, run: func() { usualLoop(n, &data[0], &data[2048]) }},
		{name: "ceiling: VPMADDUBSW alone", macs: n * macs, run: func() { multiplyLoop(n, &data[0], &data[2048]) }},
	}
}
