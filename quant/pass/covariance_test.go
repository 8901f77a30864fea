package pass

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/round"
	"github.com/libresnext/libresnext/resnext"
)

// TestCovariancesArePlainSums compares with loops over all that the filters see, for windows over the border,
// strides, groups and offsets, and on several threads.
func TestCovariancesArePlainSums(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	for _, s := range []resnext.ConvShape{
		{In: 19, Out: 21, Kernel: 1, Stride: 2, Groups: 1, InH: 7, InW: 6, OutH: 4, OutW: 3},
		{In: 6, Out: 9, Kernel: 3, Stride: 2, Groups: 3, InH: 5, InW: 5, OutH: 3, OutW: 3},
		{In: 3, Out: 5, Kernel: 3, Stride: 1, Groups: 1, InH: 9, InW: 9, OutH: 9, OutW: 9},
	} {
		p := &patches{shape: s, pixels: samplePixels(8, 300, s, 1)}
		var offset []float32
		if s.In == 3 {
			offset = []float32{100, 3, 255}
		}
		for range 8 {
			m := int8Map{v: make([]uint8, s.InH*s.InW*s.In), offset: offset}
			for i := range m.v {
				m.v[i] = uint8(r.IntN(256))
			}
			p.maps = append(p.maps, m)
		}
		p.errors = make([]float32, p.rows()*s.Out)
		for i := range p.errors {
			p.errors[i] = r.Float32() - 0.3
		}
		first := p.Covariances(1)
		require.Equal(t, first, p.Covariances(3))
		for g, m := range first {
			requirePlainSums(t, p, g, m)
		}
	}
}

func requirePlainSums(t *testing.T, p *patches, g int, m *round.Covariance) {
	s := p.shape
	k, filters, n := s.Weights()/s.Out, s.Out/s.Groups, float64(p.rows())
	x := make([][]float64, p.rows())
	mean, errors := make([]float64, k), make([]float64, filters)
	for row := range x {
		x[row] = plainPatch(p, g, row)
		for i, v := range x[row] {
			mean[i] += v / n
		}
		for j := range filters {
			errors[j] += float64(p.errors[row*s.Out+g*filters+j]) / n
		}
	}
	require.InDeltaSlice(t, mean, m.Mean, 1e-9)
	require.InDeltaSlice(t, errors, m.Errors, 1e-6)
	for i := range k {
		for j := range k {
			sum := 0.0
			for row := range x {
				sum += (x[row][i] - mean[i]) * (x[row][j] - mean[j]) / n
			}
			require.InDelta(t, sum, m.Square[i*k+j], 1e-6)
		}
		for j := range filters {
			sum := 0.0
			for row := range x {
				sum += (x[row][i] - mean[i]) * (float64(p.errors[row*s.Out+g*filters+j]) - errors[j]) / n
			}
			require.InDelta(t, sum, m.Cross[i*filters+j], 1e-3)
		}
	}
}

// plainPatch is what the filters of group g see at a row.
func plainPatch(p *patches, g, row int) []float64 {
	s, image := p.shape, row/p.pixels.perImage
	at := p.pixels.at[image][row%p.pixels.perImage]
	m, in := p.maps[image], s.In/s.Groups
	var x []float64
	for ky := range s.Kernel {
		for kx := range s.Kernel {
			for c := range in {
				iy, ix, channel := at/s.OutW*s.Stride+ky-s.Kernel/2, at%s.OutW*s.Stride+kx-s.Kernel/2, g*in+c
				v := 0.0
				if iy >= 0 && iy < s.InH && ix >= 0 && ix < s.InW {
					v = float64(m.v[(iy*s.InW+ix)*s.In+channel])
					if m.offset != nil {
						v -= float64(m.offset[channel%len(m.offset)])
					}
				}
				x = append(x, v)
			}
		}
	}
	return x
}
