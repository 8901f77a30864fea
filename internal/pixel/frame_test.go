package pixel

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// exact is BT.601 in float64: what a pixel's levels are before rounding.
func exact(y, cb, cr byte, fullRange bool) [3]float64 {
	l, u, v := float64(y), float64(cb)-128, float64(cr)-128
	if !fullRange {
		l, u, v = (l-16)*255/219, u*255/224, v*255/224
	}
	rgb := [3]float64{l + 1.402*v, l - 0.344136286*u - 0.714136286*v, l + 1.772*u}
	for i, c := range rgb {
		rgb[i] = min(max(c, 0), 255)
	}
	return rgb
}

// TestYCbCrIsNearest goes through a third of all colours, every extreme among them: each level is the nearest one but
// where the exact value lies on the border of two.
func TestYCbCrIsNearest(t *testing.T) {
	for _, fullRange := range []bool{false, true} {
		m := &limited
		if fullRange {
			m = &full
		}
		for cb := 0; cb < 256; cb += 3 {
			for cr := range 256 {
				c := m.chroma(byte(cb), byte(cr))
				for y := range 256 {
					var got [3]byte
					c.put(&got, m.luma*int32(y))
					for i, want := range exact(byte(y), byte(cb), byte(cr), fullRange) {
						if math.Abs(float64(got[i])-want) > 0.5005 {
							t.Fatalf("full range %v, YCbCr %d %d %d, channel %d: %d, exactly %v", fullRange, y, cb, cr, i, got[i], want)
						}
					}
				}
			}
		}
	}
}

func TestKnownColours(t *testing.T) {
	for _, c := range []struct {
		ycbcr, want [3]byte
		full        bool
	}{
		{[3]byte{16, 128, 128}, [3]byte{0, 0, 0}, false},
		{[3]byte{235, 128, 128}, [3]byte{255, 255, 255}, false},
		{[3]byte{0, 128, 128}, [3]byte{0, 0, 0}, false},
		{[3]byte{255, 128, 128}, [3]byte{255, 255, 255}, false},
		{[3]byte{81, 90, 240}, [3]byte{254, 0, 0}, false}, // BT.601's red, rounded to 8 bits
		{[3]byte{255, 128, 128}, [3]byte{255, 255, 255}, true},
		{[3]byte{76, 85, 255}, [3]byte{254, 0, 0}, true}, // JFIF's
	} {
		m := Frame{Format: YUYV, FullRange: c.full, W: 2, H: 1, Stride: [3]int{4}}
		m.Plane[0] = []byte{c.ycbcr[0], c.ycbcr[1], c.ycbcr[0], c.ycbcr[2]}
		rgb := make([]byte, 6)
		require.NoError(t, m.Convert(rgb))
		require.Equal(t, append(c.want[:], c.want[:]...), rgb, "%v", c)
	}
}

// random makes a frame whose strides are gap bytes longer than its rows.
func random(f Format, w, h, gap int) *Frame {
	r := rand.New(rand.NewPCG(uint64(w), uint64(h)))
	m := &Frame{Format: f, W: w, H: h}
	for p := range f.Planes() {
		m.Stride[p] = f.RowBytes(p, w) + gap
		m.Plane[p] = make([]byte, m.Stride[p]*f.Rows(p, h)-gap) // the last row has no gap
		for i := range m.Plane[p] {
			m.Plane[p][i] = byte(r.Uint32())
		}
	}
	return m
}

// at reads one pixel the slow way: straight from what the format says, through float.
func at(m *Frame, x, y int) [3]float64 {
	p, stride := m.Plane[0], m.Stride[0]
	of := func(red, green, blue byte) [3]float64 {
		return [3]float64{float64(red), float64(green), float64(blue)}
	}
	switch m.Format {
	case RGB, BGR:
		if q := p[y*stride+3*x:]; m.Format == RGB {
			return of(q[0], q[1], q[2])
		} else {
			return of(q[2], q[1], q[0])
		}
	case RGBA, BGRA:
		if q := p[y*stride+4*x:]; m.Format == RGBA {
			return of(q[0], q[1], q[2])
		} else {
			return of(q[2], q[1], q[0])
		}
	case Gray:
		v := p[y*stride+x]
		return of(v, v, v)
	case YUYV:
		q := p[y*stride+x/2*4:]
		return exact(q[x%2*2], q[1], q[3], m.FullRange)
	case NV12:
		q := m.Plane[1][y/2*m.Stride[1]+x/2*2:]
		return exact(p[y*stride+x], q[0], q[1], m.FullRange)
	}
	return exact(p[y*stride+x], m.Plane[1][y/2*m.Stride[1]+x/2], m.Plane[2][y/2*m.Stride[2]+x/2], m.FullRange)
}

func TestEveryFormatAndStride(t *testing.T) {
	for f := RGB; f.Known(); f++ {
		for _, size := range [][2]int{{1, 1}, {2, 1}, {1, 2}, {2, 2}, {3, 3}, {5, 4}, {8, 7}, {33, 2}} {
			for _, gap := range []int{0, 1, 13} {
				w, h := size[0], size[1]
				if f == YUYV {
					w += w % 2
				}
				m := random(f, w, h, gap)
				m.FullRange = gap == 1
				rgb := make([]byte, w*h*3)
				require.NoError(t, m.Convert(rgb))
				for i, v := range rgb {
					want := at(m, i/3%w, i/3/w)
					require.InDelta(t, want[i%3], v, 0.5005, "%v %dx%d, gap %d, byte %d", f, w, h, gap, i)
				}
			}
		}
	}
}

func TestConvertAllocatesNothing(t *testing.T) {
	m, rgb := random(NV12, 64, 48, 0), make([]byte, 64*48*3)
	require.Zero(t, testing.AllocsPerRun(3, func() { _ = m.Convert(rgb) }))
}

func TestBadFrames(t *testing.T) {
	rgb := make([]byte, 4*4*3)
	for name, c := range map[string]struct {
		spoil func(m *Frame)
		want  string
	}{
		"format":       {func(m *Frame) { m.Format = 0 }, "unknown format 0: expected 1 (RGB) to 8 (I420)"},
		"format above": {func(m *Frame) { m.Format = 9 }, "unknown format 9"},
		"width":        {func(m *Frame) { m.W = 0 }, "0x4 pixels"},
		"height":       {func(m *Frame) { m.H = -1 }, "4x-1 pixels"},
		"too wide":     {func(m *Frame) { m.W = MaxFrameSide + 1 }, "16385x4 pixels"},
		"too large":    {func(m *Frame) { m.W, m.H = MaxFrameSide, MaxFrameSide }, "at most 134217728"},
		"odd":          {func(m *Frame) { m.Format, m.W = YUYV, 3 }, "even width"},
		"stride":       {func(m *Frame) { m.Stride[1] = 3 }, "plane 1 of the NV12 picture has a stride of 3"},
		"negative":     {func(m *Frame) { m.Stride[0] = -8 }, "stride of -8"},
		"overflow":     {func(m *Frame) { m.Stride[0] = math.MaxInt }, "too few for 4 rows"},
		"short":        {func(m *Frame) { m.Plane[0] = m.Plane[0][:15] }, "15 bytes: too few for 4 rows of 4, 4 apart"},
		"no chroma":    {func(m *Frame) { m.Plane[1] = nil }, "plane 1 of the NV12 picture has 0 bytes"},
	} {
		m := random(NV12, 4, 4, 0)
		c.spoil(m)
		require.ErrorContains(t, m.Convert(rgb), c.want, name)
	}
	require.ErrorContains(t, random(RGB, 4, 4, 0).Convert(rgb[1:]), "47 bytes, expected 48")
}

func BenchmarkConvert1080p(b *testing.B) {
	rgb := make([]byte, 1920*1080*3)
	for f := BGR; f.Known(); f++ {
		m := random(f, 1920, 1080, 0)
		b.Run(f.String(), func(b *testing.B) {
			b.SetBytes(1920 * 1080)
			for b.Loop() {
				_ = m.Convert(rgb)
			}
		})
	}
}
