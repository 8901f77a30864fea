package resnext

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
)

// BenchmarkInfer measures whole networks of random integers, whose weights prove no chains, on every kernel
// set and on one thread and all.
func BenchmarkInfer(b *testing.B) {
	for _, name := range []string{"resnext20_8x4d_w2", "resnext50_32x4d"} {
		cfg, err := Named(name)
		require.NoError(b, err)
		q := randomQuantised(cfg, 1)
		for _, kernels := range asm.Names() {
			m, err := New(q, Options{Kernels: kernels})
			require.NoError(b, err)
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/%s/%d", name, kernels, threads), func(b *testing.B) {
					s, err := m.NewSession(SessionOptions{Threads: threads})
					require.NoError(b, err)
					defer s.Close()
					rgb := randomImage(cfg, 1)
					b.ReportAllocs()
					for b.Loop() {
						_, _ = s.Infer(rgb)
					}
					b.ReportMetric(float64(cfg.MACs())*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
				})
			}
		}
	}
}
