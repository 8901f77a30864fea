package pass

import (
	"math"

	"github.com/libresnext/libresnext/resnext/topology"
)

// Budget bounds what a pass takes.
type Budget struct {
	// Memory bounds the bytes that the images' maps and the layer under way take; images that do not fit only help to
	// choose ranges.
	Memory int64
	// Hessian is the largest number of inputs of a filter whose Hessian is kept; it bounds memory and time. Layers with
	// larger filters, such as the last dense 3x3 ones of a ResNet, are rounded plainly.
	Hessian int
	// Samples is how many pixels of each layer are looked at, over all images.
	Samples int
	// Fewest is how many images are carried, if there are as many and they fit, even where fewer have pixels enough.
	Fewest int
	// Work bounds how many are carried beyond these, in multiply-accumulates of their ways through one network.
	Work int64
}

// cheap is the part of the work that is spent on more images than have the pixels, because different images show more than
// pixels of the same.
const cheap = 8

// Images is how many of n images are carried through a step, no fewer than through the one before: as many as have the
// pixels, in the bounds of the work, and as fit this step and all after it.
func (b Budget) Images(program *topology.Program, step, n int) int {
	work := int64(1)
	for _, s := range program.Steps {
		if s.Op == topology.Conv {
			work += s.Conv.MACs()
		}
	}
	most := max(int64(b.Fewest), b.Work/work)
	want := max(int64(b.Fewest), b.Work/work/cheap)
	for _, s := range program.Steps[:step+1] {
		pixels := 1 // the head sees each image once
		if s.Out != topology.None {
			pixels = program.Maps[s.Out].H * program.Maps[s.Out].W
		}
		want = max(want, int64((b.Samples+pixels-1)/pixels))
	}
	return int(max(1, min(int64(n), want, most, b.fits(program, step))))
}

// fits is how many images' maps fit from a step on: three bytes for each value that is still needed, beside the Hessian
// of a layer with its factor, each also in float32, and what it is solved for.
func (b Budget) fits(program *topology.Program, step int) int64 {
	uses, most := program.Uses(), int64(math.MaxInt64)
	for i := step; i < len(program.Steps); i++ {
		bytes, values := int64(0), 1
		if s := program.Steps[i]; s.Op == topology.Conv || s.Op == topology.Classify {
			k := int64(s.Conv.Weights() / s.Conv.Out)
			if k > int64(b.Hessian) {
				k = 0
			}
			bytes = 24*k*k*int64(s.Conv.Groups) + 24*k*int64(s.Conv.Out)
		}
		for id, u := range uses {
			if u.Writer <= i && u.Last >= i {
				values += program.Maps[id].Values()
			}
		}
		most = min(most, (b.Memory-bytes)/int64(3*values))
	}
	return most
}

// choose takes m of n images, evenly, and alternating between those that Moments.Low knows and the others. Where they do
// not all join at once, any number of the first of them are spread as well.
func choose(m, n int, atOnce bool) []int {
	chosen := make([]int, m)
	first := func(i int) int { return int(int64(i) * int64(n) / int64(m)) }
	stride := 1
	if !atOnce {
		stride = goldenStride(m)
	}
	for j := range chosen {
		i := j * stride % m
		chosen[j] = first(i)
		if (chosen[j]-j)%2 != 0 && chosen[j]+1 < first(i+1) {
			chosen[j]++
		}
	}
	return chosen
}

// goldenStride is the number nearest above m's golden section without a factor in common with m: its multiples modulo m
// fall into the largest gaps.
func goldenStride(m int) int {
	stride := max(1, m*618/1000)
	for a, b := stride, m; ; a, b = stride, m {
		for b != 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return stride
		}
		stride++
	}
}
