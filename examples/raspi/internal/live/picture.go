package live

import (
	"bytes"
	"image"
	"image/jpeg"
	"time"

	"golang.org/x/image/draw"

	"github.com/libresnext/libresnext/examples/raspi/internal/camera"
)

const (
	// viewEvery and viewQuality are how often, and how well, pictures of sources without JPEG are made for viewers.
	viewEvery   = 100 * time.Millisecond
	viewQuality = 70
	// viewSide is the longest side of such a picture, in pixels: photos are larger than anybody needs there.
	viewSide = 960
)

// viewer makes pictures for people who look.
type viewer struct{ next time.Time }

// picture gives a frame's JPEG; nil if there was one just now and it would have to be encoded.
func (v *viewer) picture(f *camera.Frame, m image.Image, now time.Time) []byte {
	if f.JPEG != nil {
		return f.JPEG
	}
	if now.Before(v.next) {
		return nil
	}
	v.next = now.Add(viewEvery)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, viewable(m), &jpeg.Options{Quality: viewQuality}); err != nil {
		return nil // too large for a JPEG: there is nothing to show
	}
	return b.Bytes()
}

// viewable makes a picture small, and of a type that the encoder is quick with.
func viewable(m image.Image) image.Image {
	b := m.Bounds()
	if side := max(b.Dx(), b.Dy()); side > viewSide {
		small := image.NewRGBA(image.Rect(0, 0, max(1, b.Dx()*viewSide/side), max(1, b.Dy()*viewSide/side)))
		draw.ApproxBiLinear.Scale(small, small.Rect, m, b, draw.Src, nil)
		return small
	}
	if rgb, ok := m.(*camera.RGB); ok {
		return rgb.RGBA()
	}
	return m
}
