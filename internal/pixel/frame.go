package pixel

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

// MaxFrameSide is the largest width or height of a [Frame], in pixels.
const MaxFrameSide = 1 << 14

// formatNames are the formats' names, by number.
var formatNames = [...]string{
	RGB: "RGB", BGR: "BGR", RGBA: "RGBA", BGRA: "BGRA", Gray: "GRAY", NV12: "NV12", YUYV: "YUYV", I420: "I420",
}

// Known reports whether f is one of the formats.
func (f Format) Known() bool { return f >= RGB && int(f) < len(formatNames) }

func (f Format) String() string {
	if !f.Known() {
		return fmt.Sprintf("format %d", int(f))
	}
	return formatNames[f]
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
		last := Format(len(formatNames) - 1)
		return fmt.Errorf("the pixels have the unknown format %d: expected %d (%v) to %d (%v)", int(f), int(RGB), RGB, int(last), last)
	case w < 1 || h < 1 || w > MaxFrameSide || h > MaxFrameSide:
		return fmt.Errorf("a picture of %dx%d pixels: expected 1 to %d each", w, h, MaxFrameSide)
	case int64(w)*int64(h) > MaxPixels:
		return fmt.Errorf("a picture of %dx%d pixels: expected at most %d in all", w, h, MaxPixels)
	case f == YUYV && w%2 != 0:
		return fmt.Errorf("a %v picture of %dx%d pixels: expected an even width", f, w, h)
	}
	return nil
}

// Frame is a view of one picture. Plane p's row y is Plane[p][y*Stride[p]:][:Format.RowBytes(p, W)]; strides are in
// bytes. Planes beyond Format.Planes are not looked at.
//
// YCbCr follows Recommendation ITU-R BT.601-7, sections 2.5.1 to 2.5.3, in limited range (luma 16 to 235, chroma 16 to
// 240) or in full range as JFIF 1.02 defines it (all of 0 to 255). Each chroma sample serves the two or four pixels that
// it covers without interpolation, as video drivers and OpenCV have it. It is computed in integers alone, so that every
// CPU gives the same bytes, and lies within one level of the exact value. JPEG and WebP pictures want the interpolation
// of their own decoders: see [FromImage].
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
		if n := len(m.Plane[p]); !holds(n, stride, row, rows) {
			return fmt.Errorf("plane %d of the %v picture has %d bytes: too few for %d rows of %d, %d apart", p, m.Format, n, rows, row, stride)
		}
	}
	return nil
}

func (m *Frame) row(p, y int) []byte {
	at, n := y*m.Stride[p], m.Format.RowBytes(p, m.W)
	return m.Plane[p][at : at+n : at+n]
}
