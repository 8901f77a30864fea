package pixel

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShortSide(t *testing.T) {
	for _, c := range [][5]int{ // w, h, size, w2, h2
		{500, 375, 256, 341, 256}, {375, 500, 256, 256, 341}, {640, 480, 256, 341, 256}, {1280, 720, 256, 455, 256},
		{28, 28, 32, 32, 32}, {256, 300, 256, 256, 300}, {1, 1, 7, 7, 7}, {3, 2, 1, 1, 1}, {1, 74898, 224, 224, 16777152},
		{1, 74899, 224, 0, 0}, {0, 5, 224, 0, 0}, {5, -1, 224, 0, 0}, {5, 5, 0, 0, 0},
		{MaxSide, MaxSide, MaxSide, MaxSide, MaxSide}, {MaxSide + 1, 5, 1, 0, 0}, {5, 5, MaxSide + 1, 0, 0},
	} {
		w, h := ShortSide(c[0], c[1], c[2])
		require.Equal(t, [2]int{c[3], c[4]}, [2]int{w, h}, "%v", c)
	}
}

func TestCenterOffset(t *testing.T) {
	// int(round((size - crop) / 2.0)) in Python: a half goes to the even neighbour.
	for _, c := range [][3]int{{5, 5, 0}, {6, 5, 0}, {7, 5, 1}, {8, 5, 2}, {9, 5, 2}, {10, 5, 2}, {11, 5, 3}, {12, 5, 4}, {341, 224, 58}, {455, 224, 116}} {
		require.Equal(t, c[2], CenterOffset(c[0], c[1]), "%v", c)
	}
}

// index returns an image whose pixel (x, y) is (x+1, y+1, 9).
func index(t *testing.T, w, h int) Image {
	m, err := NewImage(w, h)
	require.NoError(t, err)
	for y := range h {
		for x := range w {
			copy(m.row(y)[3*x:], []byte{byte(x + 1), byte(y + 1), 9})
		}
	}
	return m
}

func TestCenterCrop(t *testing.T) {
	for _, c := range []struct {
		w, h, cw, ch int
		x, y         int // where pixel (0, 0) of the source lands in the crop
	}{
		{5, 4, 5, 4, 0, 0}, {8, 7, 5, 4, -2, -2}, {6, 5, 5, 4, 0, 0}, {10, 9, 5, 4, -2, -2},
		{4, 4, 5, 5, 0, 0}, {3, 3, 6, 6, 1, 1}, {3, 3, 7, 7, 2, 2}, {1, 1, 1, 3, 0, 1},
		{9, 2, 4, 5, -2, 1}, {2, 9, 5, 4, 1, -2}, {7, 2, 4, 2, -2, 0},
	} {
		src := index(t, c.w, c.h)
		got, err := CenterCrop(src, c.cw, c.ch)
		require.NoError(t, err)
		require.NoError(t, got.check("crop"))
		require.Equal(t, [2]int{c.cw, c.ch}, [2]int{got.W, got.H})
		for y := range c.ch {
			for x := range c.cw {
				want := []byte{0, 0, 0}
				if sx, sy := x-c.x, y-c.y; sx >= 0 && sy >= 0 && sx < c.w && sy < c.h {
					want = []byte{byte(sx + 1), byte(sy + 1), 9}
				}
				require.Equal(t, want, got.row(y)[3*x:3*x+3], "%+v at (%d, %d)", c, x, y)
			}
		}
	}
}

func TestCenterCropErrors(t *testing.T) {
	src := index(t, 4, 4)
	_, err := CenterCrop(src, 0, 4)
	require.ErrorContains(t, err, "crop: a size of 0x4")
	_, err = CenterCrop(src, 1<<20, 1<<20)
	require.ErrorContains(t, err, "more than")
	_, err = CenterCrop(Image{W: 4, H: 4, Stride: 12}, 2, 2)
	require.ErrorContains(t, err, "source: 0 bytes of pixels")
}

func TestNewImageErrors(t *testing.T) {
	for _, c := range [][2]int{{0, 1}, {1, 0}, {-1, 1}, {MaxSide + 1, 1}, {1 << 14, 1<<13 + 1}, {MaxSide, MaxSide}} {
		_, err := NewImage(c[0], c[1])
		require.Error(t, err, "%v", c)
	}
}
