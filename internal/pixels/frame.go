// Package pixels turns the pixels that cameras and other programs hold in memory into interleaved 8-bit RGB: the packed
// orders of red, green and blue, gray, and YCbCr as video devices give it (NV12, I420, YUYV), with rows of any stride.
//
// YCbCr follows Recommendation ITU-R BT.601-7, sections 2.5.1 to 2.5.3, in limited range (luma 16 to 235, chroma 16 to
// 240) or in full range as JFIF 1.02 defines it (all of 0 to 255). Each chroma sample serves the two or four pixels that
// it covers without interpolation, as video drivers and OpenCV have it. It is computed in integers alone, so that every
// CPU gives the same bytes, and lies within one level of the exact value.
//
// JPEG and WebP pictures, which want the interpolation of their own decoders, are the business of internal/resize.
// Only the standard library is imported; nothing is allocated.
package pixels

import "fmt"

// Format says how pixels lie in memory. All are 8 bits a sample.
type Format int

const (
	RGB  Format = iota + 1 // R G B, 3 bytes a pixel
	BGR                    // B G R
	RGBA                   // R G B A, 4 bytes a pixel; alpha is ignored
	BGRA                   // B G R A
	Gray                   // 1 byte a pixel: R = G = B
	NV12                   // two planes: luma; Cb and Cr in turns at half the width and height, rounded up
	YUYV                   // Y0 Cb Y1 Cr, 2 bytes a pixel; the width is even
	I420                   // three planes: luma; Cb; Cr, each at half the width and height, rounded up
)

const (
	// MaxSide is the largest width or height accepted, in pixels.
	MaxSide = 1 << 14
	// MaxPixels is the largest area, as internal/resize has it: 3 bytes each still count in an int of 32 bits.
	MaxPixels = 1 << 27

	channels = 3
)

// names are the formats' names, by number.
var names = [...]string{RGB: "RGB", BGR: "BGR", RGBA: "RGBA", BGRA: "BGRA", Gray: "GRAY", NV12: "NV12", YUYV: "YUYV", I420: "I420"}

// Known reports whether f is one of the formats.
func (f Format) Known() bool { return f >= RGB && int(f) < len(names) }

func (f Format) String() string {
	if !f.Known() {
		return fmt.Sprintf("format %d", int(f))
	}
	return names[f]
}

// Planes is the number of planes of a known format.
func (f Format) Planes() int {
	switch f {
	case NV12:
		return 2
	case I420:
		return 3
	}
	return 1
}

// RowBytes is the length of a row of plane p, in bytes, of a picture that is w pixels wide.
func (f Format) RowBytes(p, w int) int {
	switch f {
	case RGB, BGR:
		return 3 * w
	case RGBA, BGRA:
		return 4 * w
	case YUYV:
		return 2 * w
	case NV12:
		if p == 1 {
			return (w + 1) / 2 * 2
		}
	case I420:
		if p > 0 {
			return (w + 1) / 2
		}
	}
	return w
}

// Rows is the number of rows of plane p of a picture of h rows.
func (f Format) Rows(p, h int) int {
	if p > 0 {
		return (h + 1) / 2
	}
	return h
}

// CheckSize reports why a picture cannot have the size of w by h pixels.
func (f Format) CheckSize(w, h int) error {
	switch {
	case !f.Known():
		return fmt.Errorf("the pixels have the unknown format %d: expected %d (%v) to %d (%v)", int(f), int(RGB), RGB, len(names)-1, Format(len(names)-1))
	case w < 1 || h < 1 || w > MaxSide || h > MaxSide:
		return fmt.Errorf("a picture of %dx%d pixels: expected 1 to %d each", w, h, MaxSide)
	case int64(w)*int64(h) > MaxPixels:
		return fmt.Errorf("a picture of %dx%d pixels: expected at most %d in all", w, h, MaxPixels)
	case f == YUYV && w%2 != 0:
		return fmt.Errorf("a %v picture of %dx%d pixels: expected an even width", f, w, h)
	}
	return nil
}

// Frame is a view of one picture. Plane p's row y is Plane[p][y*Stride[p]:][:Format.RowBytes(p, W)]; strides are in
// bytes. Planes beyond Format.Planes are not looked at.
type Frame struct {
	Format Format
	// FullRange tells of YCbCr formats that luma and chroma use all of 0 to 255.
	FullRange bool
	W, H      int
	Plane     [3][]byte
	Stride    [3]int
}

// Check reports whether the planes hold all pixels.
func (m *Frame) Check() error {
	if err := m.Format.CheckSize(m.W, m.H); err != nil {
		return err
	}
	for p := range m.Format.Planes() {
		row, rows, stride := m.Format.RowBytes(p, m.W), m.Format.Rows(p, m.H), m.Stride[p]
		if stride < row {
			return fmt.Errorf("plane %d of the %v picture has a stride of %d bytes: its rows have %d", p, m.Format, stride, row)
		}
		// Divided rather than multiplied, so that no stride overflows.
		if n := len(m.Plane[p]); n < row || (rows > 1 && (n-row)/stride < rows-1) {
			return fmt.Errorf("plane %d of the %v picture has %d bytes: too few for %d rows of %d, %d apart", p, m.Format, n, rows, row, stride)
		}
	}
	return nil
}

func (m *Frame) row(p, y int) []byte {
	at, n := y*m.Stride[p], m.Format.RowBytes(p, m.W)
	return m.Plane[p][at : at+n : at+n]
}
