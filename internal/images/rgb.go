package images

import (
	"image"
	"image/color"
)

// rgbImage is an opaque picture of 3 bytes a pixel, which may lie turned or mirrored in memory: the pixel shown at
// (x, y) is pixel number first + x*right + y*below.
type rgbImage struct {
	pix                 []byte
	w, h                int
	first, right, below int
}

// newRGBImage makes a picture of the rows of pix.
func newRGBImage(pix []byte, w, h int) *rgbImage {
	return &rgbImage{pix: pix, w: w, h: h, right: 1, below: w}
}

func (m *rgbImage) ColorModel() color.Model { return color.NRGBAModel }

func (m *rgbImage) Bounds() image.Rectangle { return image.Rect(0, 0, m.w, m.h) }

func (m *rgbImage) At(x, y int) color.Color {
	if !(image.Point{X: x, Y: y}).In(m.Bounds()) {
		return color.NRGBA{}
	}
	p := m.pix[3*(m.first+x*m.right+y*m.below):]
	return color.NRGBA{R: p[0], G: p[1], B: p[2], A: 255}
}

// RGBRow makes it a [pixel.RGBImage].
func (m *rgbImage) RGBRow(rgb []byte, y int) {
	at := 3 * (m.first + y*m.below)
	if m.right == 1 {
		copy(rgb, m.pix[at:at+3*m.w])
		return
	}
	for step := 3 * m.right; len(rgb) >= 3; at += step {
		copy(rgb[:3], m.pix[at:at+3])
		rgb = rgb[3:]
	}
}
