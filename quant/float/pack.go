package float

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/resnext"
)

// packedConv is a convolution's weights in the order in which asm.Sgemm reads them: panels of up to 16
// output channels.
//
// Where groups are narrower than a panel, several share one: its weights are block-diagonal, zero between
// an output channel and the inputs of other groups. At 4 channels a group three products of four are with
// zeros, and it is still many times faster than one small product for each group. (An infinite activation
// makes NaN in the groups that share its panel; a network that overflows float32 is lost anyway.)
type packedConv struct {
	panels []panel
}

// panel is the part of a convolution that makes the output channels out to out+cols-1.
type panel struct {
	out, cols int
	// in and k are the first input channel that the panel reads, and how many.
	in, k int
	// weight is [Kernel*Kernel][k][16], bias [16]; columns from cols on are zero.
	weight []float32
	bias   []float32
}

// packConv packs c. It panics if the slices do not have the size that the shape tells: the networks made
// in this package have it.
func packConv(c *Conv) *packedConv {
	if len(c.Weight) != c.Shape.Weights() || len(c.Bias) != c.Shape.Out {
		panic(fmt.Sprintf("float: %s has %d weights and %d biases, its shape needs %d and %d",
			c.Shape.Name, len(c.Weight), len(c.Bias), c.Shape.Weights(), c.Shape.Out))
	}
	p := &packedConv{panels: layPanels(c.Shape)}
	taps := c.Shape.Kernel * c.Shape.Kernel
	size := 0
	for _, q := range p.panels {
		size += (taps*q.k + 1) * asm.SgemmCols
	}
	store := alignedFloats(size)
	take := func(n int) []float32 {
		s := store[:n:n]
		store = store[n:]
		return s
	}
	for i := range p.panels {
		q := &p.panels[i]
		q.weight, q.bias = take(taps*q.k*asm.SgemmCols), take(asm.SgemmCols)
		copy(q.bias, c.Bias[q.out:q.out+q.cols])
		q.fill(c)
	}
	return p
}

// layPanels divides the output channels into panels. A panel holds whole groups if they fit, else a part
// of one group.
func layPanels(s resnext.ConvShape) []panel {
	inWidth, outWidth := s.In/s.Groups, s.Out/s.Groups
	perPanel := max(1, asm.SgemmCols/outWidth)
	var panels []panel
	for g := 0; g < s.Groups; g += perPanel {
		groups := min(perPanel, s.Groups-g)
		end := (g + groups) * outWidth
		for out := g * outWidth; out < end; out += asm.SgemmCols {
			panels = append(panels, panel{
				out: out, cols: min(asm.SgemmCols, end-out), in: g * inWidth, k: groups * inWidth,
			})
		}
	}
	return panels
}

// fill writes the panel's columns; weight must be zero before.
func (p *panel) fill(c *Conv) {
	s := c.Shape
	inWidth, outWidth := s.In/s.Groups, s.Out/s.Groups
	taps := s.Kernel * s.Kernel
	for n := range p.cols {
		out := p.out + n
		first := out/outWidth*inWidth - p.in // of the channel's own group within the panel's inputs
		for t := range taps {
			w := c.Weight[(out*taps+t)*inWidth:][:inWidth]
			column := p.weight[(t*p.k+first)*asm.SgemmCols+n:]
			for i, v := range w {
				column[i*asm.SgemmCols] = v
			}
		}
	}
}

// alignedFloats gives n zeros that begin a cache line, so that no load of a panel crosses one.
func alignedFloats(n int) []float32 {
	const line = 16
	s := make([]float32, n+line)
	skip := -int(uintptr(unsafe.Pointer(&s[0]))/4) & (line - 1)
	return s[skip : skip+n : skip+n]
}

// fingerprint tells weights and biases apart from changed ones.
func fingerprint(c *Conv) uint64 {
	h := uint64(len(c.Weight))
	for _, s := range [][]float32{c.Weight, c.Bias} {
		for _, v := range s {
			h = (h ^ uint64(math.Float32bits(v))) * 0x9e3779b97f4a7c15
			h ^= h >> 29
		}
	}
	return h
}
