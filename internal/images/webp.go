package images

import (
	"image"

	"github.com/libresnext/libresnext/internal/pixel"
)

// webpRGB returns the picture that the planes of a lossy WebP show, without its alpha. Their luma runs from 16 to 235,
// which the type they come in cannot say.
func webpRGB(m image.Image) (image.Image, error) {
	switch m := m.(type) {
	case *image.YCbCr:
		return pixel.VP8(m)
	case *image.NYCbCrA:
		return pixel.VP8(&m.YCbCr)
	}
	return m, nil // lossless: RGB already
}
