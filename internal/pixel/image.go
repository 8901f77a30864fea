// Package pixel prepares pictures for a network: 8-bit RGB pixels out of any image.Image or of the memory of cameras
// and other programs, resized and cropped exactly as the reference pipeline of training does it, so that the bytes a
// model was calibrated with, the bytes a device sees and the bytes of a Python evaluation are the same bytes.
//
// The reference is Pillow with torchvision's geometry:
//
//   - [Resizer] equals PIL.Image.resize with BILINEAR, BICUBIC and NEAREST to the bit, on every CPU (no fused
//     multiply-add, no platform float).
//   - [ShortSide], [CenterOffset] and [CenterCrop] follow torchvision.transforms.Resize and CenterCrop, rounding
//     included.
//   - [FromImage] follows Image.convert("RGB"), and for the planes of a JPEG the chroma interpolation and colour
//     conversion of libjpeg, so that no more is left between Go's JPEG decoder and Pillow's than the inverse DCT (see
//     FromImage for what was measured).
//   - [Frame] is what video devices and callers from C hold, with rows of any stride; see there for its colours.
//
// Only the standard library is imported. All sizes are in pixels and every function checks its sizes before it
// allocates or reads.
package pixel

import "fmt"

const (
	// MaxSide is the largest width or height accepted. Pillow keeps the source
	// rectangle in float32, which is exact up to here.
	MaxSide = 1 << 24

	// MaxPixels is the largest area of one image: 3 bytes each still count in
	// an int of 32 bits.
	MaxPixels = 1 << 27

	channels = 3
)

// Image is a view of interleaved 8-bit RGB pixels: the pixel at column x and
// row y is Pix[y*Stride+3*x:][:3], red first. Stride is in bytes, at least 3*W.
// Copying an Image copies the view, not the pixels.
type Image struct {
	W, H, Stride int
	Pix          []byte
}

// NewImage returns a black image of w by h pixels with Stride 3*w. It fails if
// a side is not in [1, MaxSide] or the area exceeds MaxPixels.
func NewImage(w, h int) (Image, error) {
	if err := checkArea("image", w, h); err != nil {
		return Image{}, err
	}
	return Image{W: w, H: h, Stride: w * channels, Pix: make([]byte, w*h*channels)}, nil
}

// row returns the W*3 bytes of row y.
func (m Image) row(y int) []byte {
	o := y * m.Stride
	return m.Pix[o : o+m.W*channels : o+m.W*channels]
}

// sub returns the view of the w by h pixels from (x, y) on, which must lie
// inside m.
func (m Image) sub(x, y, w, h int) Image {
	first := y*m.Stride + x*channels
	end := first + (h-1)*m.Stride + w*channels
	return Image{W: w, H: h, Stride: m.Stride, Pix: m.Pix[first:end:end]}
}

// check reports whether every pixel of m lies inside Pix. name says in the
// error which image is meant.
func (m Image) check(name string) error {
	if err := checkArea(name, m.W, m.H); err != nil {
		return err
	}
	if m.Stride < m.W*channels {
		return fmt.Errorf("pixel: %s: a stride of %d bytes is too short for rows of %d pixels: need at least %d",
			name, m.Stride, m.W, m.W*channels)
	}
	if !holds(len(m.Pix), m.Stride, m.W*channels, m.H) {
		return fmt.Errorf("pixel: %s: %d bytes of pixels are too few for %dx%d with a stride of %d bytes",
			name, len(m.Pix), m.W, m.H, m.Stride)
	}
	return nil
}

// holds reports whether n bytes hold h rows of rowBytes that start stride
// bytes apart. It cannot overflow.
func holds(n, stride, rowBytes, h int) bool {
	if stride < 0 || n < rowBytes {
		return false
	}
	return h == 1 || stride == 0 || (n-rowBytes)/stride >= h-1
}

func checkSide(name string, w, h int) error {
	if w < 1 || h < 1 || w > MaxSide || h > MaxSide {
		return fmt.Errorf("pixel: %s: a size of %dx%d is outside 1 to %d a side", name, w, h, MaxSide)
	}
	return nil
}

func checkArea(name string, w, h int) error {
	if err := checkSide(name, w, h); err != nil {
		return err
	}
	if int64(w)*int64(h) > MaxPixels {
		return fmt.Errorf("pixel: %s: %dx%d is more than %d pixels", name, w, h, MaxPixels)
	}
	return nil
}
