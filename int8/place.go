package int8

import "github.com/libresnext/libresnext/asm"

// Place fixes where a convolution reads and writes: the shapes of its maps and the tables of offsets that
// follow from them. It is immutable and shared by every session.
type Place struct {
	out        Map
	pixels     int
	inOff      []int32
	tapOff     []int32
	outOff     []int32
	inStart    int // the direct kernels' first tap
	inRow      int
	inCol      int
	tapRow     int
	tapCol     int
	inputBytes int
}

// PlaceBytes is how many bytes a Place takes for each pixel of its output map.
const PlaceBytes = 8

// Place computes the tables for an input map with a border of at least kernel/2 (none for 1x1), and the
// output map that a shortcut, if one is added, shares.
func (c *Conv) Place(in, out Map) *Place {
	pad := c.kernel / 2
	p := c.place(out, in.Row(), in.Layout.Total, in.Offset(-pad, -pad), in.Bytes())
	if c.group == nil {
		for ky := range c.kernel {
			for kx := range c.kernel {
				p.tapOff = append(p.tapOff, int32(ky*p.tapRow+kx*p.tapCol))
			}
		}
	}
	return p
}

// PlaceStem is Place for a stem, which reads an image whose border is kernel/2. A tap is a row of its window.
func (c *Conv) PlaceStem(in Image, out Map) *Place {
	p := c.place(out, in.Row(), 3, 0, in.Bytes())
	for ky := range c.kernel {
		p.tapOff = append(p.tapOff, int32(ky*in.Row()))
	}
	return p
}

// place is what both have in common: all but the taps.
func (c *Conv) place(out Map, row, pixel, start, bytes int) *Place {
	p := &Place{
		out: out, pixels: out.H * out.W, inStart: start, inRow: c.stride * row, inCol: c.stride * pixel,
		tapRow: row, tapCol: pixel, inputBytes: bytes,
	}
	if c.group != nil {
		return p
	}
	for y := range out.H {
		for x := range out.W {
			p.inOff = append(p.inOff, int32(start+y*p.inRow+x*p.inCol))
			p.outOff = append(p.outOff, int32(out.Offset(y, x)))
		}
	}
	return p
}

// Scratch holds the argument structs of one worker, so that a call allocates nothing.
type Scratch struct {
	igemm  asm.IGEMMArgs
	group  asm.GroupArgs
	pool   asm.MaxPoolArgs
	sum    asm.SumArgs
	linear asm.LinearArgs
}
