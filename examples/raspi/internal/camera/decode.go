package camera

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
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
	if need := c.Width * c.Height * pixelBytes(c.ColorModel, b); need > maxDecoding {
		return nil, fmt.Errorf("the JPEG of %dx%d pixels needs %d MB to decode, expected %d at most: give a smaller --size",
			c.Width, c.Height, need>>20, maxDecoding>>20)
	}
	m, err = jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("the JPEG is damaged: %w", err)
	}
	return m, nil
}

// maxDecoding bounds the memory that decoding a picture takes: a Raspberry Pi Zero 2 W has 512 MB in all.
const maxDecoding = 96 << 20

// pixelBytes is the memory that decoding takes for each pixel: a byte for each component, four more of each for the
// coefficients of a progressive picture, and another picture where there are four components.
func pixelBytes(model color.Model, picture []byte) int {
	components := 3
	switch model {
	case color.GrayModel:
		components = 1
	case color.CMYKModel:
		components = 8
	}
	// The frame header may stand where only the decoder finds it: behind what is no segment.
	for b := picture; ; {
		i := bytes.Index(b, []byte{0xff, markSOF2, 0})
		if i < 0 {
			return components
		}
		if b = b[i+3:]; len(b) > 0 && b[0] >= 11 && b[0] <= 20 && (b[0]-8)%3 == 0 { // its length
			return 5 * components
		}
	}
}
