package asm

import "unsafe"

// LinearReference is the pure Go matrix by vector product.
func LinearReference(a *LinearArgs) {
	x := unsafe.Slice(a.In, a.K)
	w := unsafe.Slice(a.W, a.N*a.K)
	bias, out := unsafe.Slice(a.Bias, a.N), unsafe.Slice(a.Out, a.N)
	for n := range out {
		acc := bias[n]
		row := w[n*a.K : (n+1)*a.K]
		for k, v := range x {
			acc += int32(v) * int32(row[k])
		}
		out[n] = acc
	}
}
