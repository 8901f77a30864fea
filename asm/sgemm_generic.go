package asm

import "math"

// Sgemm's tile: rows of A that are multiplied together, and columns of a packed panel of B.
const (
	SgemmRows = 6
	SgemmCols = 16
)

// SgemmArgs is one float32 product of gathered rows with a packed panel of B, the whole of a
// convolution for 16 output channels: for every row m of Rows and column n < Cols
//
//	sum = Bias[n]
//	for t := range Taps { for k := range K { sum += A[Rows[m]+Taps[t]+k] * B[(t*K+k)*16+n] } }
//	if Add  { sum += C[m*Stride+n] }
//	if ReLU { sum = max(sum, 0) }
//	C[m*Stride+n] = sum
//
// The order of the additions and the use of fused multiply-adds depend on the machine, not on the number
// of rows: on one machine equal inputs give equal bits. NaN goes through ReLU unchanged. A and C must
// not overlap. Nothing outside the elements named above is read or written, but for B and Bias, whose
// rows are always read whole.
type SgemmArgs struct {
	A []float32
	// Rows gives the element of A at which each row starts.
	Rows []int
	// Taps gives offsets in elements that are added to every row: the window of a convolution. At least one.
	Taps []int
	// K is the number of consecutive elements taken at each tap, at least 1.
	K int
	// B is [len(Taps)][K][16].
	B []float32
	// Bias is [16].
	Bias []float32
	C    []float32
	// Stride is the distance between rows of C, in elements.
	Stride int
	// Cols is the number of columns that are stored, 1 to 16.
	Cols int
	// Add adds what C holds already.
	Add bool
	// ReLU clamps at 0 from below.
	ReLU bool
}

// sgemmTile is what the micro-kernels take: tiles runs of 6 rows and 16 columns, checked by Sgemm.
// floor is 0 for ReLU and -Inf without. The assembly reads the slices' addresses and the length of taps.
// It counts tiles down, and in done the bytes of c that it has passed: a pointer kept here might leave c's
// memory after the last tile, which the garbage collector does not allow.
type sgemmTile struct {
	a      []float32
	rows   []int
	taps   []int
	k      int
	b      []float32
	bias   []float32
	c      []float32
	stride int
	tiles  int
	done   int
	add    bool
	floor  float32
}

// Sgemm computes g. It panics, like a slice expression, if an element lies outside its slice.
func Sgemm(g *SgemmArgs) {
	if len(g.Rows) == 0 {
		return
	}
	g.check()
	t := sgemmTile{a: g.A, taps: g.Taps, k: g.K, b: g.B, bias: g.Bias, add: g.Add, floor: float32(math.Inf(-1))}
	if g.ReLU {
		t.floor = 0
	}
	m := 0
	if full := len(g.Rows) / SgemmRows; full > 0 && g.Cols == SgemmCols {
		t.rows, t.c, t.stride, t.tiles = g.Rows, g.C, g.Stride, full
		sgemmTiles(&t)
		m = full * SgemmRows
	}
	for ; m < len(g.Rows); m += SgemmRows {
		g.edge(t, m)
	}
}

// check panics unless all that g names lies within its slices.
func (g *SgemmArgs) check() {
	minRow, maxRow := bounds(g.Rows)
	minTap, maxTap := bounds(g.Taps)
	if g.K < 1 || g.Cols < 1 || g.Cols > SgemmCols || g.Stride < 0 {
		panic("asm: Sgemm: impossible K, Cols or Stride")
	}
	_ = g.A[minRow+minTap:][:1]
	_ = g.A[maxRow+maxTap : maxRow+maxTap+g.K]
	_ = g.B[:len(g.Taps)*g.K*SgemmCols]
	_ = g.Bias[:SgemmCols]
	_ = g.C[:(len(g.Rows)-1)*g.Stride+g.Cols]
}

// bounds finds the least and the greatest of x, which must not be empty.
func bounds(x []int) (lo, hi int) {
	lo, hi = x[0], x[0]
	for _, v := range x[1:] {
		lo, hi = min(lo, v), max(hi, v)
	}
	return lo, hi
}

// edge computes the rows from m on, 6 at most, through a full tile of its own: where rows or columns are
// too few for a whole one.
func (g *SgemmArgs) edge(t sgemmTile, m int) {
	var rows [SgemmRows]int
	var tile [SgemmRows * SgemmCols]float32
	n := min(SgemmRows, len(g.Rows)-m)
	for i := range rows {
		rows[i] = g.Rows[m+min(i, n-1)]
	}
	if g.Add {
		for i := range n {
			copy(tile[i*SgemmCols:][:g.Cols], g.C[(m+i)*g.Stride:])
		}
	}
	t.rows, t.c, t.stride, t.tiles, t.done = rows[:], tile[:], SgemmCols, 1, 0
	sgemmTiles(&t)
	for i := range n {
		copy(g.C[(m+i)*g.Stride:][:g.Cols], tile[i*SgemmCols:])
	}
}

// sgemmTilesGo is the portable micro-kernel.
func sgemmTilesGo(t *sgemmTile) {
	for i := range t.tiles {
		rows := t.rows[i*SgemmRows:][:SgemmRows]
		c := t.c[i*SgemmRows*t.stride:]
		for r := 0; r < SgemmRows; r += 2 {
			for n := 0; n < SgemmCols; n += 4 {
				sum0, sum1 := t.dot2x4(rows[r], rows[r+1], n)
				t.finish(c[r*t.stride+n:][:4], sum0)
				t.finish(c[(r+1)*t.stride+n:][:4], sum1)
			}
		}
	}
}

// dot2x4 returns the sums of two rows in columns n to n+3, kept in registers.
func (t *sgemmTile) dot2x4(row0, row1, n int) (r0, r1 [4]float32) {
	b0, b1, b2, b3 := t.bias[n], t.bias[n+1], t.bias[n+2], t.bias[n+3]
	c0, c1, c2, c3 := b0, b1, b2, b3
	b := t.b[n:]
	for _, tap := range t.taps {
		x, y := t.a[row0+tap:][:t.k], t.a[row1+tap:][:t.k]
		for k, xk := range x {
			w, yk := b[k*SgemmCols:][:4:4], y[k]
			b0 += xk * w[0]
			b1 += xk * w[1]
			b2 += xk * w[2]
			b3 += xk * w[3]
			c0 += yk * w[0]
			c1 += yk * w[1]
			c2 += yk * w[2]
			c3 += yk * w[3]
		}
		b = b[min(t.k*SgemmCols, len(b)):]
	}
	return [4]float32{b0, b1, b2, b3}, [4]float32{c0, c1, c2, c3}
}

// finish adds c if asked, clamps from below and stores.
func (t *sgemmTile) finish(c []float32, sum [4]float32) {
	for i, v := range sum {
		if t.add {
			v += c[i]
		}
		if v < t.floor {
			v = t.floor
		}
		c[i] = v
	}
}
