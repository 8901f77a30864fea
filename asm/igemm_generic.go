package asm

import "unsafe"

// maxNR is the widest panel of any set.
const maxNR = 64

// IGEMMReference is the pure Go indirect GEMM, for weights packed with kr channels side by side and activations
// held with the given InputFlip: the reference for every set's IGEMM.
func IGEMMReference(a *IGEMMArgs, kr int, flip byte) {
	inOff, tapOff := unsafe.Slice(a.InOff, a.M), unsafe.Slice(a.TapOff, a.Taps)
	outOff := unsafe.Slice(a.OutOff, a.M)
	panel := a.Taps * a.K * a.NR
	weights := unsafe.Slice(a.W, a.Panels*panel)
	bias, mult := unsafe.Slice(a.Bias, a.Panels*a.NR), unsafe.Slice(a.Mult, a.Panels*a.NR)
	lo, hi := a.Epilogue.limits()
	var resOff []int32
	if a.Epilogue.adds() {
		resOff = unsafe.Slice(a.ResOff, a.M)
	}
	var buffer [maxNR]int32
	sums := buffer[:a.NR]
	for p := range a.Panels {
		for m := range a.M {
			copy(sums, bias[p*a.NR:])
			w := weights[p*panel : (p+1)*panel]
			for _, t := range tapOff {
				x := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(a.In), int(inOff[m])+int(t))), a.K)
				w = accumulate(sums, x, w, kr, flip)
			}
			out := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(a.Out), int(outOff[m])+p*a.NR)), a.NR)
			var res []byte
			if resOff != nil {
				res = unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(a.Res), int(resOff[m])+p*a.NR)), a.NR)
			}
			for n, acc := range sums {
				var add float32
				if res != nil {
					add = float32(a.Epilogue.residual(res[n], flip) * a.ResMult)
				}
				out[n] = a.Epilogue.stored(requantise(acc, mult[p*a.NR+n], add, lo, hi), flip)
			}
		}
	}
}

// accumulate adds one tap's products to the sums of a panel's channels and returns the weights after it.
// Where the flip is 0x80 the byte is q-128, and the bias makes up for it.
func accumulate(sums []int32, x []byte, w []int8, kr int, flip byte) []int8 {
	for len(x) > 0 {
		block := min(kr, len(x))
		for n := range sums {
			s := sums[n]
			for i, wi := range w[:block] {
				s += activation(x[i], flip) * int32(wi)
			}
			sums[n] = s
			w = w[block:]
		}
		x = x[block:]
	}
	return w
}

// activation returns the multiplicand that a byte in memory holds.
func activation(b, flip byte) int32 {
	if flip != 0 {
		return int32(int8(b))
	}
	return int32(b)
}
