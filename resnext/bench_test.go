package resnext

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
)

// BenchmarkInfer measures whole networks of random integers on every kernel set, on one thread and two, with
// weights that prove nothing and with weights that prove acc16 depths of 2, 4 and 8 products.
func BenchmarkInfer(b *testing.B) {
	for _, name := range []string{"resnext20_8x4d_w2", "resnext50_32x4d"} {
		cfg, err := Named(name)
		require.NoError(b, err)
		for _, limit := range []int{127, 64, 32, 16} {
			q := randomWithin(cfg, 1, limit)
			for _, kernels := range asm.Available() {
				m, err := New(q, Options{Kernels: kernels})
				require.NoError(b, err)
				for _, threads := range []int{1, 2} {
					b.Run(fmt.Sprintf("%s/%s/weights%d/threads%d", name, kernels, limit, threads), func(b *testing.B) {
						benchmarkInfer(b, m, threads)
					})
				}
			}
		}
	}
}

func benchmarkInfer(b *testing.B, m *Model, threads int) {
	s, err := m.NewSession(SessionOptions{Threads: threads})
	require.NoError(b, err)
	defer s.Close()
	rgb := randomImage(m.config, 1)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = s.Infer(rgb)
	}
	b.ReportMetric(float64(m.config.MACs())*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
}
