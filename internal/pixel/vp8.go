package pixel

import (
	"fmt"
	"image"
	"image/color"
)

// VP8 returns the picture that the planes of a lossy WebP or VP8 picture show: BT.601 with luma in 16..235, chroma at
// half resolution, interpolated and rounded as libwebp (and so Pillow) does it. The planes, which the picture keeps,
// must be 4:2:0 and lie at no negative corner. It converts rows as they are asked for and is safe for concurrent use.
func VP8(planes *image.YCbCr) (RGBImage, error) {
	if planes.SubsampleRatio != image.YCbCrSubsampleRatio420 || planes.Rect.Min.X < 0 || planes.Rect.Min.Y < 0 {
		return nil, fmt.Errorf("pixel: a VP8 picture is 4:2:0 from (0, 0) on, not %v from %v",
			planes.SubsampleRatio, planes.Rect.Min)
	}
	if err := checkArea("VP8 picture", planes.Rect.Dx(), planes.Rect.Dy()); err != nil {
		return nil, err
	}
	if err := checkYCbCr(planes); err != nil {
		return nil, err
	}
	return &vp8Image{*planes, vp8Upsampler(planes)}, nil
}

type vp8Image struct {
	planes image.YCbCr
	up     upsampler
}

func (m *vp8Image) ColorModel() color.Model { return color.NRGBAModel }

func (m *vp8Image) Bounds() image.Rectangle { return m.planes.Rect }

func (m *vp8Image) RGBRow(rgb []byte, y int) {
	w := m.planes.Rect.Dx()
	fromYCbCr(Image{W: w, H: 1, Stride: len(rgb), Pix: rgb}, &m.planes, y, m.up)
}

// At converts one pixel: RGBRow is the way to many.
func (m *vp8Image) At(x, y int) color.Color {
	if !(image.Point{X: x, Y: y}).In(m.planes.Rect) {
		return color.NRGBA{}
	}
	luma := m.planes.Y[m.planes.YOffset(x, y):][:1]
	x, y = x-m.planes.Rect.Min.X, y-m.planes.Rect.Min.Y
	near, far, bias := m.up.rows(y)
	near, far = near*m.planes.CStride, far*m.planes.CStride
	var cb, cr [1]byte
	m.up.row(cb[:], m.planes.Cb[near:], m.planes.Cb[far:], x, bias)
	m.up.row(cr[:], m.planes.Cr[near:], m.planes.Cr[far:], x, bias)
	var rgb [channels]byte
	vp8Row(rgb[:], luma, cb[:], cr[:])
	return color.NRGBA{R: rgb[0], G: rgb[1], B: rgb[2], A: 255}
}
