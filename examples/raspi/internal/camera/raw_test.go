package camera

import (
	"bytes"
	"context"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/pixel"
)

// rawFrame makes an I420 frame of one colour with gaps of 0xee behind its rows.
func rawFrame(z Size, stride int, y, cb, cr byte) []byte {
	var b []byte
	plane := func(v byte, w, h, stride int) {
		for range h {
			b = append(b, bytes.Repeat([]byte{v}, w)...)
			b = append(b, bytes.Repeat([]byte{0xee}, stride-w)...)
		}
	}
	plane(y, z.W, z.H, stride)
	plane(cb, z.W/2, z.H/2, stride/2)
	plane(cr, z.W/2, z.H/2, stride/2)
	return b
}

func TestRawStream(t *testing.T) {
	z := Size{20, 16}
	for _, c := range []struct {
		name    string
		stride  int
		limited bool
		y       byte
		want    []byte // of every pixel
	}{
		{"no gaps", 0, false, 90, []byte{90, 90, 90}},
		{"rows rounded up to 64", 64, false, 255, []byte{255, 255, 255}},
		{"limited white", 0, true, 235, []byte{255, 255, 255}},
		{"limited black", 64, true, 16, []byte{0, 0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			stride := max(c.stride, z.W)
			data := rawFrame(z, stride, c.y, 128, 128)
			data = append(data, data...)
			data = append(data, data[:50]...) // and a part of a third
			s, err := newStream(bytes.NewReader(data), Format{YUV: z, Stride: c.stride, Limited: c.limited}, func() {})
			require.NoError(t, err)
			for range 2 {
				f, err := s.Next(context.Background())
				require.NoError(t, err)
				require.Nil(t, f.JPEG)
				m, err := f.Image()
				require.NoError(t, err)
				rgb := m.(*RGB)
				require.Equal(t, bytes.Repeat(c.want, z.W*z.H), rgb.Pix)
				require.Equal(t, rgb.Pix[:3], rgb.RGBA().Pix[:3])
				require.Equal(t, m.At(19, 15), rgb.RGBA().At(19, 15))
				f.Release()
				f.Release()
			}
			_, err = s.Next(context.Background())
			require.ErrorIs(t, err, io.EOF)
		})
	}
}

func TestImpossibleFormats(t *testing.T) {
	for _, f := range []Format{
		{YUV: Size{20, 15}}, {YUV: Size{-2, 20}}, {YUV: Size{1 << 30, 1 << 30}}, {YUV: Size{8192, 8192}},
		{YUV: Size{20, 16}, Stride: 18}, {YUV: Size{20, 16}, Stride: 21}, {YUV: Size{20, 16}, Stride: math.MaxInt - 1}, {YUV: Size{20, 16}, Stride: -4},
		{YUV: Size{1024, 8192}, Stride: 4 * maxSide},
	} {
		require.Error(t, f.Check(), f)
	}
	require.NoError(t, Format{}.Check())
	require.NoError(t, Format{YUV: Size{1920, 1080}, Stride: 1920}.Check())
}

func TestParseSize(t *testing.T) {
	z, err := ParseSize("640x480")
	require.NoError(t, err)
	require.Equal(t, Size{640, 480}, z)
	for _, bad := range []string{"", "640", "640x", "x480", "640x480x3", "640X480", "641x480", "0x0", "-640x480", "99999999999999999999x2", "8192x8190", "640 x480"} {
		_, err := ParseSize(bad)
		require.Error(t, err, bad)
	}
}

func TestPixelsOfYUYV(t *testing.T) {
	l, err := newLayout(pixel.YUYV, false, Size{16, 16}, 40)
	require.NoError(t, err)
	require.Equal(t, 40*16, l.bytes())
	_, err = newLayout(pixel.YUYV, false, Size{16, 16}, 30)
	require.ErrorContains(t, err, "stride")
}
