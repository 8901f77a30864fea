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

// limits are the bounds of an epilogue's output.
func (e Epilogue) limits() (lo, hi float32) {
	if e == Signed {
		return -127, 127
	}
	return 0, 255
}

// adds reports whether the epilogue has a residual.
func (e Epilogue) adds() bool { return e == AddUnsigned || e == AddSigned }

// residual reads a residual byte as the epilogue and the flip of activations say.
func (e Epilogue) residual(b, flip byte) float32 {
	if e == AddSigned {
		return float32(int8(b))
	}
	return float32(b ^ flip)
}

// stored is the byte that holds q.
func (e Epilogue) stored(q int32, flip byte) byte {
	if e == Signed {
		return byte(q)
	}
	return byte(q) ^ flip
}
