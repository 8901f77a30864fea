package pixel

import (
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// upsideDown is an RGBImage of another.
type upsideDown struct{ m Image }

func (upsideDown) ColorModel() color.Model   { return color.NRGBAModel }
func (u upsideDown) Bounds() image.Rectangle { return image.Rect(0, 0, u.m.W, u.m.H) }

func (u upsideDown) At(x, y int) color.Color {
	p := u.m.row(u.m.H - 1 - y)[3*x:]
	return color.NRGBA{R: p[0], G: p[1], B: p[2], A: 255}
}

func (u upsideDown) RGBRow(rgb []byte, y int) { copy(rgb, u.m.row(u.m.H-1-y)) }

// generic hides the type of an image, so that its pixels are read one by one.
type generic struct{ image.Image }

// kinds returns noise as an image of every type that is converted in its own way, and parts of images.
func kinds(t testing.TB, w, h int) map[string]image.Image {
	full := image.Rect(0, 0, w+3, h+3)
	part := image.Rect(1, 2, w+1, h+2)
	all := map[string]image.Image{"RGBImage": upsideDown{picture(t, "noise", 9, w, h)}}
	for i, m := range []interface {
		image.Image
		SubImage(image.Rectangle) image.Image
	}{image.NewNRGBA(full), image.NewRGBA(full), image.NewNRGBA64(full), image.NewRGBA64(full), image.NewGray(full),
		image.NewGray16(full), image.NewCMYK(full), image.NewPaletted(full, palette.Plan9),
		image.NewYCbCr(full, image.YCbCrSubsampleRatio420), image.NewYCbCr(full, image.YCbCrSubsampleRatio422),
		image.NewYCbCr(full, image.YCbCrSubsampleRatio440), image.NewYCbCr(full, image.YCbCrSubsampleRatio444),
		image.NewNYCbCrA(full, image.YCbCrSubsampleRatio420)} {
		fillNoise(m, uint32(i))
		name := fmt.Sprintf("%T %d", m, i)
		all[name] = m.SubImage(part)
		if i == 2 || i == 3 {
			all[name+" generic"] = generic{m.SubImage(part)}
		}
	}
	planes := image.NewYCbCr(full, image.YCbCrSubsampleRatio420)
	fillNoise(planes, 99)
	all["VP8"] = vp8(t, planes.SubImage(part).(*image.YCbCr))
	return all
}

func fillNoise(m image.Image, seed uint32) {
	set := func(planes ...[]byte) {
		for i, p := range planes {
			copy(p, noise(seed+uint32(i), len(p)))
		}
	}
	switch m := m.(type) {
	case *image.NRGBA:
		set(m.Pix)
	case *image.RGBA:
		set(m.Pix)
	case *image.NRGBA64:
		set(m.Pix)
	case *image.RGBA64:
		set(m.Pix)
		for i := 6; i < len(m.Pix); i += 24 { // some opaque, some transparent
			m.Pix[i], m.Pix[i+1] = 255, 255
		}
		for i := 14; i < len(m.Pix); i += 24 {
			m.Pix[i], m.Pix[i+1] = 0, 0
		}
	case *image.Gray:
		set(m.Pix)
	case *image.Gray16:
		set(m.Pix)
	case *image.CMYK:
		set(m.Pix)
	case *image.Paletted:
		set(m.Pix)
	case *image.YCbCr:
		set(m.Y, m.Cb, m.Cr)
	case *image.NYCbCrA:
		set(m.Y, m.Cb, m.Cr)
	}
}

// TestStripsEqualTheWhole compares resizing row by row with converting the whole picture first, for all types, filters
// and the scales that leave an axis alone, in pictures of several strips.
func TestStripsEqualTheWhole(t *testing.T) {
	const w, h = 3001, 67 // 3 strips and a row
	require.Greater(t, w*h, 3*stripPixels)
	for name, m := range kinds(t, w, h) {
		whole, err := NewImage(w, h)
		require.NoError(t, err)
		require.NoError(t, FromImage(whole, m))
		for _, filter := range []Filter{Bilinear, Bicubic, Nearest} {
			for _, c := range []struct{ w, h, x, y, dstW, dstH int }{
				{w, h, 0, 0, w, h}, {w, h, 100, 30, 50, 20}, {40, h, 3, 40, 30, 20}, {w, 30, 1000, 3, 40, 25},
				{120, 31, 7, 4, 90, 20}, {w + 9, 2 * h, 5, 100, 70, 30},
			} {
				want, got := picture(t, "white", 1, c.dstW, c.dstH), picture(t, "white", 1, c.dstW, c.dstH)
				require.NoError(t, NewResizer(filter).ResizeCrop(want, whole, c.w, c.h, c.x, c.y))
				require.NoError(t, NewResizer(filter).ResizeCropImage(got, m, c.w, c.h, c.x, c.y))
				require.True(t, string(want.Pix) == string(got.Pix), "%s, filter %d, %v", name, filter, c)
			}
		}
	}
}

// TestRowsEqualPixels compares the conversions of 64-bit types with that of single pixels.
func TestRowsEqualPixels(t *testing.T) {
	all := kinds(t, 61, 40)
	for name, m := range all {
		if g, ok := all[name+" generic"]; ok {
			got, want := picture(t, "white", 1, 61, 40), picture(t, "white", 1, 61, 40)
			require.NoError(t, FromImage(got, m))
			require.NoError(t, FromImage(want, g))
			require.True(t, string(want.Pix) == string(got.Pix), name)
		}
	}
}

// TestStripsTakeLittle: resizing a large picture allocates a strip and the rows between the passes, no copy.
func TestStripsTakeLittle(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 4000, 4000))
	dst := picture(t, "white", 1, 100, 100)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	require.NoError(t, NewResizer(Bilinear).ResizeCropImage(dst, m, 100, 100, 0, 0))
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), "the picture has 48 MB as RGB")
}

// TestTallStrips: a picture of a few bytes must not take hundreds of megabytes between the passes.
func TestTallStrips(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 1, 600_000))
	err := NewResizer(Bilinear).ResizeCropImage(picture(t, "white", 1, 224, 224), m, 224, 224, 0, 0)
	require.ErrorContains(t, err, "intermediate image: 224x600000 is more than")
}

func TestStripErrors(t *testing.T) {
	dst := picture(t, "white", 1, 4, 4)
	gray := image.NewGray(image.Rect(0, 0, 8, 8))
	require.ErrorContains(t, NewResizer(Filter(9)).ResizeCropImage(dst, gray, 4, 4, 0, 0), "unknown filter")
	require.ErrorContains(t, NewResizer(Bilinear).ResizeCropImage(dst, gray, 4, 4, 1, 0), "not inside")
	require.ErrorContains(t, NewResizer(Bilinear).ResizeCropImage(dst, image.NewGray(image.Rectangle{}), 4, 4, 0, 0), "0x0")
	for _, filter := range []Filter{Bilinear, Nearest} {
		short := &image.Gray{Pix: gray.Pix[:30], Stride: 8, Rect: gray.Rect}
		require.ErrorContains(t, NewResizer(filter).ResizeCropImage(dst, short, 4, 4, 0, 0), "too few")
	}
}
