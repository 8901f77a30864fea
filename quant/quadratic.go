package quant

import (
	"cmp"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
)

// quadratic is the form e^T H e by which errors e of a filter's weights count: H is the covariance of the
// filter's inputs. The mean is not part of it, because a bias makes good what an error does to that.
type quadratic struct {
	k     int
	h     []float64 // [k][k]
	order []int     // the weights as factor has them: the least varying input first
	// factor is the upper triangle R of H = R^T R in that order, [k][k].
	factor []float64
}

// newQuadratic takes over h and adds ridge times its mean diagonal to the diagonal, since calibration images do
// not show everything; and more where that leaves it without a factor.
func newQuadratic(h []float64, k int, ridge float64) *quadratic {
	q := &quadratic{k: k, h: h, order: make([]int, k)}
	trace := 0.0
	for i := range k {
		q.order[i] = i
		trace += h[i*k+i]
	}
	slices.SortStableFunc(q.order, func(a, b int) int { return cmp.Compare(h[a*k+a], h[b*k+b]) })
	step := ridge * trace / float64(k)
	if !(step > 0) { // nothing varies
		step = 1
	}
	for {
		for i := range k {
			h[i*k+i] += step
		}
		if q.factorise() {
			return q
		}
		step *= 10
	}
}

// stiffer is the form with more on its diagonal.
func (q *quadratic) stiffer(ridge float64) *quadratic {
	return newQuadratic(slices.Clone(q.h), q.k, ridge)
}

func (q *quadratic) factorise() bool {
	k := q.k
	q.factor = make([]float64, k*k)
	for i, at := range q.order {
		row := q.h[at*k:][:k]
		for j := i; j < k; j++ {
			q.factor[i*k+j] = row[q.order[j]]
		}
	}
	_, ok := lapack64.Potrf(blas64.Symmetric{N: k, Stride: k, Data: q.factor, Uplo: blas.Upper})
	return ok
}

// solve gives H^-1 x for x of n columns, [k][n].
func (q *quadratic) solve(x []float64, n int) []float64 {
	y, z := make([]float64, len(x)), make([]float64, len(x))
	for i, at := range q.order {
		copy(y[i*n:][:n], x[at*n:])
	}
	t := blas64.Triangular{N: q.k, Stride: q.k, Data: q.factor, Uplo: blas.Upper, Diag: blas.NonUnit}
	b := blas64.General{Rows: q.k, Cols: n, Stride: n, Data: y}
	blas64.Trsm(blas.Left, blas.Trans, 1, t, b)
	blas64.Trsm(blas.Left, blas.NoTrans, 1, t, b)
	for i, at := range q.order {
		copy(z[at*n:][:n], y[i*n:])
	}
	return z
}

// multiply gives y = H x.
func (q *quadratic) multiply(y, x []float64) {
	clear(y)
	for i, v := range x {
		if v != 0 {
			addScaled(y, v, q.h[i*q.k:][:q.k])
		}
	}
}

// importance is how much the square of each weight's error counts once the weights that are rounded after it
// have made good what they can.
func (q *quadratic) importance() []float64 {
	v := make([]float64, q.k)
	for i, at := range q.order {
		r := q.factor[i*q.k+i]
		v[at] = r * r
	}
	return v
}

// addScaled computes y += a x.
func addScaled(y []float64, a float64, x []float64) {
	blas64.Axpy(a, blas64.Vector{N: len(x), Inc: 1, Data: x}, blas64.Vector{N: len(x), Inc: 1, Data: y})
}

// dot is the sum of products.
func dot(x, y []float64) float64 {
	return blas64.Dot(blas64.Vector{N: len(x), Inc: 1, Data: x}, blas64.Vector{N: len(x), Inc: 1, Data: y})
}
