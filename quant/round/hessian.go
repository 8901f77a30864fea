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
	// factor is the upper triangle R of H = R^T R in that order, [k][k], and single is H: for asm.Sgemm.
	factor, single []float32
}

// newHessian takes over h and adds damping times its mean diagonal to the diagonal, since calibration images do
// not show everything; and more where h has no factor yet.
func newHessian(h []float64, k int, damping float64) *hessian {
	m := &hessian{k: k, h: h, order: make([]int, k)}
	trace := 0.0
	for i := range k {
		m.order[i] = i
		trace += h[i*k+i]
	}
	slices.SortStableFunc(m.order, func(a, b int) int { return cmp.Compare(h[a*k+a], h[b*k+b]) })
	factor, step := m.factorise(damping * trace / float64(k))
	for i := range k {
		h[i*k+i] += step
	}
	m.factor, m.single = narrow(factor), narrow(h)
	return m
}

// factorise returns the factor of H with step on its diagonal, and step: as much larger as it takes for H to have one.
func (h *hessian) factorise(step float64) ([]float64, float64) {
	if !(step > 0) { // nothing varies
		step = 1
	}
	k := h.k
	factor := make([]float64, k*k)
	for ; ; step *= 10 {
		for i, at := range h.order {
			row := h.h[at*k:][:k]
			for j := i; j < k; j++ {
				factor[i*k+j] = row[h.order[j]]
			}
			factor[i*k+i] += step
		}
		if _, ok := lapack64.Potrf(blas64.Symmetric{N: k, Stride: k, Data: factor, Uplo: blas.Upper}); ok {
			return factor, step
		}
	}
}

// solve returns H^-1 x for x of n columns, [k][n], with damping times H's mean diagonal added to the diagonal.
func (h *hessian) solve(x []float64, n int, damping float64) []float64 {
	trace := 0.0
	for i := range h.k {
		trace += h.h[i*h.k+i]
	}
	factor, _ := h.factorise(damping * trace / float64(h.k))
	y, z := make([]float64, len(x)), make([]float64, len(x))
	for i, at := range h.order {
		copy(y[i*n:][:n], x[at*n:])
	}
	t := blas64.Triangular{N: h.k, Stride: h.k, Data: factor, Uplo: blas.Upper, Diag: blas.NonUnit}
	b := blas64.General{Rows: h.k, Cols: n, Stride: n, Data: y}
	blas64.Trsm(blas.Left, blas.Trans, 1, t, b)
	blas64.Trsm(blas.Left, blas.NoTrans, 1, t, b)
	for i, at := range h.order {
		copy(z[at*n:][:n], y[i*n:])
	}
	return z
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
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
		r := float64(h.factor[i*h.k+i])
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
