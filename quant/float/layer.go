package float

import (
	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/resnext"
)

// blockFloats is the number of input elements that are multiplied with one panel of weights after the
// other: 128 KiB, so that they stay in a core's second-level cache together with the panel.
const blockFloats = 32 << 10

// layer is a convolution made ready to run at one map size.
type layer struct {
	shape resnext.ConvShape
	*packedConv
	// taps are the offsets of the window's elements in the source, and k how many consecutive ones are
	// taken at each, 0 for as many as the panel has input channels.
	taps []int
	k    int
	// rows is the number of output rows that are made together from a bordered copy of their input. It
	// is 0 for a 1x1 convolution, which needs no border and no copy.
	rows int
}

// newLayer plans a convolution.
//
// A larger window reads from a copy of some input rows with a border of zeros. In it the window's
// elements lie at fixed offsets from the output pixel's corner, so the product with gathered rows is the
// convolution; nothing is spread out (im2col). Without groups a row of the window is consecutive and is
// one tap.
func newLayer(s resnext.ConvShape, p *packedConv) layer {
	l := layer{shape: s, packedConv: p}
	if s.Kernel == 1 {
		l.taps = []int{0}
		return l
	}
	pitch := (s.InW + 2*(s.Kernel/2)) * s.In
	l.rows = bandRows(s, pitch)
	l.taps = windowTaps(s, pitch)
	if s.Groups == 1 {
		l.k = s.Kernel * s.In
	}
	return l
}

// windowTaps are the offsets of a window's taps where its rows are pitch elements apart.
func windowTaps(s resnext.ConvShape, pitch int) (taps []int) {
	for ky := range s.Kernel {
		if s.Groups == 1 {
			taps = append(taps, ky*pitch)
			continue
		}
		for kx := range s.Kernel {
			taps = append(taps, ky*pitch+kx*s.In)
		}
	}
	return taps
}

// bandRows chooses how many output rows share a bordered copy: about blockFloats of input, and
// preferably whole tiles.
func bandRows(s resnext.ConvShape, pitch int) int {
	rows := max(1, (blockFloats/pitch-s.Kernel)/s.Stride+1)
	whole := 1
	for whole*s.OutW%asm.SgemmRows != 0 {
		whole++
	}
	if rows > whole {
		rows -= rows % whole
	}
	return min(rows, s.OutH)
}

// workspace is the scratch memory that a runner's layers use in turn.
type workspace struct {
	source []float32 // bordered input rows
	rows   []int
	// args lives here and not on the stack, where each use would clear it.
	args asm.SgemmArgs
}

// newWorkspace makes one that is large enough for each of the layers.
func newWorkspace(layers []*layer) workspace {
	source, rows := 0, 0
	for _, l := range layers {
		rows = max(rows, l.pixels())
		if l.rows > 0 {
			source = max(source, l.sourceRows(l.rows)*l.pitch())
		}
	}
	return workspace{source: make([]float32, source), rows: make([]int, rows)}
}

// pixels is the largest number of output pixels that the layer makes together.
func (l *layer) pixels() int {
	s := l.shape
	if l.rows > 0 {
		return l.rows * s.OutW
	}
	n := max(1, blockFloats/s.In/asm.SgemmRows) * asm.SgemmRows
	return min(n, s.OutH*s.OutW)
}

// pitch is the length of a row with its border, in elements.
func (l *layer) pitch() int { return (l.shape.InW + 2*(l.shape.Kernel/2)) * l.shape.In }

// sourceRows is the number of input rows that so many output rows read.
func (l *layer) sourceRows(rows int) int { return (rows-1)*l.shape.Stride + l.shape.Kernel }

// run computes the layer from x, [InH][InW][In], into y, [OutH][OutW][Out]; add adds what y held before
// the ReLU.
func (l *layer) run(w *workspace, x, y []float32, add bool) {
	if l.rows > 0 {
		l.runWindow(w, x, y, add)
		return
	}
	s, block := l.shape, l.pixels()
	for first, total := 0, s.OutH*s.OutW; first < total; first += block {
		rows := w.rows[:min(block, total-first)]
		oy, ox := first/s.OutW, first%s.OutW
		for i := range rows {
			rows[i] = (oy*s.InW + ox) * s.Stride * s.In
			if ox++; ox == s.OutW {
				oy, ox = oy+1, 0
			}
		}
		l.multiply(w, x, rows, l.taps, y[first*s.Out:], add)
	}
}

// runWindow is run for windows larger than one pixel.
func (l *layer) runWindow(w *workspace, x, y []float32, add bool) {
	s, pitch := l.shape, l.pitch()
	for first := 0; first < s.OutH; first += l.rows {
		n := min(l.rows, s.OutH-first)
		l.border(w.source, x, first*s.Stride-s.Kernel/2, l.sourceRows(n))
		rows := w.rows[:n*s.OutW]
		for i := range rows {
			rows[i] = i/s.OutW*s.Stride*pitch + i%s.OutW*s.Stride*s.In
		}
		l.multiply(w, w.source, rows, l.taps, y[first*s.OutW*s.Out:], add)
	}
}

// border copies n rows of x, from row first on, with zeros around them and in place of rows outside.
func (l *layer) border(dst, x []float32, first, n int) {
	s, pitch := l.shape, l.pitch()
	side, width := s.Kernel/2*s.In, s.InW*s.In
	for i := range n {
		row := dst[i*pitch:][:pitch]
		if iy := first + i; iy < 0 || iy >= s.InH {
			clear(row)
		} else {
			clear(row[:side])
			copy(row[side:], x[iy*width:][:width])
			clear(row[side+width:])
		}
	}
}

// multiply computes the output pixels at c whose windows begin at rows of a and have their elements at taps.
func (l *layer) multiply(w *workspace, a []float32, rows, taps []int, c []float32, add bool) {
	g := &w.args
	*g = asm.SgemmArgs{Rows: rows, Taps: taps, K: l.k, Stride: l.shape.Out, Add: add, ReLU: l.shape.ReLU}
	for i := range l.panels {
		p := &l.panels[i]
		g.A, g.B, g.Bias, g.C, g.Cols = a[p.in:], p.weight, p.bias, c[p.out:], p.cols
		if l.k == 0 {
			g.K = p.k
		}
		asm.Sgemm(g)
	}
	*g = asm.SgemmArgs{}
}
