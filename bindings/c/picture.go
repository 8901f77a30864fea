package main

import (
	"math"
	"unsafe"

	"github.com/libresnext/libresnext/internal/pixel"
)

// picture is a resnext_image, whose format numbers are those of internal/pixel.
type picture struct {
	format        int32
	width, height uint32
	pixels        unsafe.Pointer
	stride        uintptr
	chroma        unsafe.Pointer
	chromaStride  uintptr
}

// lastFormat is the last of resnext.h's formats; internal/pixel knows more.
const lastFormat = pixel.YUYV

// frame describes the picture's memory, of which nothing is read yet.
func (p *picture) frame() (pixel.Frame, error) {
	m := pixel.Frame{Format: pixel.Format(p.format), W: int(min(p.width, math.MaxInt32)), H: int(min(p.height, math.MaxInt32))}
	if !m.Format.Known() || m.Format > lastFormat {
		return m, fail(statusInvalid, "format is %d, expected a resnext_format: %d to %d", p.format, pixel.RGB, lastFormat)
	}
	if err := m.Format.CheckSize(m.W, m.H); err != nil {
		return m, &failure{statusInvalid, err.Error()}
	}
	if err := p.plane(&m, 0, "stride", p.pixels, p.stride); err != nil {
		return m, err
	}
	if m.Format.Planes() == 1 {
		return m, nil
	}
	chroma, stride := p.chroma, p.chromaStride
	if stride == 0 {
		stride = p.stride
	}
	if chroma == nil {
		// Luma's stride times its rows is at most a stride more than was found to be addressable.
		chroma = unsafe.Add(p.pixels, m.Stride[0]*m.H)
		if uintptr(chroma) < uintptr(p.pixels) {
			return m, fail(statusInvalid, "stride is %d: the chroma after the luma is beyond the end of memory", m.Stride[0])
		}
	}
	return m, p.plane(&m, 1, "chroma_stride", chroma, stride)
}

// plane enters a plane of the picture's memory; a stride of 0 stands for rows without gaps.
func (p *picture) plane(m *pixel.Frame, number int, name string, at unsafe.Pointer, stride uintptr) error {
	row, rows := m.Format.RowBytes(number, m.W), m.Format.Rows(number, m.H)
	if stride == 0 {
		stride = uintptr(row)
	}
	if stride < uintptr(row) {
		return fail(statusInvalid, "%s is %d, expected at least %d: the bytes of a row of %d pixels", name, stride, row, m.W)
	}
	// What is left of the address space after the first row holds so many strides.
	if most := (math.MaxInt - uint64(row)) / uint64(rows); uint64(stride) > most ||
		uintptr(at) > math.MaxUint-uintptr(row)-stride*uintptr(rows-1) {
		return fail(statusInvalid, "%s is %d: %d rows of it are beyond the end of memory", name, stride, rows)
	}
	m.Stride[number] = int(stride)
	m.Plane[number] = unsafe.Slice((*byte)(at), row+int(stride)*(rows-1))
	return nil
}

// tightRGB gives the picture's own memory if that is RGB without gaps.
func tightRGB(m *pixel.Frame) ([]byte, bool) {
	if m.Format != pixel.RGB || m.Stride[0] != m.Format.RowBytes(0, m.W) {
		return nil, false
	}
	return m.Plane[0], true
}
