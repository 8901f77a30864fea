package asm

import "unsafe"

// generic is the pure Go set, correct everywhere. It computes what IGEMMReference and the other references say,
// arranged so that a compiler makes good code of it: eight channels by four k at a time.
var generic = &Kernels{
	Name:        "generic",
	runs:        true,
	KR:          4,
	NR:          []int{8},
	MR:          []int{1},
	IGEMM:       igemmGeneric,
	Group4:      GroupKernel{Channels: 8, Run: func(a *GroupArgs) { groupGeneric(a, 4) }},
	Group8:      GroupKernel{Channels: 8, Run: func(a *GroupArgs) { groupGeneric(a, 8) }},
	MaxPool:     func(a *PoolArgs) { MaxPoolReference(a, 0) },
	AveragePool: func(a *PoolArgs) { AveragePoolReference(a, 0) },
	Blur:        func(a *BlurArgs) { BlurReference(a, 0) },
	Sum:         func(a *SumArgs) { SumReference(a, 0) },
	Linear:      LinearReference,
	Scale:       func(a *ScaleArgs) { ScaleReference(a, 0) },
}

// quads adds to sums 0 to 3 the products of the quad lo, and to 4 to 7 those of hi.
func quads(sums *[8]int32, lo, hi *[4]byte, w *[32]int8) {
	a, b, c, d := int32(lo[0]), int32(lo[1]), int32(lo[2]), int32(lo[3])
	sums[0] += a*int32(w[0]) + b*int32(w[1]) + c*int32(w[2]) + d*int32(w[3])
	sums[1] += a*int32(w[4]) + b*int32(w[5]) + c*int32(w[6]) + d*int32(w[7])
	sums[2] += a*int32(w[8]) + b*int32(w[9]) + c*int32(w[10]) + d*int32(w[11])
	sums[3] += a*int32(w[12]) + b*int32(w[13]) + c*int32(w[14]) + d*int32(w[15])
	a, b, c, d = int32(hi[0]), int32(hi[1]), int32(hi[2]), int32(hi[3])
	sums[4] += a*int32(w[16]) + b*int32(w[17]) + c*int32(w[18]) + d*int32(w[19])
	sums[5] += a*int32(w[20]) + b*int32(w[21]) + c*int32(w[22]) + d*int32(w[23])
	sums[6] += a*int32(w[24]) + b*int32(w[25]) + c*int32(w[26]) + d*int32(w[27])
	sums[7] += a*int32(w[28]) + b*int32(w[29]) + c*int32(w[30]) + d*int32(w[31])
}

func igemmGeneric(a *IGEMMArgs) { a.eachPanel(igemm8Generic) }

// igemm8Generic does a panel of 8 channels.
func igemm8Generic(a *IGEMMArgs) {
	inOff, tapOff := unsafe.Slice(a.InOff, a.M), unsafe.Slice(a.TapOff, a.Taps)
	outOff := unsafe.Slice(a.OutOff, a.M)
	weights := unsafe.Slice((*[32]int8)(unsafe.Pointer(a.W)), a.Taps*a.K/4)
	bias, mult := (*[8]int32)(unsafe.Pointer(a.Bias)), (*[8]float32)(unsafe.Pointer(a.Mult))
	lo, hi := a.Epilogue.limits()
	for m := range a.M {
		sums := *bias
		w := weights
		for _, t := range tapOff {
			x := unsafe.Slice((*[4]byte)(unsafe.Add(unsafe.Pointer(a.In), int(inOff[m])+int(t))), a.K/4)
			for i := range x {
				quads(&sums, &x[i], &x[i], &w[i])
			}
			w = w[len(x):]
		}
		var add [8]float32
		if a.Epilogue.adds() {
			off := unsafe.Slice(a.ResOff, a.M)[m]
			for n, r := range (*[8]byte)(unsafe.Add(unsafe.Pointer(a.Res), int(off))) {
				add[n] = float32(a.Epilogue.residual(r, 0) * a.ResMult)
			}
		}
		out := (*[8]byte)(unsafe.Add(unsafe.Pointer(a.Out), int(outOff[m])))
		for n, acc := range sums {
			out[n] = a.Epilogue.stored(requantise(acc, mult[n], add[n], lo, hi), 0)
		}
	}
}

// groupGeneric does panels of 8 channels: one group of width 8, or two of width 4.
func groupGeneric(a *GroupArgs, width int) {
	lo, hi := ReLU.limits()
	quadsPerTap := width / 4
	other := 8 - width // from the first group's quad to the second's
	for p := range a.Panels {
		w := unsafe.Slice((*[32]int8)(unsafe.Add(unsafe.Pointer(a.W), p*9*width*8)), 9*quadsPerTap)
		bias := (*[8]int32)(unsafe.Add(unsafe.Pointer(a.Bias), p*32))
		mult := (*[8]float32)(unsafe.Add(unsafe.Pointer(a.Mult), p*32))
		for y := range a.Rows {
			for x := range a.Cols {
				in := unsafe.Add(unsafe.Pointer(a.In), y*a.InRow+x*a.InCol+p*8)
				sums := *bias
				for i := range w {
					tap := i / quadsPerTap
					at := tap/3*a.TapRow + tap%3*a.TapCol + i%quadsPerTap*4
					quads(&sums, (*[4]byte)(unsafe.Add(in, at)), (*[4]byte)(unsafe.Add(in, at+other)), &w[i])
				}
				out := (*[8]byte)(unsafe.Add(unsafe.Pointer(a.Out), y*a.OutRow+x*a.OutCol+p*8))
				for n, acc := range sums {
					out[n] = ReLU.stored(requantise(acc, mult[n], 0, lo, hi), 0)
				}
			}
		}
	}
}
