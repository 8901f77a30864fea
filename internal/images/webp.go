package images

import (
	"image"

	"github.com/libresnext/libresnext/internal/pixel"
)

// webpRGB converts the planes of a lossy WebP to RGB without its alpha. Its luma runs from 16 to 235,
// which the type they come in cannot say.
func webpRGB(m image.Image) (image.Image, error) {
	var planes *image.YCbCr
	switch m := m.(type) {
	case *image.YCbCr:
		planes = m
	case *image.NYCbCrA:
		planes = &m.YCbCr
	default:
		return m, nil // lossless: RGB already
	}
	r := planes.Rect
	rgb, err := pixel.NewImage(r.Dx(), r.Dy())
	if err != nil {
		return nil, err
	}
	if err := pixel.FromVP8(rgb, planes); err != nil {
		return nil, err
	}
	return newRGBImage(rgb.Pix, rgb.W, rgb.H), nil
}
