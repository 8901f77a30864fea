package pixel

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Filter chooses how an output pixel is made of the source pixels around it.
type Filter int

const (
	// Bilinear is the triangle filter; when shrinking it is widened by the
	// scale, so that every source pixel counts (antialiasing).
	Bilinear Filter = iota
	// Bicubic is the Keys cubic with a = -0.5, widened likewise.
	Bicubic
	// Nearest takes the source pixel under the centre of the output pixel.
	Nearest
	// Linear is the triangle filter without antialiasing, whatever the scale: between the two nearest pixels of each
	// axis. It is what OpenCV calls INTER_LINEAR and PyTorch bilinear with antialias=False, to a level: they round
	// once for both axes.
	Linear
)

// names are those of the filters, in their order.
var names = [...]string{"bilinear", "bicubic", "nearest", "bilinear-opencv"}

// Filters lists the names that [ParseFilter] reads.
func Filters() []string { return names[:] }

// String returns the lower-case name that [ParseFilter] reads.
func (f Filter) String() string {
	if f >= 0 && int(f) < len(names) {
		return names[f]
	}
	return fmt.Sprintf("Filter(%d)", int(f))
}

// ParseFilter returns the filter of a name, one of [Filters].
func ParseFilter(name string) (Filter, error) {
	if i := slices.Index(names[:], name); i >= 0 {
		return Filter(i), nil
	}
	return 0, fmt.Errorf("pixel: unknown filter %q: use one of %s", name, strings.Join(names[:], ", "))
}

// support is the filter's half width in source pixels at scale 1.
func (f Filter) support() float64 {
	if f == Bicubic {
		return 2
	}
	return 1
}

// at is the filter's value at distance x from its centre. The products are
// converted explicitly: the compiler must not fuse them with the sums, or the
// coefficients would depend on the CPU.
func (f Filter) at(x float64) float64 {
	x = math.Abs(x)
	if f == Bilinear || f == Linear {
		return max(1-x, 0)
	}
	const a = -0.5
	switch {
	case x < 1:
		t := float64((a+2)*x) - (a + 3)
		return float64(float64(t*x)*x) + 1
	case x < 2:
		t := float64((x-5)*x) + 8
		return float64((float64(t*x) - 4) * a)
	}
	return 0
}

// precision is the number of fraction bits of a coefficient: 32 bits less 8
// for the pixel and 2 for the overshoot of a filter with negative lobes.
const precision = 32 - 8 - 2

// table holds the coefficients of one axis: output pixel i is the sum of the
// source pixels from start[i] on, weighted by weight[end[i-1]:end[i]].
type table struct {
	filter               Filter
	in, out, first, size int // what the table was made for

	start, end []int32
	weight     []int32
}

// weights returns the coefficients of output pixel i, which apply to the
// source pixels from start on.
func (t *table) weights(i int) (start int, weight []int32) {
	from := int32(0)
	if i > 0 {
		from = t.end[i-1]
	}
	return int(t.start[i]), t.weight[from:t.end[i]]
}

// span returns the range of source pixels that the whole table reads.
func (t *table) span() (first, end int) {
	last, weight := t.weights(t.size - 1)
	return int(t.start[0]), last + len(weight)
}

// prepare makes the table for the output pixels [first, first+size) of an axis
// that goes from in to out pixels, unless it holds them already.
func (t *table) prepare(f Filter, in, out, first, size int) {
	if t.filter == f && t.in == in && t.out == out && t.first == first && t.size == size {
		return
	}
	t.filter, t.in, t.out, t.first, t.size = f, in, out, first, size
	t.start, t.end, t.weight = t.start[:0], t.end[:0], t.weight[:0]
	if f == Nearest {
		t.fillNearest()
		return
	}
	for i := first; i < first+size; i++ {
		t.appendPixel(i)
	}
}

// appendPixel adds the coefficients of output pixel i, normalised in float64
// and then rounded half away from zero to fixed point, as Pillow makes them.
func (t *table) appendPixel(i int) {
	scale := float64(t.in) / float64(t.out)
	widen := max(scale, 1)
	if t.filter == Linear {
		widen = 1
	}
	support := float64(t.filter.support() * widen)
	shrink := 1 / widen
	centre := float64((float64(i) + 0.5) * scale)

	lo := max(int(centre-support+0.5), 0)
	hi := min(int(centre+support+0.5), t.in)
	value := func(x int) float64 { return t.filter.at((float64(x) - centre + 0.5) * shrink) }
	sum := 0.0
	for x := lo; x < hi; x++ {
		sum += value(x)
	}
	for x := lo; x < hi; x++ {
		v := value(x)
		if sum != 0 {
			v /= sum
		}
		t.weight = append(t.weight, fixed(v))
	}
	t.start = append(t.start, int32(lo))
	t.end = append(t.end, int32(len(t.weight)))
}

func fixed(v float64) int32 {
	v = float64(v * (1 << precision))
	if v < 0 {
		return int32(v - 0.5)
	}
	return int32(v + 0.5)
}

// fillNearest walks the axis by adding the scale, as Pillow does: a product
// would round differently on long axes.
func (t *table) fillNearest() {
	scale := float64(t.in) / float64(t.out)
	at := float64(scale * 0.5)
	for i := range t.first + t.size {
		if i >= t.first {
			t.start = append(t.start, int32(min(int(at), t.in-1)))
		}
		at += scale
	}
}
