package pass

import (
	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/internal/parallel"
	"github.com/libresnext/libresnext/quant/round"
)

// Covariances measures every group of the layer. Sums over x are of integers and exact, and the others are added up
// in the order of the rows: they are the same on any number of threads.
func (p *patches) Covariances(threads int) []*round.Covariance {
	s := p.shape
	k, filters := s.Weights()/s.Out, s.Out/s.Groups
	groups := make([]*round.Covariance, s.Groups)
	for g := range groups {
		groups[g] = round.NewCovariance(p.rows(), k, filters)
	}
	shares := 1 // of a group's columns
	if s.Groups == 1 {
		shares = parallel.Workers(threads, panels(k))
	}
	parallel.For(s.Groups*shares, threads, func(i int) {
		newAdder(p, groups[i/shares], i/shares).run(i%shares, shares)
	})
	parallel.For(s.Groups, threads, func(g int) { groups[g].Centre() })
	return groups
}

// panels is the number of panels that columns take.
func panels(columns int) int { return (columns + asm.SgemmCols - 1) / asm.SgemmCols }

// adder sums products up by asm.Sgemm, chunkRows pixels at a time.
type adder struct {
	*patches
	to     *round.Covariance
	group  int
	inputs []float32 // [K][chunkRows]
	panel  []float32 // [chunkRows][16]
	sums   []float32 // [K][16]
	starts []int     // of the rows of inputs
	args   asm.SgemmArgs
}

// chunkRows keeps the sums of products of 8-bit integers below 2^24: exact in float32.
const chunkRows = 256

func newAdder(p *patches, to *round.Covariance, group int) *adder {
	k := len(to.Mean)
	a := &adder{
		patches: p, to: to, group: group, inputs: make([]float32, k*chunkRows),
		panel: make([]float32, chunkRows*asm.SgemmCols), sums: make([]float32, k*asm.SgemmCols), starts: make([]int, k),
	}
	for i := range a.starts {
		a.starts[i] = i * chunkRows
	}
	a.args = asm.SgemmArgs{A: a.inputs, Taps: []int{0}, B: a.panel, Bias: make([]float32, asm.SgemmCols),
		C: a.sums, Stride: asm.SgemmCols, Cols: asm.SgemmCols}
	return a
}

// run adds every shares-th panel of columns.
func (a *adder) run(share, shares int) {
	k, filters := len(a.to.Mean), len(a.to.Errors)
	for first := 0; first < a.rows(); first += chunkRows {
		n := min(chunkRows, a.rows()-first)
		for i := range n {
			a.read(a.inputs[i:], chunkRows, a.group, first+i)
		}
		a.args.K = n
		for p := share; p < panels(k); p += shares {
			a.addInputs(p * asm.SgemmCols)
		}
		for p := share; p < panels(filters); p += shares {
			a.addErrors(first, p*asm.SgemmCols)
		}
	}
}

// addInputs adds the columns of square from c on, in its lower half, and of mean.
func (a *adder) addInputs(c int) {
	k, n := len(a.to.Mean), a.args.K
	clear(a.panel)
	columns := min(asm.SgemmCols, k-c)
	for j := range columns {
		sum := 0.0
		for i, v := range a.inputs[(c+j)*chunkRows:][:n] {
			a.panel[i*asm.SgemmCols+j] = v
			sum += float64(v)
		}
		a.to.Mean[c+j] += sum
	}
	a.multiply(a.to.Square, k, c, columns, c)
}

// addErrors adds the columns of cross from c on, and of errors and power; first is the chunk's first row.
func (a *adder) addErrors(first, c int) {
	filters := len(a.to.Errors)
	clear(a.panel)
	columns := min(asm.SgemmCols, filters-c)
	for i := range a.args.K {
		e := a.errors[(first+i)*a.shape.Out+a.group*filters+c:][:columns]
		copy(a.panel[i*asm.SgemmCols:], e)
		for j, v := range e {
			a.to.Errors[c+j] += float64(v)
			a.to.Power[c+j] += float64(v) * float64(v)
		}
	}
	a.multiply(a.to.Cross, filters, c, columns, 0)
}

// multiply adds the products of the inputs from row on with the panel to columns c and following of sum.
func (a *adder) multiply(sum []float64, stride, c, columns, row int) {
	a.args.Rows = a.starts[row:]
	asm.Sgemm(&a.args)
	for i := range a.args.Rows {
		dst := sum[(row+i)*stride+c:][:columns]
		for j, v := range a.sums[i*asm.SgemmCols:][:columns] {
			dst[j] += float64(v)
		}
	}
}
