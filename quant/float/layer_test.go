package float

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/resnext"
)

// shapeOf is a convolution with padding Kernel/2.
func shapeOf(in, out, kernel, stride, groups, h, w int, relu bool) resnext.ConvShape {
	size := func(n int) int { return (n+2*(kernel/2)-kernel)/stride + 1 }
	return resnext.ConvShape{
		Name: "conv", In: in, Out: out, Kernel: kernel, Stride: stride, Groups: groups,
		InH: h, InW: w, OutH: size(h), OutW: size(w), ReLU: relu,
	}
}

// naiveConv is the definition of a grouped convolution, in float64.
func naiveConv(c *Conv, x, before []float32) []float32 {
	s := c.Shape
	inWidth, outWidth := s.In/s.Groups, s.Out/s.Groups
	y := make([]float32, s.OutH*s.OutW*s.Out)
	for oy := range s.OutH {
		for ox := range s.OutW {
			for o := range s.Out {
				sum := float64(c.Bias[o])
				for ky := range s.Kernel {
					for kx := range s.Kernel {
						iy, ix := oy*s.Stride+ky-s.Kernel/2, ox*s.Stride+kx-s.Kernel/2
						if iy < 0 || ix < 0 || iy >= s.InH || ix >= s.InW {
							continue
						}
						for i := range inWidth {
							w := c.Weight[((o*s.Kernel+ky)*s.Kernel+kx)*inWidth+i]
							sum += float64(w) * float64(x[(iy*s.InW+ix)*s.In+o/outWidth*inWidth+i])
						}
					}
				}
				at := (oy*s.OutW+ox)*s.Out + o
				if before != nil {
					sum += float64(before[at])
				}
				if s.ReLU {
					sum = max(sum, 0)
				}
				y[at] = float32(sum)
			}
		}
	}
	return y
}

func randomFloats(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// checkConv runs a shape through the packed layer, without and with adding, and compares.
func checkConv(t *testing.T, r *rand.Rand, s resnext.ConvShape) {
	t.Helper()
	c := randomConv(s, 1, 0, 1, rand.NewPCG(r.Uint64(), 0))
	l := newLayer(s, packConv(&c))
	work := newWorkspace([]*layer{&l})
	for i := range work.source {
		work.source[i] = float32(math.NaN()) // what another layer left
	}
	x := randomFloats(r, s.InH*s.InW*s.In)
	for _, add := range []bool{false, true} {
		y := randomFloats(r, s.OutH*s.OutW*s.Out)
		var before []float32
		if add {
			before = append(before, y...)
		}
		want := naiveConv(&c, x, before)
		l.run(&work, x, y, add)
		for i := range want {
			require.InDelta(t, want[i], y[i], 2e-5, "element %d of %+v, add %v", i, s, add)
		}
	}
}

func TestGroupedConvAgainstDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, width := range []int{1, 2, 3, 4, 5, 8, 14, 16, 24, 40} {
		for _, groups := range []int{2, 3, 8, 17} {
			for _, stride := range []int{1, 2} {
				h, w := 1+r.IntN(9), 1+r.IntN(9)
				checkConv(t, r, shapeOf(width*groups, width*groups, 3, stride, groups, h, w, r.IntN(2) == 0))
			}
		}
	}
}

func TestConvAgainstDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, s := range []resnext.ConvShape{
		shapeOf(3, 64, 7, 2, 1, 23, 17, true),   // ImageNet stem
		shapeOf(3, 64, 3, 1, 1, 9, 8, true),     // CIFAR stem
		shapeOf(3, 5, 15, 4, 1, 5, 4, true),     // a window larger than the map
		shapeOf(1, 1, 3, 3, 1, 1, 1, false),     // the smallest
		shapeOf(20, 33, 3, 2, 1, 7, 6, true),    // ResNet's dense 3x3
		shapeOf(40, 50, 1, 1, 1, 13, 3, true),   // reduce
		shapeOf(40, 48, 1, 2, 1, 7, 9, false),   // projection
		shapeOf(7, 10, 1, 3, 1, 8, 8, false),    //
		shapeOf(1000, 1, 1, 1, 1, 8, 9, false),  // several blocks of pixels
		shapeOf(6000, 17, 1, 1, 1, 3, 5, true),  // one tile a block
		shapeOf(64, 3, 3, 1, 1, 40, 60, true),   // several bands of rows
		shapeOf(64, 64, 3, 2, 16, 41, 59, true), //
		shapeOf(12, 24, 3, 1, 4, 5, 5, true),    // more channels out than in
		shapeOf(96, 24, 3, 1, 4, 5, 5, false),   // fewer
		shapeOf(32, 64, 1, 2, 8, 5, 5, false),   // grouped 1x1
		shapeOf(8, 4, 3, 1, 1, 1, 700, false),   // a row of one band
		shapeOf(2048, 16, 3, 1, 8, 3, 9, true),  // a band of one row
	} {
		checkConv(t, r, s)
	}
}

// Every weight must appear in exactly one place of the packed form, and everything else be zero.
func TestPackingKeepsEveryWeightOnce(t *testing.T) {
	for _, s := range []resnext.ConvShape{
		shapeOf(15, 15, 3, 1, 3, 4, 4, true), shapeOf(56, 56, 3, 1, 4, 4, 4, true),
		shapeOf(48, 48, 3, 1, 2, 4, 4, true), shapeOf(3, 20, 7, 2, 1, 4, 4, true),
	} {
		c := Conv{Shape: s, Weight: make([]float32, s.Weights()), Bias: make([]float32, s.Out)}
		for i := range c.Weight {
			c.Weight[i] = float32(i + 1)
		}
		seen := make(map[float32]int)
		outs := 0
		for _, p := range packConv(&c).panels {
			require.Equal(t, outs, p.out)
			outs += p.cols
			for _, v := range p.weight {
				seen[v]++
			}
			require.Len(t, p.weight, s.Kernel*s.Kernel*p.k*asm.SgemmCols)
		}
		require.Equal(t, s.Out, outs)
		delete(seen, 0)
		require.Len(t, seen, len(c.Weight))
		for v, n := range seen {
			require.Equal(t, 1, n, "weight %v", v)
		}
	}
}

func TestMaxPool(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, size := range [][3]int{{1, 1, 1}, {1, 5, 3}, {2, 2, 4}, {7, 6, 5}, {8, 9, 17}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			h, w, c := size[0], size[1], size[2]
			outH, outW := (h+1)/2, (w+1)/2
			x, y := randomFloats(r, h*w*c), make([]float32, outH*outW*c)
			maxPool(x, h, w, c, 2, y)
			for at := range y {
				oy, ox, i := at/c/outW, at/c%outW, at%c
				want := float32(math.Inf(-1))
				for iy := range h {
					for ix := range w {
						if iy >= 2*oy-1 && iy <= 2*oy+1 && ix >= 2*ox-1 && ix <= 2*ox+1 {
							want = max(want, x[(iy*w+ix)*c+i])
						}
					}
				}
				require.Equal(t, want, y[at])
			}
		})
	}
}

func TestAveragePool(t *testing.T) {
	y := []float32{9, 9}
	averagePool([]float32{1, -2, 3, 4, 5, 1}, 3, 2, y)
	require.Equal(t, []float32{3, 1}, y)
}
