package camera

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"time"
)

// newJPEG makes a frame of a picture, which it keeps.
func newJPEG(picture []byte) *Frame {
	picture = withTables(picture)
	return &Frame{Time: time.Now(), JPEG: picture, decode: func() (image.Image, error) { return decodeJPEG(picture) }}
}

// decodeJPEG decodes a picture of bounded size.
func decodeJPEG(b []byte) (m image.Image, err error) {
	defer func() {
		// A decoder that a hostile picture leads astray must not end the program.
		if r := recover(); r != nil {
			m, err = nil, fmt.Errorf("the JPEG is damaged: its decoder failed (%v)", r)
		}
	}()
	c, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("the JPEG is damaged: %w", err)
	}
	if c.Width < 1 || c.Height < 1 || int64(c.Width)*int64(c.Height) > maxPixels {
		return nil, fmt.Errorf("the JPEG has %dx%d pixels, expected 1 to %d megapixels: give a smaller --size",
			c.Width, c.Height, maxPixels/1_000_000)
	}
	m, err = jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("the JPEG is damaged: %w", err)
	}
	return m, nil
}
