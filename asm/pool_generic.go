package asm

import "unsafe"

// MaxPoolReference is the pure Go 3x3 max pooling.
func MaxPoolReference(a *PoolArgs, flip byte) {
	for y := range a.Rows {
		for x := range a.Cols {
			in := unsafe.Add(unsafe.Pointer(a.In), y*a.InRow+x*a.InCol)
			out := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(a.Out), y*a.OutRow+x*a.OutCol)), a.Channels)
			for c := range out {
				out[c] = flip
			}
			for tap := range 9 {
				at := tap/3*a.TapRow + tap%3*a.TapCol
				for c, b := range unsafe.Slice((*byte)(unsafe.Add(in, at)), a.Channels) {
					if b^flip > out[c]^flip {
						out[c] = b
					}
				}
			}
		}
	}
}

// AveragePoolReference is the pure Go 2x2 average pooling.
func AveragePoolReference(a *PoolArgs, flip byte) {
	for y := range a.Rows {
		for x := range a.Cols {
			in := unsafe.Add(unsafe.Pointer(a.In), y*a.InRow+x*a.InCol)
			out := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(a.Out), y*a.OutRow+x*a.OutCol)), a.Channels)
			var taps [4][]byte
			for tap := range taps {
				taps[tap] = unsafe.Slice((*byte)(unsafe.Add(in, tap/2*a.TapRow+tap%2*a.TapCol)), a.Channels)
			}
			for c := range out {
				sum := 0
				for _, tap := range taps {
					sum += int(tap[c] ^ flip)
				}
				out[c] = byte((sum+1+sum>>2&1)>>2) ^ flip
			}
		}
	}
}

// BlurReference is the pure Go 3x3 binomial filter.
func BlurReference(a *BlurArgs, flip byte) {
	offsets := [9]int{
		a.Up + a.Left, a.Up, a.Up + a.Right,
		a.Left, 0, a.Right,
		a.Down + a.Left, a.Down, a.Down + a.Right,
	}
	weights := [9]int{1, 2, 1, 2, 4, 2, 1, 2, 1}
	for y := range a.Rows {
		for x := range a.Cols {
			in := unsafe.Add(unsafe.Pointer(a.In), y*a.InRow+x*a.InCol)
			out := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(a.Out), y*a.OutRow+x*a.OutCol)), a.Channels)
			var taps [9][]byte
			for tap, at := range offsets {
				taps[tap] = unsafe.Slice((*byte)(unsafe.Add(in, at)), a.Channels)
			}
			for c := range out {
				sum := 0
				for i, tap := range taps {
					sum += weights[i] * int(tap[c]^flip)
				}
				out[c] = byte((sum+7+sum>>4&1)>>4) ^ flip
			}
		}
	}
}

// SumReference is the pure Go sum over pixels.
func SumReference(a *SumArgs, flip byte) {
	out := unsafe.Slice(a.Out, a.Channels)
	clear(out)
	for p := range a.Pixels {
		px := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(a.In), p*a.Step)), a.Channels)
		for c, b := range px {
			if a.Signed {
				out[c] += int32(int8(b))
			} else {
				out[c] += int32(b ^ flip)
			}
		}
	}
}
