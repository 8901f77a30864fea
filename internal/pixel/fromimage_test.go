package pixel

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// hidden keeps FromImage from seeing the type of an image, so that it reads it
// by At.
type hidden struct{ image.Image }

// fill gives every pixel of m random channels.
func fill(m interface {
	image.Image
	Set(x, y int, c color.Color)
}, colour func(b []byte) color.Color) {
	r := m.Bounds()
	b := noise(7, 4*r.Dx()*r.Dy())
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			m.Set(x, y, colour(b[:4]))
			b = b[4:]
		}
	}
}

func nrgba(b []byte) color.Color { return color.NRGBA{b[0], b[1], b[2], b[3]} }

func nrgba64(b []byte) color.Color {
	return color.NRGBA64{R: uint16(b[0])<<8 | uint16(b[3]), G: uint16(b[1]) << 8, B: uint16(b[2])<<8 | 255, A: uint16(b[3])<<8 | 1}
}

func convert(t *testing.T, src image.Image) Image {
	dst, err := NewImage(src.Bounds().Dx(), src.Bounds().Dy())
	require.NoError(t, err)
	require.NoError(t, FromImage(dst, src))
	return dst
}

func TestFastPathsEqualAt(t *testing.T) {
	r := image.Rect(-3, 5, 30, 41)
	paletted := image.NewPaletted(r, color.Palette{color.NRGBA{1, 2, 3, 4}, color.Gray{7}, color.RGBA{10, 20, 30, 40}, color.CMYK{1, 2, 3, 4}})
	gray, gray16, plain, straight := image.NewGray(r), image.NewGray16(r), image.NewRGBA(r), image.NewNRGBA(r)
	wide, alpha := image.NewNRGBA64(r), image.NewRGBA64(r)
	fill(gray, nrgba)
	fill(gray16, nrgba64)
	fill(plain, nrgba)
	fill(straight, nrgba)
	fill(paletted, nrgba)
	fill(wide, nrgba64)
	fill(alpha, nrgba64)
	part := image.Rect(2, 9, 21, 33)
	for _, m := range []interface {
		image.Image
		SubImage(image.Rectangle) image.Image
	}{gray, gray16, plain, straight, paletted, wide, alpha} {
		t.Run(fmt.Sprintf("%T", m), func(t *testing.T) {
			requireSame(t, convert(t, hidden{m}), convert(t, m), "whole")
			s := m.SubImage(part)
			requireSame(t, convert(t, hidden{s}), convert(t, s), "part")
		})
	}
}

func TestStoredColourStays(t *testing.T) {
	one := image.Rect(0, 0, 1, 1)
	rgba := func(b ...byte) image.Image { return &image.RGBA{Pix: b, Stride: 4, Rect: one} }
	for name, c := range map[string]struct {
		m    image.Image
		want []byte
	}{
		"straight, transparent":       {&image.NRGBA{Pix: []byte{9, 8, 7, 0}, Stride: 4, Rect: one}, []byte{9, 8, 7}},
		"premultiplied, opaque":       {rgba(9, 8, 7, 255), []byte{9, 8, 7}},
		"premultiplied, half":         {rgba(100, 50, 0, 128), []byte{199, 99, 0}},
		"premultiplied, transparent":  {rgba(9, 8, 7, 0), []byte{0, 0, 0}},
		"premultiplied, out of range": {rgba(200, 8, 4, 4), []byte{255, 255, 255}},
		"16 bits":                     {&image.Gray16{Pix: []byte{0x12, 0xff}, Stride: 2, Rect: one}, []byte{0x12, 0x12, 0x12}},
		"64 bits, transparent":        {&image.NRGBA64{Pix: []byte{9, 255, 8, 255, 7, 255, 255, 255}, Stride: 8, Rect: one}, []byte{9, 8, 7}},
		"index beyond the palette":    {&image.Paletted{Pix: []byte{5}, Stride: 1, Rect: one, Palette: color.Palette{color.White}}, []byte{0, 0, 0}},
	} {
		require.Equal(t, c.want, convert(t, c.m).Pix, name)
	}
}

func TestCMYKEqualsPillow(t *testing.T) {
	for _, line := range lines(t, "testdata/cmyk.txt") {
		var seed, crc uint32
		var w, h int
		_, err := fmt.Sscanf(line, "%d %dx%d %x", &seed, &w, &h, &crc)
		require.NoError(t, err)
		m := image.NewCMYK(image.Rect(0, 0, w, h))
		copy(m.Pix, noise(seed, len(m.Pix)))
		require.Equal(t, crc, crc32.ChecksumIEEE(convert(t, m).Pix), line)
	}
}

// Pictures on which every inverse DCT agrees come out as libjpeg makes them:
// chroma interpolation, borders and colour conversion are equal to the bit.
func TestChromaEqualsLibjpeg(t *testing.T) {
	for _, line := range lines(t, "testdata/jpeg/crc.txt") {
		var name string
		var crc uint32
		_, err := fmt.Sscanf(line, "%s %x", &name, &crc)
		require.NoError(t, err)
		require.Equal(t, crc, crc32.ChecksumIEEE(convert(t, decodeJPEG(t, name)).Pix), line)
	}
}

// On other pictures only the inverse DCTs differ, by little.
func TestPhotosAreNearPillow(t *testing.T) {
	for _, ratio := range []string{"444", "422", "420"} {
		got := convert(t, decodeJPEG(t, "photo-"+ratio+".jpg"))
		b, err := os.ReadFile("testdata/jpeg/photo-" + ratio + ".png")
		require.NoError(t, err)
		m, err := png.Decode(bytes.NewReader(b))
		require.NoError(t, err)
		want, differ := convert(t, m), 0
		for i, v := range want.Pix {
			require.InDelta(t, v, got.Pix[i], 3, "%s, byte %d", ratio, i)
			if v != got.Pix[i] {
				differ++
			}
		}
		require.Less(t, differ, len(want.Pix)/20, ratio)
	}
}

func decodeJPEG(t *testing.T, name string) *image.YCbCr {
	b, err := os.ReadFile("testdata/jpeg/" + name)
	require.NoError(t, err)
	m, err := jpeg.Decode(bytes.NewReader(b))
	require.NoError(t, err)
	require.IsType(t, &image.YCbCr{}, m)
	return m.(*image.YCbCr)
}

var ratios = []image.YCbCrSubsampleRatio{
	image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
	image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
}

func randomYCbCr(r image.Rectangle, ratio image.YCbCrSubsampleRatio) *image.YCbCr {
	m := image.NewYCbCr(r, ratio)
	copy(m.Y, noise(1, len(m.Y)))
	copy(m.Cb, noise(2, len(m.Cb)))
	copy(m.Cr, noise(3, len(m.Cr)))
	return m
}

// The interior of a sub-image, odd corners included, is that of the image.
func TestSubImagesKeepTheirChroma(t *testing.T) {
	for _, ratio := range ratios {
		m := randomYCbCr(image.Rect(0, 0, 1100, 23), ratio)
		whole := convert(t, m)
		for _, r := range []image.Rectangle{image.Rect(3, 5, 1093, 18), image.Rect(4, 6, 1096, 19), image.Rect(17, 4, 530, 21)} {
			part := convert(t, m.SubImage(r))
			requireSame(t, whole.sub(r.Min.X+4, r.Min.Y+2, r.Dx()-8, r.Dy()-4), part.sub(4, 2, r.Dx()-8, r.Dy()-4), fmt.Sprint(ratio, r))
		}
	}
}

// Without chroma detail there is nothing to interpolate, and Go's own
// conversion is within a level, at negative corners too.
func TestFlatChromaIsNearGo(t *testing.T) {
	for _, ratio := range ratios {
		for _, corner := range []image.Point{{}, {3, 3}, {-5, -3}} {
			m := randomYCbCr(image.Rect(0, 0, 37, 19).Add(corner), ratio)
			for i := range m.Cb {
				m.Cb[i], m.Cr[i] = 200, 40
			}
			got, want := convert(t, m), convert(t, hidden{m})
			for i, v := range want.Pix {
				require.InDelta(t, v, got.Pix[i], 1)
			}
			requireSame(t, got, convert(t, &image.NYCbCrA{YCbCr: *m, A: make([]byte, 37*19), AStride: 37}), ratio.String())
		}
	}
}

func TestVP8Range(t *testing.T) {
	m := image.NewYCbCr(image.Rect(0, 0, 5, 3), image.YCbCrSubsampleRatio420)
	dst, err := NewImage(5, 3)
	require.NoError(t, err)
	for _, c := range [][3]byte{{16, 128, 128}, {235, 128, 128}, {0, 128, 128}, {255, 128, 128}, {88, 115, 201}, {81, 90, 240}, {0, 0, 0}, {255, 255, 255}} {
		for i := range m.Y {
			m.Y[i] = c[0]
		}
		for i := range m.Cb {
			m.Cb[i], m.Cr[i] = c[1], c[2]
		}
		require.NoError(t, FromImage(dst, vp8(t, m)))
		// BT.601 for luma of 219 steps and chroma of 224.
		y, u, v := (float64(c[0])-16)*255/219, (float64(c[1])-128)*255/224, (float64(c[2])-128)*255/224
		for i, want := range []float64{y + 1.402*v, y - 0.344136*u - 0.714136*v, y + 1.772*u} {
			for p := i; p < len(dst.Pix); p += 3 {
				require.InDelta(t, min(max(want, 0), 255), dst.Pix[p], 1, "%v channel %d", c, i)
			}
		}
	}
}

func vp8(t testing.TB, planes *image.YCbCr) image.Image {
	t.Helper()
	m, err := VP8(planes)
	require.NoError(t, err)
	return m
}

// TestVP8At compares single pixels with rows, of planes that do not begin at their corner too, and the bounds.
func TestVP8At(t *testing.T) {
	planes := randomYCbCr(image.Rect(0, 0, 1037, 9), image.YCbCrSubsampleRatio420)
	for _, r := range []image.Rectangle{planes.Rect, image.Rect(3, 1, 1034, 8), image.Rect(4, 2, 5, 3)} {
		m := vp8(t, planes.SubImage(r).(*image.YCbCr))
		require.Equal(t, r, m.Bounds())
		requireSame(t, convert(t, m), convert(t, hidden{m}), r.String())
		for _, p := range []image.Point{{r.Min.X - 1, r.Min.Y}, {r.Min.X, r.Min.Y - 1}, r.Max} {
			require.Equal(t, color.NRGBA{}, m.At(p.X, p.Y))
		}
	}
}

func TestVP8Errors(t *testing.T) {
	r := image.Rect(0, 0, 4, 4)
	for want, m := range map[string]*image.YCbCr{
		"4:2:0":         image.NewYCbCr(r, image.YCbCrSubsampleRatio444),
		"from (-2,0)":   image.NewYCbCr(r.Sub(image.Pt(2, 0)), image.YCbCrSubsampleRatio420),
		"luma":          {Rect: r, SubsampleRatio: image.YCbCrSubsampleRatio420},
		"a size of 0x0": {SubsampleRatio: image.YCbCrSubsampleRatio420},
	} {
		_, err := VP8(m)
		require.ErrorContains(t, err, want)
	}
}

func TestFromImageErrors(t *testing.T) {
	dst, err := NewImage(4, 4)
	require.NoError(t, err)
	r := image.Rect(0, 0, 4, 4)
	for name, c := range map[string]struct {
		m    image.Image
		want string
	}{
		"size":        {image.NewGray(image.Rect(0, 0, 5, 4)), "the destination is 4x4 and the image 5x4"},
		"short":       {&image.Gray{Pix: make([]byte, 15), Stride: 4, Rect: r}, "15 bytes of pixels with a stride of 4"},
		"stride":      {&image.NRGBA{Pix: make([]byte, 64), Stride: 15, Rect: r}, "stride of 15"},
		"neg. stride": {&image.RGBA{Pix: make([]byte, 64), Stride: -16, Rect: r}, "stride of -16"},
		"luma":        {&image.YCbCr{Y: make([]byte, 15), YStride: 4, Rect: r}, "15 bytes of luma"},
		"no chroma":   {&image.YCbCr{Y: make([]byte, 16), YStride: 4, Rect: r}, "0 bytes of chroma"},
		"chroma": {&image.YCbCr{Y: make([]byte, 16), YStride: 4, Cb: make([]byte, 4), Cr: make([]byte, 3), CStride: 2,
			SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: r}, "3 bytes of chroma with a stride of 2 are too few for 4x4"},
	} {
		require.ErrorContains(t, FromImage(dst, c.m), c.want, name)
	}
	require.ErrorContains(t, FromImage(Image{}, image.NewGray(r)), "destination")
}

func TestFromImageAllocatesNothing(t *testing.T) {
	r := image.Rect(0, 0, 64, 48)
	dst, err := NewImage(64, 48)
	require.NoError(t, err)
	planes := image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
	for _, m := range []image.Image{planes, vp8(t, planes), image.NewRGBA(r), image.NewNRGBA(r), image.NewGray(r),
		image.NewGray16(r), image.NewCMYK(r),
		image.NewPaletted(r, color.Palette{color.NRGBA{1, 2, 3, 4}, color.NRGBA{4, 3, 2, 1}})} {
		require.Zero(t, testing.AllocsPerRun(5, func() { _ = FromImage(dst, m) }), "%T", m)
	}
}

func BenchmarkFromImage(b *testing.B) {
	r := image.Rect(0, 0, 1280, 720)
	dst, err := NewImage(1280, 720)
	require.NoError(b, err)
	soft := func(ratio image.YCbCrSubsampleRatio) image.Image {
		m := randomYCbCr(r, ratio)
		for i, v := range m.Y {
			m.Y[i] = 64 + v/2 // as in most pictures, few colours are out of range
		}
		for i := range m.Cb {
			m.Cb[i], m.Cr[i] = 112+m.Cb[i]/8, 112+m.Cr[i]/8
		}
		return m
	}
	for name, m := range map[string]image.Image{"ycbcr-420": soft(image.YCbCrSubsampleRatio420),
		"ycbcr-444": soft(image.YCbCrSubsampleRatio444), "rgba": image.NewRGBA(r), "gray": image.NewGray(r)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_ = FromImage(dst, m)
			}
		})
	}
}
