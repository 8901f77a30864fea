package int8

import "github.com/libresnext/libresnext/asm"

// MaxPool is a 3x3 max pooling of stride 1 or 2 and padding 1 from one map to another. The input needs a border
// of 1, which may hold the value 0 because activations are never below it.
type MaxPool struct {
	kernels *asm.Kernels
	in, out Map
	stride  int
}

// NewMaxPool makes a MaxPool. in and out have the same layout; each side of out is in's for the stride 1, in pixels, and
// half of it, rounded up, for 2.
func NewMaxPool(k *asm.Kernels, in, out Map, stride int) *MaxPool {
	return &MaxPool{k, in, out, stride}
}

// Tasks is the number of independent tasks: one a row.
func (m *MaxPool) Tasks() int { return m.out.H }

// Run executes one of Tasks tasks.
func (m *MaxPool) Run(in, out []byte, task, tasks int, s *Scratch) {
	rows := share(m.out.H, task, tasks)
	if rows.from == rows.to {
		return
	}
	a := &s.pool
	*a = asm.PoolArgs{
		In: &in[m.in.Offset(m.stride*rows.from-1, -1)], InRow: m.stride * m.in.Row(), InCol: m.stride * m.in.Layout.Total,
		TapRow: m.in.Row(), TapCol: m.in.Layout.Total,
		Out: &out[m.out.Offset(rows.from, 0)], OutRow: m.out.Row(), OutCol: m.out.Layout.Total,
		Rows: rows.to - rows.from, Cols: m.out.W, Channels: m.in.Layout.Total,
	}
	m.kernels.MaxPool(a)
}

// AveragePool is a 2x2 average pooling of stride 2 without padding from one map to another, rounded half to even. Where
// a side of the input is odd, the windows at its end reach over it (ceil mode) and average the pixels inside; the border
// does not count.
type AveragePool struct {
	kernels *asm.Kernels
	in, out Map
}

// NewAveragePool makes an AveragePool. in and out have the same layout and any borders; each side of out is half of in's,
// rounded up.
func NewAveragePool(k *asm.Kernels, in, out Map) *AveragePool { return &AveragePool{k, in, out} }

// Tasks is the number of independent tasks: one a row.
func (m *AveragePool) Tasks() int { return m.out.H }

// Run executes one of Tasks tasks.
func (m *AveragePool) Run(in, out []byte, task, tasks int, s *Scratch) {
	rows := share(m.out.H, task, tasks)
	whole, inside := m.in.H/2, m.in.W/2 // rows and columns of windows that reach over no edge
	for _, r := range [...]interval{{rows.from, min(rows.to, whole)}, {max(rows.from, whole), rows.to}} {
		for _, c := range [...]interval{{0, inside}, {inside, m.out.W}} {
			if r.from < r.to && c.from < c.to {
				m.windows(in, out, r, c, s)
			}
		}
	}
}

// windows pools windows of which all or none reach over the last row, and likewise over the last column.
func (m *AveragePool) windows(in, out []byte, rows, cols interval, s *Scratch) {
	a := &s.pool
	*a = asm.PoolArgs{
		In: &in[m.in.Offset(2*rows.from, 2*cols.from)], InRow: 2 * m.in.Row(), InCol: 2 * m.in.Layout.Total,
		TapRow: m.in.Row(), TapCol: m.in.Layout.Total,
		Out: &out[m.out.Offset(rows.from, cols.from)], OutRow: m.out.Row(), OutCol: m.out.Layout.Total,
		Rows: rows.to - rows.from, Cols: cols.to - cols.from, Channels: m.in.Layout.Total,
	}
	if 2*rows.to > m.in.H {
		a.TapRow = 0
	}
	if 2*cols.to > m.in.W {
		a.TapCol = 0
	}
	m.kernels.AveragePool(a)
}

// Blur is the 3x3 binomial filter, [1 2 1] by [1 2 1] sixteenths, of stride 2 from one map to another, rounded half to
// even. The centre of output pixel (y, x) is input pixel (2y, 2x). The edges reflect without repeating their pixel: the
// row above row 0 is row 1, and the one below the last is the last but one; a side of one pixel has that pixel all
// around. The border does not count.
type Blur struct {
	kernels *asm.Kernels
	in, out Map
}

// NewBlur makes a Blur. in and out have the same layout and any borders; each side of out, in pixels, is half of in's,
// rounded up.
func NewBlur(k *asm.Kernels, in, out Map) *Blur { return &Blur{k, in, out} }

// Tasks is the number of independent tasks: one a row.
func (m *Blur) Tasks() int { return m.out.H }

// Run executes one of Tasks tasks.
func (m *Blur) Run(in, out []byte, task, tasks int, s *Scratch) {
	rows := share(m.out.H, task, tasks)
	for _, r := range blurParts(m.in.H) {
		r = interval{max(r.from, rows.from), min(r.to, rows.to)}
		for _, c := range blurParts(m.in.W) {
			if r.from < r.to && c.from < c.to {
				m.windows(in, out, r, c, s)
			}
		}
	}
}

// blurParts cuts the output pixels of a side of the input, in pixels, into those whose windows reach over its beginning,
// over neither end and over its last pixel only. A part may be empty. The last is where the side is odd.
func blurParts(side int) [3]interval {
	inside := max(1, side/2)
	return [...]interval{{0, 1}, {1, inside}, {inside, (side + 1) / 2}}
}

// windows filters windows of one part of the rows and one of the columns.
func (m *Blur) windows(in, out []byte, rows, cols interval, s *Scratch) {
	a := &s.blur
	*a = asm.BlurArgs{
		In: &in[m.in.Offset(2*rows.from, 2*cols.from)], InRow: 2 * m.in.Row(), InCol: 2 * m.in.Layout.Total,
		Out: &out[m.out.Offset(rows.from, cols.from)], OutRow: m.out.Row(), OutCol: m.out.Layout.Total,
		Rows: rows.to - rows.from, Cols: cols.to - cols.from, Channels: m.in.Layout.Total,
	}
	a.Up, a.Down = reflected(2*rows.from, m.in.H, m.in.Row())
	a.Left, a.Right = reflected(2*cols.from, m.in.W, m.in.Layout.Total)
	m.kernels.Blur(a)
}

// reflected gives the offsets from pixel at of a side to its neighbours before and after it, in the unit of step, which
// leads from a pixel to the next.
func reflected(at, side, step int) (before, after int) {
	switch {
	case side == 1:
		return 0, 0
	case at == 0:
		return step, step
	case at == side-1:
		return -step, -step
	}
	return -step, step
}
