package checkpoint

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// A dtype is an element type of a file. at reads one element, little-endian,
// as float32; it is nil for the types that are not floating-point.
type dtype struct {
	name string
	size int64 // bytes per element
	at   func([]byte) float32
}

func (d dtype) float() bool { return d.at != nil }

var (
	float64Type  = dtype{"float64", 8, float64At}
	float32Type  = dtype{"float32", 4, float32At}
	float16Type  = dtype{"float16", 2, float16At}
	bfloat16Type = dtype{"bfloat16", 2, bfloat16At}
)

func float64At(b []byte) float32 {
	return float32(math.Float64frombits(binary.LittleEndian.Uint64(b)))
}

func float32At(b []byte) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(b))
}

// bfloat16At: a bfloat16 is the upper half of a float32.
func bfloat16At(b []byte) float32 {
	return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16)
}

// float16At widens an IEEE 754 binary16: 1 sign, 5 exponent (bias 15) and 10
// fraction bits.
func float16At(b []byte) float32 {
	h := uint32(binary.LittleEndian.Uint16(b))
	sign, exponent, fraction := h>>15<<31, h>>10&0x1f, h&0x3ff
	switch exponent {
	case 0: // zero or subnormal: fraction times 2^-24, exact in float32
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 0x1f: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// swapBytes turns big-endian elements of size bytes into little-endian ones.
func swapBytes(b []byte, size int) {
	for ; len(b) >= size; b = b[size:] {
		for i := range size / 2 {
			b[i], b[size-1-i] = b[size-1-i], b[i]
		}
	}
}

// floatTypes are the element types of weights by the names that Tensor.DType has.
var floatTypes = map[string]dtype{
	"float64": float64Type, "float32": float32Type, "float16": float16Type, "bfloat16": bfloat16Type,
}

// ElementSize is the number of bytes of one element of a floating-point type, by the names that Tensor.DType
// has.
func ElementSize(name string) (size int64, ok bool) {
	d, ok := floatTypes[name]
	return d.size, ok
}

// Float converts one little-endian element of a floating-point type.
func Float(element []byte, name string) float32 { return floatTypes[name].at(element) }

// ReadFloats reads count little-endian elements of a floating-point type at an offset. The caller has
// compared both with the file's size.
func ReadFloats(r io.ReaderAt, offset, count int64, name string) ([]float32, error) {
	d := floatTypes[name]
	if count > math.MaxInt/8 {
		return nil, fmt.Errorf("%d numbers are too many for this machine's memory", count)
	}
	list := make([]float32, count)
	var buf [1 << 15]byte
	for rest := list; len(rest) > 0; {
		n := min(len(rest), len(buf)/int(d.size))
		b := buf[:n*int(d.size)]
		if got, err := r.ReadAt(b, offset); got < len(b) {
			return nil, fmt.Errorf("reading %d bytes at %d: %w", len(b), offset, err)
		}
		for i := range rest[:n] {
			rest[i] = d.at(b[i*int(d.size):])
		}
		rest, offset = rest[n:], offset+int64(len(b))
	}
	return list, nil
}
