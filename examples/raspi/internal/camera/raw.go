package camera

import (
	"fmt"
	"image"
	"image/color"
	"sync"
	"time"

	"github.com/libresnext/libresnext/internal/pixel"
)

// RGB is a picture of interleaved bytes, row after row without gaps: what the network's preparation takes as it is.
type RGB struct {
	Pix []byte
	Size
}

// ColorModel, Bounds and At make RGB an image.Image.
func (m *RGB) ColorModel() color.Model { return color.RGBAModel }

// Bounds: see ColorModel.
func (m *RGB) Bounds() image.Rectangle { return image.Rect(0, 0, m.W, m.H) }

// At: see ColorModel.
func (m *RGB) At(x, y int) color.Color {
	if !(image.Point{X: x, Y: y}).In(m.Bounds()) {
		return color.RGBA{}
	}
	i := 3 * (y*m.W + x)
	return color.RGBA{R: m.Pix[i], G: m.Pix[i+1], B: m.Pix[i+2], A: 255}
}

// RGBA copies the picture into a form that encoders are quick with.
func (m *RGB) RGBA() *image.RGBA {
	out := image.NewRGBA(m.Bounds())
	for i, o := 0, out.Pix; len(o) >= 4; i, o = i+3, o[4:] {
		o[0], o[1], o[2], o[3] = m.Pix[i], m.Pix[i+1], m.Pix[i+2], 255
	}
	return out
}

// layout says how raw frames lie in memory.
type layout struct {
	format    pixel.Format // I420 or YUYV
	fullRange bool
	size      Size
	stride    int // bytes from one row of the first plane to the next
}

// newLayout checks the sizes. A stride of 0 is that of rows without gaps.
func newLayout(f pixel.Format, fullRange bool, z Size, stride int) (layout, error) {
	if err := z.check(); err != nil {
		return layout{}, err
	}
	least := f.RowBytes(0, z.W)
	if stride == 0 {
		stride = least
	}
	if stride < least || stride > 4*maxSide || stride%2 != 0 {
		return layout{}, fmt.Errorf("the stride is %d bytes, expected an even number of at least %d for rows of %d pixels", stride, least, z.W)
	}
	if stride*z.H > 2*f.RowBytes(0, maxPixels) {
		return layout{}, fmt.Errorf("rows of %d bytes, %d of them, are more than a frame may have", stride, z.H)
	}
	return layout{f, fullRange, z, stride}, nil
}

// planeStride is the distance of plane p's rows: camera programs halve the chroma planes' with the picture.
func (l layout) planeStride(p int) int {
	if p > 0 {
		return l.stride / 2
	}
	return l.stride
}

// bytes is the length of one frame.
func (l layout) bytes() int {
	n := 0
	for p := range l.format.Planes() {
		n += l.planeStride(p) * l.format.Rows(p, l.size.H)
	}
	return n
}

// rgb converts a frame of l.bytes bytes.
func (l layout) rgb(dst, raw []byte) error {
	m := pixel.Frame{Format: l.format, FullRange: l.fullRange, W: l.size.W, H: l.size.H}
	for p := range l.format.Planes() {
		n := l.planeStride(p) * l.format.Rows(p, l.size.H)
		m.Plane[p], m.Stride[p], raw = raw[:n], l.planeStride(p), raw[n:]
	}
	return m.Convert(dst)
}

// rawFrames makes frames of raw pixels. Memory goes around, because most frames are dropped as they are.
type rawFrames struct {
	layout
	spare, spareRGB sync.Pool
}

func (r *rawFrames) buffer() *[]byte { return fetch(&r.spare, r.bytes()) }

func fetch(pool *sync.Pool, n int) *[]byte {
	if b, ok := pool.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, n)
	return &b
}

// frame makes a frame of a filled buffer.
func (r *rawFrames) frame(raw *[]byte) *Frame {
	var rgb *[]byte
	return &Frame{
		Time: time.Now(),
		decode: func() (image.Image, error) {
			if rgb == nil {
				rgb = fetch(&r.spareRGB, 3*r.size.W*r.size.H)
				if err := r.rgb(*rgb, *raw); err != nil {
					return nil, err
				}
			}
			return &RGB{*rgb, r.size}, nil
		},
		release: func() {
			r.spare.Put(raw)
			if rgb != nil {
				r.spareRGB.Put(rgb)
			}
		},
	}
}
