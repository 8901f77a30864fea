package testnet

import (
	"math"
	"math/rand/v2"
)

// Values draws n values of one of the Distributions, with a fixed seed.
func Values(name string, n int) []float32 {
	r := rand.New(rand.NewPCG(3, 5))
	draw := map[string]func() float64{
		"gaussian relu": func() float64 { return max(0, r.NormFloat64()) },
		"gaussian":      r.NormFloat64,
		"uniform":       func() float64 { return 7 * r.Float64() },
		"exponential":   func() float64 { return 1e-6 * r.ExpFloat64() },
		"heavy tail":    func() float64 { return math.Exp(1.2 * r.NormFloat64()) },
		"cauchy":        func() float64 { return math.Abs(r.NormFloat64() / (0.02 + math.Abs(r.NormFloat64()))) },
		"two heaps": func() float64 {
			if r.IntN(1000) == 0 {
				return 900 + r.Float64()
			}
			return max(0, r.NormFloat64())
		},
		"sparse": func() float64 {
			if r.IntN(5000) == 0 {
				return 1 + r.Float64()
			}
			return 0
		},
		"tiny":     func() float64 { return 1e-28 * r.Float64() },
		"enormous": func() float64 { return 3e38 * r.Float64() },
	}[name]
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(draw())
	}
	return values
}

// Distributions are the names that Values knows.
var Distributions = []string{
	"gaussian relu", "gaussian", "uniform", "exponential", "heavy tail", "cauchy",
	"two heaps", "sparse", "tiny", "enormous",
}
