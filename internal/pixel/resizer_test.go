package pixel

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// noise is the generator of testdata/make_golden.py.
func noise(seed uint32, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		seed = 1664525*seed + 1013904223
		out[i] = byte(seed >> 24)
	}
	return out
}

func picture(t testing.TB, kind string, seed uint32, w, h int) Image {
	m, err := NewImage(w, h)
	require.NoError(t, err)
	copy(m.Pix, noise(seed, len(m.Pix)))
	for i, v := range m.Pix {
		switch {
		case kind == "white" || kind == "extreme" && v > 127:
			m.Pix[i] = 255
		case kind == "extreme":
			m.Pix[i] = 0
		}
	}
	return m
}

// lines returns the lines of a golden file that are no comments.
func lines(t testing.TB, path string) (out []string) {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if !strings.HasPrefix(s.Text(), "#") {
			out = append(out, s.Text())
		}
	}
	require.NotEmpty(t, out)
	return out
}

// golden is one line of testdata/resize.txt.
type golden struct {
	filter   Filter
	src, dst Image // dst has the size of the result, black
	crc      uint32
	full     []byte
}

func goldens(t *testing.T, use func(line string, g golden)) {
	for _, line := range lines(t, "testdata/resize.txt") {
		var (
			g            golden
			name, kind   string
			seed         uint32
			w, h, w2, h2 int
		)
		_, err := fmt.Sscanf(line, "%s %s %d %dx%d %dx%d %x", &name, &kind, &seed, &w, &h, &w2, &h2, &g.crc)
		require.NoError(t, err, line)
		if field := strings.Fields(line); len(field) > 6 {
			g.full, err = hex.DecodeString(field[6])
			require.NoError(t, err, line)
		}
		g.filter, err = ParseFilter(name)
		require.NoError(t, err, line)
		g.src = picture(t, kind, seed, w, h)
		g.dst, err = NewImage(w2, h2)
		require.NoError(t, err, line)
		use(line, g)
	}
}

func TestResizeEqualsPillow(t *testing.T) {
	shared := map[Filter]*Resizer{Bilinear: NewResizer(Bilinear), Bicubic: NewResizer(Bicubic), Nearest: NewResizer(Nearest)}
	full := 0
	goldens(t, func(line string, g golden) {
		require.NoError(t, shared[g.filter].Resize(g.dst, g.src), line)
		if g.full != nil {
			full++
			require.Equal(t, g.full, g.dst.Pix, line)
		}
		require.Equal(t, g.crc, crc32.ChecksumIEEE(g.dst.Pix), line)
	})
	require.Greater(t, full, 10)
}

// Views with gaps between the rows give the same pixels and leave the gaps.
func TestResizeStride(t *testing.T) {
	goldens(t, func(line string, g golden) {
		if g.src.W > 100 || g.dst.W > 100 {
			return
		}
		src, dst := spread(g.src), spread(g.dst)
		require.NoError(t, NewResizer(g.filter).Resize(dst, src), line)
		require.Equal(t, g.crc, crc32.ChecksumIEEE(packed(dst)), line)
		for y := range dst.H - 1 {
			for _, v := range dst.Pix[y*dst.Stride+3*dst.W : (y+1)*dst.Stride] {
				require.EqualValues(t, gap, v, line)
			}
		}
	})
}

const gap = 0xA5

// spread copies m with a gap of 7 bytes after each row but the last.
func spread(m Image) Image {
	out := Image{W: m.W, H: m.H, Stride: 3*m.W + 7}
	for y := range m.H {
		out.Pix = append(out.Pix, m.row(y)...)
		if y < m.H-1 {
			for range 7 {
				out.Pix = append(out.Pix, gap)
			}
		}
	}
	return out
}

// packed returns the pixels of m without gaps.
func packed(m Image) (out []byte) {
	for y := range m.H {
		out = append(out, m.row(y)...)
	}
	return out
}

// requireSame fails with the first pixel that differs.
func requireSame(t *testing.T, want, got Image, what string) {
	require.Equal(t, [2]int{want.W, want.H}, [2]int{got.W, got.H}, what)
	for y := range want.H {
		for x := range want.W {
			a, b := want.row(y)[3*x:3*x+3], got.row(y)[3*x:3*x+3]
			if !bytes.Equal(a, b) {
				require.Equal(t, a, b, "%s: pixel (%d, %d)", what, x, y)
			}
		}
	}
}

func TestResizeCropIsTheRectangleOfResize(t *testing.T) {
	src := picture(t, "extreme", 5, 50, 40)
	for _, f := range []Filter{Bilinear, Bicubic, Nearest} {
		for _, size := range [][2]int{{50, 40}, {50, 31}, {33, 40}, {33, 27}, {70, 61}, {9, 90}} {
			w, h := size[0], size[1]
			whole, err := NewImage(w, h)
			require.NoError(t, err)
			r := NewResizer(f)
			require.NoError(t, r.Resize(whole, src))
			for _, rect := range [][4]int{{0, 0, w, h}, {0, 0, 1, 1}, {w - 1, h - 1, 1, 1}, {1, 2, w - 3, h - 4}, {w / 2, 0, 2, h}, {0, h / 3, w, 3}} {
				part, err := NewImage(rect[2], rect[3])
				require.NoError(t, err)
				require.NoError(t, r.ResizeCrop(part, src, w, h, rect[0], rect[1]))
				requireSame(t, whole.sub(rect[0], rect[1], rect[2], rect[3]), part, fmt.Sprint(f, size, rect))
			}
		}
	}
}

// A crop of a size that could not be held is made all the same.
func TestResizeCropOfHugeScaledSize(t *testing.T) {
	src := picture(t, "white", 0, 70000, 1)
	dst, err := NewImage(224, 224)
	require.NoError(t, err)
	w, h := ShortSide(src.W, src.H, 224)
	require.NoError(t, NewResizer(Bicubic).ResizeCrop(dst, src, w, h, CenterOffset(w, 224), 0))
	for _, v := range dst.Pix {
		require.EqualValues(t, 255, v)
	}
}

func TestResizeErrors(t *testing.T) {
	ok := picture(t, "noise", 0, 4, 4)
	for name, c := range map[string]struct {
		dst, src   Image
		w, h, x, y int
		f          Filter
		want       string
	}{
		"no destination":  {dst: Image{}, src: ok, w: 4, h: 4, want: "destination: a size of 0x0"},
		"no source":       {dst: ok, src: Image{}, w: 4, h: 4, want: "source: a size of 0x0"},
		"negative":        {dst: ok, src: Image{W: -1, H: 4, Stride: 12, Pix: ok.Pix}, w: 4, h: 4, want: "source: a size of -1x4"},
		"side":            {dst: ok, src: Image{W: MaxSide + 1, H: 1, Stride: 1 << 26, Pix: ok.Pix}, w: 4, h: 4, want: "outside 1 to 16777216"},
		"area":            {dst: ok, src: Image{W: MaxSide, H: 9, Stride: 1 << 26, Pix: ok.Pix}, w: 4, h: 4, want: "more than 134217728 pixels"},
		"stride":          {dst: ok, src: Image{W: 4, H: 4, Stride: 11, Pix: ok.Pix}, w: 4, h: 4, want: "stride of 11 bytes is too short"},
		"negative stride": {dst: ok, src: Image{W: 4, H: 4, Stride: -12, Pix: ok.Pix}, w: 4, h: 4, want: "stride of -12 bytes"},
		"huge stride":     {dst: ok, src: Image{W: 4, H: 4, Stride: 1 << 30, Pix: ok.Pix}, w: 4, h: 4, want: "48 bytes of pixels are too few"},
		"short":           {dst: ok, src: Image{W: 4, H: 4, Stride: 12, Pix: ok.Pix[:47]}, w: 4, h: 4, want: "47 bytes of pixels are too few"},
		"no pixels":       {dst: ok, src: Image{W: 1, H: 1, Stride: 3}, w: 4, h: 4, want: "0 bytes of pixels are too few"},
		"scaled size":     {dst: ok, src: ok, w: 0, h: 4, want: "scaled size"},
		"scaled too big":  {dst: ok, src: ok, w: MaxSide + 1, h: 4, want: "scaled size"},
		"left of it":      {dst: ok, src: ok, w: 8, h: 8, x: -1, want: "4x4 rectangle at (-1, 0) is not inside the scaled size 8x8"},
		"right of it":     {dst: ok, src: ok, w: 8, h: 8, x: 5, want: "rectangle at (5, 0)"},
		"below it":        {dst: ok, src: ok, w: 8, h: 8, y: 5, want: "rectangle at (0, 5)"},
		"larger than it":  {dst: ok, src: ok, w: 3, h: 3, want: "not inside the scaled size 3x3"},
		"overflow":        {dst: ok, src: ok, w: 8, h: 8, x: int(^uint(0) >> 1), want: "rectangle at"},
		"filter":          {dst: ok, src: ok, w: 4, h: 4, f: 4, want: "unknown filter 4"},
		"negative filter": {dst: ok, src: ok, w: 4, h: 4, f: -1, want: "unknown filter -1"},
	} {
		t.Run(name, func(t *testing.T) {
			err := NewResizer(c.f).ResizeCrop(c.dst, c.src, c.w, c.h, c.x, c.y)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "pixel: ")
		})
	}
}

// The area of the intermediate image counts too.
func TestResizeIntermediateTooBig(t *testing.T) {
	src, dst := picture(t, "noise", 0, 1, 40000), picture(t, "noise", 0, 40000, 1)
	require.ErrorContains(t, NewResizer(Bilinear).Resize(dst, src), "intermediate image: 40000x40000 is more than")
}

func TestResizeAllocatesNothingForEqualFrames(t *testing.T) {
	src, dst := picture(t, "noise", 1, 64, 48), picture(t, "noise", 2, 30, 20)
	for _, f := range []Filter{Bilinear, Bicubic, Nearest} {
		r := NewResizer(f)
		require.NoError(t, r.Resize(dst, src))
		require.Zero(t, testing.AllocsPerRun(5, func() { _ = r.Resize(dst, src) }))
	}
}

func TestFilterNames(t *testing.T) {
	for _, f := range []Filter{Bilinear, Bicubic, Nearest, Linear} {
		got, err := ParseFilter(f.String())
		require.NoError(t, err)
		require.Equal(t, f, got)
		require.Equal(t, f, NewResizer(f).Filter())
	}
	require.Equal(t, "Filter(9)", Filter(9).String())
	_, err := ParseFilter("lanczos")
	require.EqualError(t, err, `pixel: unknown filter "lanczos": use one of bilinear, bicubic, nearest, bilinear-opencv`)
}

func BenchmarkResize(b *testing.B) {
	for _, f := range []Filter{Bilinear, Bicubic} {
		for _, size := range [][2]int{{1280, 720}, {640, 480}} {
			src := picture(b, "noise", 1, size[0], size[1])
			w, h := ShortSide(src.W, src.H, 256)
			b.Run(fmt.Sprintf("%v/%dx%d-to-%dx%d", f, src.W, src.H, w, h), func(b *testing.B) {
				dst, r := picture(b, "white", 0, w, h), NewResizer(f)
				for b.Loop() {
					_ = r.Resize(dst, src)
				}
			})
			b.Run(fmt.Sprintf("%v/%dx%d-crop-224", f, src.W, src.H), func(b *testing.B) {
				dst, r := picture(b, "white", 0, 224, 224), NewResizer(f)
				for b.Loop() {
					_ = r.ResizeCrop(dst, src, w, h, CenterOffset(w, 224), CenterOffset(h, 224))
				}
			})
		}
	}
}

// TestLinear: without antialiasing the results are OpenCV's and PyTorch's to a level, most of them exactly.
func TestLinear(t *testing.T) {
	off, all := 0, 0
	for _, line := range lines(t, "testdata/opencv.txt") {
		var (
			library      string
			seed         uint32
			w, h, w2, h2 int
			full         string
		)
		_, err := fmt.Sscanf(line, "%s %d %dx%d %dx%d %s", &library, &seed, &w, &h, &w2, &h2, &full)
		require.NoError(t, err, line)
		want, err := hex.DecodeString(full)
		require.NoError(t, err)
		dst, err := NewImage(w2, h2)
		require.NoError(t, err)
		require.NoError(t, NewResizer(Linear).Resize(dst, picture(t, "noise", seed, w, h)))
		for i, v := range want {
			d := int(v) - int(dst.Pix[i])
			require.LessOrEqual(t, d*d, 1, "%s %dx%d to %dx%d, byte %d", library, w, h, w2, h2, i)
			off, all = off+d*d, all+1
		}
	}
	require.Less(t, 3*off, all)
	filter, err := ParseFilter("bilinear-opencv")
	require.NoError(t, err)
	require.Equal(t, Linear, filter)
}
