package float

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/resnext"
)

func BenchmarkForward(b *testing.B) {
	small, err := resnext.Named("resnext20_8x4d_w2")
	require.NoError(b, err)
	small.Height, small.Width = 28, 28
	large, err := resnext.Named("resnext50_32x4d")
	require.NoError(b, err)
	dense, err := resnext.Named("resnet50")
	require.NoError(b, err)
	cifar, err := resnext.Named("resnext29_8x64d")
	require.NoError(b, err)
	for _, cfg := range []resnext.Config{small, large, dense, cifar} {
		b.Run(fmt.Sprintf("%s/%dx%d", cfg.Name, cfg.Width, cfg.Height), func(b *testing.B) {
			r := Random(cfg, 1).NewRunner()
			x := make([]float32, cfg.Height*cfg.Width*3)
			b.ReportAllocs()
			for b.Loop() {
				r.ForwardInput(x)
			}
			b.ReportMetric(float64(cfg.MACs())*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
		})
	}
}
