package pixel

import (
	"fmt"
	"image"
	"image/color"
)

// FromImage writes the pixels of src into dst, whose size must be that of
// src's bounds. It follows Pillow's convert("RGB"):
//
//   - Alpha is dropped, not composited: the stored colour stays. Where colours
//     are premultiplied (image.RGBA, image.RGBA64) the colour is divided by its
//     alpha first, and is black where the alpha is zero.
//   - Gray becomes R = G = B. Of 16-bit samples the top byte is kept. (Pillow
//     does the same for colour; 16-bit gray it saturates at 255, which is of no
//     use, so there this package differs.)
//   - CMYK is converted without a colour profile: (255-K) * (255-C) / 255,
//     rounded as Pillow rounds it.
//   - YCbCr is taken as JFIF, full range, and is interpolated and rounded as
//     libjpeg does it; image/draw and At would repeat chroma samples and differ
//     by tens of levels at the edges of colours. What is left against Pillow's
//     decoder comes from the inverse DCT of Go's image/jpeg: at most 3 levels,
//     in 3 to 5 percent of the samples, for soft pictures and noise at
//     qualities 30 to 95.
//
// Lossy WebP as golang.org/x/image/webp decodes it is image.YCbCr too but not
// full range: give [VP8] of it.
//
// FromImage allocates nothing for the image types of the standard library,
// unusual sub-images apart, and is safe for concurrent use on different dst.
func FromImage(dst Image, src image.Image) error {
	if err := checkConversion(dst, src); err != nil {
		return err
	}
	return convertRows(dst, src, 0)
}

// An RGBImage gives its rows as RGB itself.
type RGBImage interface {
	image.Image
	// RGBRow writes row y, 0 being the topmost, 3 bytes a pixel.
	RGBRow(rgb []byte, y int)
}

// convertRows is FromImage for the rows of src from top on, 0 being the topmost: as many as dst has, which is as wide.
func convertRows(dst Image, src image.Image, top int) error {
	switch m := src.(type) {
	case RGBImage:
		for y := range dst.H {
			m.RGBRow(dst.row(y), top+y)
		}
		return nil
	case *image.YCbCr:
		if m.Rect.Min.X < 0 || m.Rect.Min.Y < 0 {
			break // Go's chroma grid is irregular left of zero
		}
		if err := checkYCbCr(m); err != nil {
			return err
		}
		fromYCbCr(dst, m, top, jpegUpsampler(m))
		return nil
	case *image.NYCbCrA:
		return convertRows(dst, &m.YCbCr, top)
	case *image.NRGBA:
		return fromRows(dst, m.Pix, m.Stride, top, 4, nrgbaRow)
	case *image.RGBA:
		return fromRows(dst, m.Pix, m.Stride, top, 4, rgbaRow)
	case *image.NRGBA64:
		return fromRows(dst, m.Pix, m.Stride, top, 8, nrgba64Row)
	case *image.RGBA64:
		return fromRows(dst, m.Pix, m.Stride, top, 8, rgba64Row)
	case *image.Gray:
		return fromRows(dst, m.Pix, m.Stride, top, 1, grayRow)
	case *image.Gray16:
		return fromRows(dst, m.Pix, m.Stride, top, 2, gray16Row)
	case *image.CMYK:
		return fromRows(dst, m.Pix, m.Stride, top, 4, cmykRow)
	case *image.Paletted:
		palette := rgbPalette(m.Palette)
		return fromRows(dst, m.Pix, m.Stride, top, 1, func(rgb, pix []byte) { palettedRow(rgb, pix, &palette) })
	}
	fromAny(dst, src, top)
	return nil
}

func checkConversion(dst Image, src image.Image) error {
	if err := dst.check("destination"); err != nil {
		return err
	}
	if b := src.Bounds(); b.Dx() != dst.W || b.Dy() != dst.H {
		return fmt.Errorf("pixel: the destination is %dx%d and the image %dx%d: sizes must be equal",
			dst.W, dst.H, b.Dx(), b.Dy())
	}
	return nil
}

// fromRows converts rows of an image of size bytes a pixel, from row top on.
func fromRows(dst Image, pix []byte, stride, top, size int, convert func(rgb, pix []byte)) error {
	n := dst.W * size
	if stride < n || !holds(len(pix), stride, n, top+dst.H) {
		return fmt.Errorf("pixel: image: %d bytes of pixels with a stride of %d are too few for %dx%d",
			len(pix), stride, dst.W, top+dst.H)
	}
	for y := range dst.H {
		at := (top + y) * stride
		convert(dst.row(y), pix[at:at+n])
	}
	return nil
}

// rgbPalette returns the palette's colours; indices beyond its end are black.
func rgbPalette(p color.Palette) (rgb [256][channels]byte) {
	for i, c := range p[:min(len(p), 256)] {
		rgb[i] = rgbOf(c)
	}
	return rgb
}

func fromAny(dst Image, src image.Image, top int) {
	at := src.Bounds().Min
	at.Y += top
	for y := range dst.H {
		row := dst.row(y)
		for x := range dst.W {
			rgb := rgbOf(src.At(at.X+x, at.Y+y))
			copy(row[channels*x:], rgb[:])
		}
	}
}

// rgbOf returns the colour c without its alpha.
func rgbOf(c color.Color) [channels]byte {
	if n, ok := c.(color.NRGBA); ok { // the color model would go by way of premultiplied values
		return [channels]byte{n.R, n.G, n.B}
	}
	n := color.NRGBA64Model.Convert(c).(color.NRGBA64)
	return [channels]byte{byte(n.R >> 8), byte(n.G >> 8), byte(n.B >> 8)}
}
