package int8

import "unsafe"

// line is the size of a cache line, a multiple of every vector.
const line = 64

// AlignedBytes makes n bytes that begin at a cache line.
func AlignedBytes(n int) []byte {
	b := make([]byte, n+line)
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) % line
	return b[skip:][:n:n]
}

// alignedInt8 makes n weights that begin at a cache line, so that no vector load of them crosses one.
func alignedInt8(n int) []int8 {
	b := AlignedBytes(n)
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(b))), n)
}
