package quant

import "math"

// steps is a map of the int8 network: bytes, from which offset is taken away.
type steps struct {
	v      []uint8
	offset []float32 // of channel i modulo its length; nil is 0
}

// signedOffset is how a signed map's steps are held.
var signedOffset = []float32{128}

// widen writes the map in real values, of which a step has so many.
func (s steps) widen(dst []float32, scale float32) {
	n := len(s.offset)
	if n == 0 {
		for i, v := range s.v {
			dst[i] = float32(v) * scale
		}
		return
	}
	for i, v := range s.v {
		dst[i] = (float32(v) - s.offset[i%n]) * scale
	}
}

// newSteps rounds real values to steps of the given size, as the int8 network does.
func newSteps(z []float32, scale float32, unsigned bool) steps {
	lo, hi, offset := float32(-signedLevels), float32(signedLevels), signedOffset
	if unsigned {
		lo, hi, offset = 0, unsignedLevels, nil
	}
	m := steps{v: make([]uint8, len(z)), offset: offset}
	shift := int32(0)
	if offset != nil {
		shift = int32(offset[0])
	}
	inverse := 1 / scale
	for i, v := range z {
		m.v[i] = uint8(roundStep(min(max(v*inverse, lo), hi)) + shift)
	}
	return m
}

// roundStep rounds a number of ordinary size, halves to even.
func roundStep(x float32) int32 {
	const magic = 3 << 22 // see roundWeight
	return int32(float32(x+magic) - magic)
}

// fine is a map of the float network in 16 bits: what they lose is 48 dB below what 8 bits lose, in half the
// memory.
type fine struct {
	lo, step float32
	v        []uint16
}

// newFine stores real values.
func newFine(x []float32) fine {
	lo, hi := x[0], x[0]
	for _, v := range x {
		lo, hi = min(lo, v), max(hi, v)
	}
	f := fine{lo: lo, step: (hi - lo) / math.MaxUint16, v: make([]uint16, len(x))}
	if f.step < smallestNormal { // all alike, or as good as
		f.step = 0
		return f
	}
	inverse := 1 / f.step
	for i, v := range x {
		f.v[i] = uint16(min((v-lo)*inverse+0.5, math.MaxUint16))
	}
	return f
}

// widen gives the real values back.
func (f fine) widen(dst []float32) {
	for i, v := range f.v {
		dst[i] = f.lo + float32(v)*f.step
	}
}
