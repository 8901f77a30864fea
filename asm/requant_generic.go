package asm

// requantise is the arithmetic contract in one place: the accumulator's value in steps of the output,
// rounded to nearest even and clamped. add is the residual's product, or 0 where there is none (x+0 is x:
// the product of an accumulator of 0 is +0 or the sign is lost in rounding).
//
// Each product is converted to float32 so that the compiler may not fuse it with the addition.
func requantise(acc int32, mult, add, lo, hi float32) int32 {
	v := float32(float32(acc)*mult) + add
	// Clamping to integers before rounding gives what clamping afterwards would.
	if v < lo {
		v = lo
	} else if v > hi {
		v = hi
	}
	// Adding and taking away 1.5*2^23 rounds a float32 of at most 2^22 to the nearest even integer.
	const magic = 3 << 22
	return int32(float32(v+magic) - magic)
}

// limits are the bounds of a mode's output.
func (m Mode) limits() (lo, hi float32) {
	if m == Signed {
		return -127, 127
	}
	return 0, 255
}

// adds tells whether the mode has a residual.
func (m Mode) adds() bool { return m == AddUnsigned || m == AddSigned }

// residual reads a residual byte as the mode and the offset of activations say.
func (m Mode) residual(b, offset byte) float32 {
	if m == AddSigned {
		return float32(int8(b))
	}
	return float32(b ^ offset)
}

// stored is the byte that holds q.
func (m Mode) stored(q int32, offset byte) byte {
	if m == Signed {
		return byte(q)
	}
	return byte(q) ^ offset
}
