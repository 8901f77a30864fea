package round

import (
	"cmp"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
)

// hessian is H in e^T H e, the error of a filter's output by errors e of its weights: the covariance of the filter's
// inputs (half the Hessian of that error, in GPTQ's words). Their mean is no part of it, since the bias corrects
// what e does to the mean.
type hessian struct {
	k     int
	h     []float64 // [k][k]
	order []int     // the weights as factor has them: the least varying input first
	// factor is the upper triangle R of H = R^T R in that order, [k][k].
	factor []float64
}

// newHessian takes over h and adds damping times its mean diagonal to the diagonal, since calibration images do
// not show everything; and more until h has a factor.
func newHessian(h []float64, k int, damping float64) *hessian {
	m := &hessian{k: k, h: h, order: make([]int, k)}
	trace := 0.0
	for i := range k {
		m.order[i] = i
		trace += h[i*k+i]
	}
	slices.SortStableFunc(m.order, func(a, b int) int { return cmp.Compare(h[a*k+a], h[b*k+b]) })
	step := damping * trace / float64(k)
	if !(step > 0) { // nothing varies
		step = 1
	}
	for {
		for i := range k {
			h[i*k+i] += step
		}
		if m.factorise() {
			return m
		}
		step *= 10
	}
}

// damped returns H with more on its diagonal.
func (h *hessian) damped(damping float64) *hessian {
	return newHessian(slices.Clone(h.h), h.k, damping)
}

func (h *hessian) factorise() bool {
	k := h.k
	h.factor = make([]float64, k*k)
	for i, at := range h.order {
		row := h.h[at*k:][:k]
		for j := i; j < k; j++ {
			h.factor[i*k+j] = row[h.order[j]]
		}
	}
	_, ok := lapack64.Potrf(blas64.Symmetric{N: k, Stride: k, Data: h.factor, Uplo: blas.Upper})
	return ok
}

// solve returns H^-1 x for x of n columns, [k][n].
func (h *hessian) solve(x []float64, n int) []float64 {
	y, z := make([]float64, len(x)), make([]float64, len(x))
	for i, at := range h.order {
		copy(y[i*n:][:n], x[at*n:])
	}
	t := blas64.Triangular{N: h.k, Stride: h.k, Data: h.factor, Uplo: blas.Upper, Diag: blas.NonUnit}
	b := blas64.General{Rows: h.k, Cols: n, Stride: n, Data: y}
	blas64.Trsm(blas.Left, blas.Trans, 1, t, b)
	blas64.Trsm(blas.Left, blas.NoTrans, 1, t, b)
	for i, at := range h.order {
		copy(z[at*n:][:n], y[i*n:])
	}
	return z
}

// multiply computes y = H x.
func (h *hessian) multiply(y, x []float64) {
	clear(y)
	for i, v := range x {
		if v != 0 {
			addScaled(y, v, h.h[i*h.k:][:h.k])
		}
	}
}

// importance is how much the square of each weight's error counts once the weights that are rounded after it
// have compensated for it as far as they can.
func (h *hessian) importance() []float64 {
	v := make([]float64, h.k)
	for i, at := range h.order {
		r := h.factor[i*h.k+i]
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
