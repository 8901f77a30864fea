package images

import (
	"image"

	"github.com/libresnext/libresnext/internal/resize"
)

// webpRGB converts the planes of a lossy WebP. Its luma runs from 16 to 235,
// which the type they come in cannot say.
func webpRGB(m image.Image) (image.Image, error) {
	var (
		planes *image.YCbCr
		alpha  func(x, y int) byte
	)
	switch m := m.(type) {
	case *image.YCbCr:
		planes, alpha = m, func(int, int) byte { return 255 }
	case *image.NYCbCrA:
		planes, alpha = &m.YCbCr, func(x, y int) byte { return m.A[m.AOffset(x, y)] }
	default:
		return m, nil // lossless: RGB already
	}
	r := planes.Rect
	rgb, err := resize.NewImage(r.Dx(), r.Dy())
	if err != nil {
		return nil, err
	}
	if err := resize.FromVP8(rgb, planes); err != nil {
		return nil, err
	}
	dst := image.NewNRGBA(r)
	for y := range rgb.H {
		for x := range rgb.W {
			o := dst.Pix[y*dst.Stride+4*x:][:4]
			copy(o, rgb.Pix[y*rgb.Stride+3*x:][:3])
			o[3] = alpha(r.Min.X+x, r.Min.Y+y)
		}
	}
	return dst, nil
}
