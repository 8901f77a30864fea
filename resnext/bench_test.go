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

// BenchmarkBatch measures images of a batch one by one and together.
func BenchmarkBatch(b *testing.B) {
	for _, name := range []string{"resnext20_8x4d_w2", "resnext50_32x4d"} {
		cfg, err := Named(name)
		require.NoError(b, err)
		m, err := New(randomWithin(cfg, 1, 32), Options{})
		require.NoError(b, err)
		for _, n := range []int{1, 3, 8, 32} {
			images := make([][]byte, n)
			for i := range images {
				images[i] = randomImage(cfg, uint64(i))
			}
			logits := make([]float32, n*cfg.Classes)
			for _, together := range []bool{false, true} {
				b.Run(fmt.Sprintf("%s/images%d/together=%v", name, n, together), func(b *testing.B) {
					s, err := m.NewSession(SessionOptions{Batch: together})
					require.NoError(b, err)
					defer s.Close()
					b.ReportAllocs()
					for b.Loop() {
						if together {
							err = s.InferBatch(images, logits)
						} else {
							for _, rgb := range images {
								_, err = s.Infer(rgb)
							}
						}
						require.NoError(b, err)
					}
					b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "images/s")
				})
			}
		}
	}
}
