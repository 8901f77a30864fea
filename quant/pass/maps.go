package pass

import (
	"math"
	"slices"

	"github.com/libresnext/libresnext/quant/observe"
)

// int8Map is a map of the int8 network, held in bytes with an offset.
type int8Map struct {
	v      []uint8
	offset []float32 // is subtracted from v: that of channel i modulo its length; nil is 0
}

// signedOffset is the offset of a signed map.
var signedOffset = []float32{128}

// widen writes the map in real values. scale is the real value of one step.
func (s int8Map) widen(dst []float32, scale float32) {
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

// slice is n values of the map from one on.
func (s int8Map) slice(from, n int) int8Map {
	m := int8Map{v: s.v[from:][:n], offset: s.offset}
	if k := len(s.offset); k > 1 {
		if at := from % k; at > 0 {
			m.offset = append(slices.Clone(s.offset[at:]), s.offset[:at]...)
		}
	}
	return m
}

// newInt8Map rounds real values to steps of size scale, as the int8 network does.
func newInt8Map(z []float32, scale float32, unsigned bool) int8Map {
	lo, hi, offset := float32(-observe.SignedLevels), float32(observe.SignedLevels), signedOffset
	if unsigned {
		lo, hi, offset = 0, observe.UnsignedLevels, nil
	}
	m := int8Map{v: make([]uint8, len(z)), offset: offset}
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

// u16Map is a map of the float network in 16 bits. Their error is 48 dB below that of 8 bits, and they take half the
// memory of float32.
type u16Map struct {
	lo, step float32
	v        []uint16
}

// newU16Map stores real values.
func newU16Map(x []float32) u16Map {
	lo, hi := x[0], x[0]
	for _, v := range x {
		if v < lo {
			lo = v
		}
		if v > hi {
			hi = v
		}
	}
	f := u16Map{lo: lo, step: (hi - lo) / math.MaxUint16, v: make([]uint16, len(x))}
	if f.step < observe.SmallestNormal { // all alike, or as good as
		f.step = 0
		return f
	}
	inverse := 1 / f.step
	for i, v := range x {
		f.v[i] = uint16(int32((v-lo)*inverse + 0.5)) // less than 2^16, since rounding adds less than a half
	}
	return f
}

// widen writes the real values to dst.
func (f u16Map) widen(dst []float32) {
	for i, v := range f.v {
		dst[i] = f.lo + float32(v)*f.step
	}
}
