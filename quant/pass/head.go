package pass

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"

	"github.com/libresnext/libresnext/internal/parallel"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/round"
	"github.com/libresnext/libresnext/resnext/topology"
)

// ObserveHead measures the classifier c, the step s. Its input is the sum over each channel of the last map, in steps
// of size input; scale is the real value of one step of that map.
func (p *Pass) ObserveHead(s topology.Step, c *float.Conv, scale, input float64) *round.Covariance {
	n, filters := len(p.images), len(c.Bias)
	k := len(c.Weight) / filters
	m := round.NewCovariance(n, k, filters)
	x := blas64.General{Rows: n, Cols: k, Stride: k, Data: make([]float64, n*k)}
	e := blas64.General{Rows: n, Cols: filters, Stride: filters, Data: make([]float64, n*filters)}
	parallel.For(n, p.threads, func(i int) {
		lost := pooled(p.images[i].maps[s.In], scale, input, x.Data[i*k:][:k])
		for f := range filters {
			for j, v := range c.Weight[f*k:][:k] {
				e.Data[i*filters+f] += float64(v) * lost[j]
			}
		}
	})
	for i := range n {
		m.AddRow(x.Data[i*k:][:k], e.Data[i*filters:][:filters])
	}
	blas64.Syrk(blas.Trans, 1, x, 0, blas64.Symmetric{N: k, Stride: k, Data: m.Square, Uplo: blas.Lower})
	cross := blas64.General{Rows: k, Cols: filters, Stride: filters, Data: m.Cross}
	blas64.Gemm(blas.Trans, blas.NoTrans, 1, x, e, 0, cross)
	m.Centre()
	return m
}

// pooled writes the mean of each channel of the int8 network's map in steps of size input, and returns by how much
// the float network's exceeds it, in real values.
func pooled(s mapPair, scale, input float64, steps []float64) (lost []float64) {
	k := len(steps)
	lost = make([]float64, k)
	pixels := float64(len(s.int8.v) / k)
	for i, v := range s.int8.v {
		steps[i%k] += float64(v)
	}
	real := make([]float32, len(s.int8.v))
	s.float.widen(real)
	for i, v := range real {
		lost[i%k] += float64(v)
	}
	for j, sum := range steps {
		mean := sum * scale / pixels
		lost[j] = lost[j]/pixels - mean
		steps[j] = mean / input
	}
	return lost
}
