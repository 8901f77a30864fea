package asm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// naiveSgemm is SgemmArgs' definition in float64; it gives C after the call, and for every element the
// sum of the magnitudes, to which rounding errors are in proportion.
func naiveSgemm(g *SgemmArgs) (c []float32, size []float64) {
	c = append([]float32(nil), g.C...)
	size = make([]float64, len(c))
	for m, row := range g.Rows {
		for n := range g.Cols {
			sum := float64(g.Bias[n])
			mag := math.Abs(sum)
			for t, tap := range g.Taps {
				for k := range g.K {
					p := float64(g.A[row+tap+k]) * float64(g.B[(t*g.K+k)*SgemmCols+n])
					sum += p
					mag += math.Abs(p)
				}
			}
			if g.Add {
				sum += float64(c[m*g.Stride+n])
				mag += math.Abs(float64(c[m*g.Stride+n]))
			}
			if g.ReLU {
				sum = max(sum, 0)
			}
			c[m*g.Stride+n], size[m*g.Stride+n] = float32(sum), mag
		}
	}
	return c, size
}

// sgemmCase makes random arguments in which everything that must not be read is NaN.
func sgemmCase(r *rand.Rand, rows, taps, k, cols int, add, relu bool) *SgemmArgs {
	nan := float32(math.NaN())
	fill := func(n int) []float32 {
		s := make([]float32, n)
		for i := range s {
			s[i] = float32(r.NormFloat64())
		}
		return s
	}
	g := &SgemmArgs{K: k, Cols: cols, Add: add, ReLU: relu, Stride: cols + r.IntN(5)}
	pitch := k + r.IntN(4)
	for range rows {
		g.Rows = append(g.Rows, 1+r.IntN(10)*pitch)
	}
	for range taps {
		g.Taps = append(g.Taps, r.IntN(10)*pitch)
	}
	_, row := bounds(g.Rows)
	_, tap := bounds(g.Taps)
	g.A = make([]float32, row+tap+k)
	for i := range g.A {
		g.A[i] = nan
	}
	for _, row := range g.Rows {
		for _, tap := range g.Taps {
			copy(g.A[row+tap:], fill(k))
		}
	}
	g.B, g.Bias = fill(taps*k*SgemmCols), fill(SgemmCols)
	g.C = fill((rows-1)*g.Stride + cols)
	return g
}

// withSgemmKernels runs a test once for each kernel of this machine.
func withSgemmKernels(t *testing.T, test func(t *testing.T)) {
	for name, use := range sgemmKernels() {
		t.Run(name, func(t *testing.T) {
			defer use()()
			test(t)
		})
	}
}

func TestSgemmAgainstDefinition(t *testing.T) {
	withSgemmKernels(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for i := range 600 {
			g := sgemmCase(r, 1+r.IntN(20), 1+r.IntN(9), 1+r.IntN(40), 1+r.IntN(SgemmCols), i&1 != 0, i&2 != 0)
			if i%3 == 0 {
				g = sgemmCase(r, 1+r.IntN(20), 1+r.IntN(9), 1+r.IntN(40), SgemmCols, i&1 != 0, i&2 != 0)
			}
			want, size := naiveSgemm(g)
			Sgemm(g)
			for j := range want {
				require.InDelta(t, want[j], g.C[j], 1e-6*size[j],
					"rows %d taps %d k %d cols %d element %d", len(g.Rows), len(g.Taps), g.K, g.Cols, j)
			}
		}
	})
}

// A row's result must not depend on which tile or edge it falls into, or work split among threads would
// change it.
func TestSgemmRowsAreIndependent(t *testing.T) {
	withSgemmKernels(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, cols := range []int{1, 10, SgemmCols} {
			g := sgemmCase(r, 17, 3, 21, cols, true, true)
			before := append([]float32(nil), g.C...)
			Sgemm(g)
			for m := range g.Rows {
				one := *g
				one.Rows = g.Rows[m : m+1]
				one.C = before[m*g.Stride:][:cols]
				Sgemm(&one)
				require.Equal(t, g.C[m*g.Stride:][:cols], one.C)
			}
		}
	})
}

func TestSgemmNonFinite(t *testing.T) {
	withSgemmKernels(t, func(t *testing.T) {
		g := sgemmCase(rand.New(rand.NewPCG(5, 6)), 6, 1, 4, SgemmCols, false, true)
		for i := range g.A {
			g.A[i] = float32(math.NaN())
		}
		g.Rows = []int{0, 0, 0, 0, 0, 0}
		Sgemm(g)
		for _, v := range g.C[:SgemmCols] {
			require.True(t, math.IsNaN(float64(v)), "ReLU must not hide a NaN")
		}
		g.Bias[3] = float32(math.Inf(-1))
		for i := range g.A {
			g.A[i] = 0
		}
		g.ReLU = false
		Sgemm(g)
		require.Equal(t, float32(math.Inf(-1)), g.C[3])
		g.ReLU = true
		Sgemm(g)
		require.Zero(t, g.C[3])
	})
}

func TestSgemmRefusesOutside(t *testing.T) {
	for name, damage := range map[string]func(g *SgemmArgs){
		"a too short":    func(g *SgemmArgs) { _, r := bounds(g.Rows); _, t := bounds(g.Taps); g.A = g.A[: r+t+g.K-1 : r+t+g.K-1] },
		"row negative":   func(g *SgemmArgs) { g.Rows[1] = -g.Taps[0] - 100 },
		"b too short":    func(g *SgemmArgs) { g.B = g.B[: len(g.B)-1 : len(g.B)-1] },
		"bias too short": func(g *SgemmArgs) { g.Bias = g.Bias[:15:15] },
		"c too short":    func(g *SgemmArgs) { g.C = g.C[: len(g.C)-1 : len(g.C)-1] },
		"no taps":        func(g *SgemmArgs) { g.Taps = nil },
		"k is 0":         func(g *SgemmArgs) { g.K = 0 },
		"17 columns":     func(g *SgemmArgs) { g.Cols = 17 },
		"stride":         func(g *SgemmArgs) { g.Stride = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			g := sgemmCase(rand.New(rand.NewPCG(7, 8)), 7, 2, 5, SgemmCols, false, false)
			damage(g)
			require.Panics(t, func() { Sgemm(g) })
		})
	}
	Sgemm(&SgemmArgs{}) // no rows, nothing to do
}

func TestSgemmAllocatesNothing(t *testing.T) {
	withSgemmKernels(t, func(t *testing.T) {
		g := sgemmCase(rand.New(rand.NewPCG(9, 10)), 13, 2, 5, 10, true, true)
		require.Zero(t, testing.AllocsPerRun(10, func() { Sgemm(g) }))
	})
}

func BenchmarkSgemm(b *testing.B) {
	for _, k := range []int{21, 64, 256, 1024, 2048} {
		for name, use := range sgemmKernels() {
			b.Run(fmt.Sprintf("%s/k%d", name, k), func(b *testing.B) {
				defer use()()
				const rows = 48
				g := &SgemmArgs{K: k, Taps: []int{0}, Cols: SgemmCols, Stride: SgemmCols, ReLU: true,
					A: make([]float32, rows*k), B: make([]float32, k*SgemmCols), Bias: make([]float32, SgemmCols), C: make([]float32, rows*SgemmCols)}
				for m := range rows {
					g.Rows = append(g.Rows, m*k)
				}
				for b.Loop() {
					Sgemm(g)
				}
				b.ReportMetric(float64(rows*k*SgemmCols)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
			})
		}
	}
}
