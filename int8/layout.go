// Package int8 holds 8-bit activation maps and the operators on them: convolutions (1x1, grouped and dense
// 3x3, the stem), pooling, gates and the classifier, with the packing of weights that each CPU's kernels want.
// It does not depend on files, networks or calibration. It serves package resnext, is no interface, and may change at
// any time.
//
// Importers call it i8, since its name is that of a builtin type.
package int8

import "math"

// MaxBytes is the largest size of a map or an image. Kernels find pixels by int32 offsets, and an int of a 32-bit CPU
// holds no more. Whoever takes sizes from a file compares Size with it before anything else is called.
const MaxBytes = math.MaxInt32

// Layout places the channels of a map in memory. Channels come in groups; each group is padded to a width
// that the kernels like, and the whole to a multiple of 16. Padding channels may hold anything: they meet
// zero weights, so nobody outside sees them.
type Layout struct {
	// Groups groups of Width channels, each group taking Padded bytes of a pixel.
	Groups, Width, Padded int
	// Total is the number of bytes of a pixel.
	Total int
}

// Flat is the layout of n channels in one group.
func Flat(n int) Layout { return layout(1, n, n) }

// Grouped is the layout of n channels that a grouped convolution reads or writes; groups divides n.
// Groups of up to 4 channels take 4 bytes; wider ones a multiple of 8.
func Grouped(n, groups int) Layout {
	if groups == 1 {
		return Flat(n)
	}
	width := n / groups
	if width <= 4 {
		return layout(groups, width, 4)
	}
	return layout(groups, width, roundUp(width, 8))
}

func layout(groups, width, padded int) Layout {
	return Layout{Groups: groups, Width: width, Padded: padded, Total: roundUp(groups*padded, 16)}
}

// Channels is the number of channels without padding.
func (l Layout) Channels() int { return l.Groups * l.Width }

// At is the place of channel c within a pixel.
func (l Layout) At(c int) int { return c/l.Width*l.Padded + c%l.Width }

// Map is the shape of an activation map in memory: H rows of W pixels, NHWC, with Border pixels of the
// value 0 on every side so that windows need no branches.
type Map struct {
	H, W   int
	Border int
	Layout Layout
}

// Row is the distance in bytes from one row to the next.
func (m Map) Row() int { return (m.W + 2*m.Border) * m.Layout.Total }

// Offset is the place of pixel (y, x) in the buffer; the border has negative coordinates.
func (m Map) Offset(y, x int) int {
	return (y+m.Border)*m.Row() + (x+m.Border)*m.Layout.Total
}

// Size is the buffer's size in bytes. It does not overflow for sides and borders up to 2^15 and 2^20 bytes a pixel.
func (m Map) Size() int64 {
	return int64(m.H+2*m.Border) * int64(m.W+2*m.Border) * int64(m.Layout.Total)
}

// Bytes is Size, for maps of at most MaxBytes.
func (m Map) Bytes() int { return int(m.Size()) }

// ClearBorder sets the border to the value 0, held with the kernel set's InputFlip, flip.
func (m Map) ClearBorder(buf []byte, flip byte) {
	if m.Border == 0 {
		return
	}
	edge := m.Border * m.Layout.Total
	fill(buf[:m.Border*m.Row()], flip)
	for y := range m.H {
		row := buf[(y+m.Border)*m.Row():][:m.Row()]
		fill(row[:edge], flip)
		fill(row[len(row)-edge:], flip)
	}
	fill(buf[(m.H+m.Border)*m.Row():m.Bytes()], flip)
}

// Values reads the real channels of the map, [H][W][Channels], in steps. signed says that the bytes are
// signed ones; else they are held with the kernel set's InputFlip, flip.
func (m Map) Values(buf []byte, flip byte, signed bool) []float32 {
	values := make([]float32, 0, m.H*m.W*m.Layout.Channels())
	for y := range m.H {
		for x := range m.W {
			px := buf[m.Offset(y, x):][:m.Layout.Total]
			for c := range m.Layout.Channels() {
				b := px[m.Layout.At(c)]
				if signed {
					values = append(values, float32(int8(b)))
				} else {
					values = append(values, float32(b^flip))
				}
			}
		}
	}
	return values
}

func fill(b []byte, v byte) {
	if v == 0 {
		clear(b)
		return
	}
	if len(b) > 0 {
		b[0] = v
	}
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }
