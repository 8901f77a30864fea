package asm

import "unsafe"

// ScaleReference is the pure Go scaling by gates.
func ScaleReference(a *ScaleArgs, flip byte) {
	gate := unsafe.Slice(a.Gate, a.Channels)
	lo, hi := a.Epilogue.limits()
	for y := range a.Rows {
		for x := range a.Cols {
			at := x * a.Channels
			in := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(a.In), y*a.InRow+at)), a.Channels)
			out := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(a.Out), y*a.OutRow+at)), a.Channels)
			if !a.Epilogue.adds() {
				for c, b := range in {
					y := int32(b ^ flip)
					if a.Epilogue == Signed {
						y = int32(int8(b))
					}
					out[c] = a.Epilogue.stored(requantise(y*int32(gate[c]), a.Mult, 0, lo, hi), flip)
				}
				continue
			}
			res := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(a.Res), y*a.ResRow+at)), a.Channels)
			for c, b := range in {
				add := float32(a.Epilogue.residual(res[c], flip) * a.ResMult)
				out[c] = a.Epilogue.stored(requantise(int32(int8(b))*int32(gate[c]), a.Mult, add, lo, hi), flip)
			}
		}
	}
}
