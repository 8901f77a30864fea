package pixel

import "fmt"

// Resizer resizes images with one filter. It keeps the coefficient tables of
// the last sizes and its scratch memory, so a steady stream of frames of one
// size allocates nothing after the first. It is not safe for concurrent use:
// give each goroutine its own.
//
// The method is Pillow's: a horizontal pass over the rows the output needs,
// rounded and clipped to 8 bits, then a vertical pass, both with 22-bit fixed
// point coefficients; an axis that keeps its size is not touched. The result
// equals PIL.Image.resize of an RGB image to the bit, for all versions that
// pass horizontally first: those up to 12.1. Since then Pillow turns the order
// round for pictures more than 100 times as tall as wide (12.2) and for tall
// ones that are made square or wide (13), where its results differ from its own
// earlier ones, and from these, by a level. A scale that keeps the aspect ratio
// is not concerned.
type Resizer struct {
	filter     Filter
	horizontal table
	vertical   table
	scratch    []byte // the intermediate image of two passes
	strip      []byte // rows of an image.Image as RGB
}

// NewResizer returns a Resizer for a filter. An unknown filter is reported by
// the first Resize.
func NewResizer(f Filter) *Resizer { return &Resizer{filter: f} }

// Filter returns the filter given to [NewResizer].
func (r *Resizer) Filter() Filter { return r.filter }

// Resize scales the whole of src to the whole of dst. The two must not share
// memory.
func (r *Resizer) Resize(dst, src Image) error {
	return r.ResizeCrop(dst, src, dst.W, dst.H, 0, 0)
}

// ResizeCrop makes the rectangle of dst's size at (x, y) of the image that src
// scaled to w by h pixels would be, to the bit, at the cost of the rectangle
// alone. The rectangle must lie inside w by h; dst and src must not share
// memory.
func (r *Resizer) ResizeCrop(dst, src Image, w, h, x, y int) error {
	if err := r.check(dst, src, w, h, x, y); err != nil {
		return err
	}
	if r.filter == Nearest {
		r.nearest(dst, src, w, h, x, y)
		return nil
	}
	switch {
	case w == src.W && h == src.H:
		copyRows(dst, src.sub(x, y, dst.W, dst.H))
	case h == src.H:
		r.horizontal.prepare(r.filter, src.W, w, x, dst.W)
		r.horizontalPass(dst, src.sub(0, y, src.W, dst.H))
	case w == src.W:
		r.vertical.prepare(r.filter, src.H, h, y, dst.H)
		r.verticalPass(dst, src.sub(x, 0, dst.W, src.H), 0)
	default:
		r.horizontal.prepare(r.filter, src.W, w, x, dst.W)
		r.vertical.prepare(r.filter, src.H, h, y, dst.H)
		return r.bothPasses(dst, src)
	}
	return nil
}

func (r *Resizer) check(dst, src Image, w, h, x, y int) error {
	if err := src.check("source"); err != nil {
		return err
	}
	return r.checkScale(dst, w, h, x, y)
}

// checkScale is check without the source.
func (r *Resizer) checkScale(dst Image, w, h, x, y int) error {
	if r.filter < Bilinear || r.filter > Linear {
		return fmt.Errorf("pixel: unknown filter %d: use Bilinear, Bicubic, Nearest or Linear", int(r.filter))
	}
	if err := dst.check("destination"); err != nil {
		return err
	}
	if err := checkSide("scaled size", w, h); err != nil {
		return err
	}
	if x < 0 || y < 0 || x > w-dst.W || y > h-dst.H {
		return fmt.Errorf("pixel: the %dx%d rectangle at (%d, %d) is not inside the scaled size %dx%d",
			dst.W, dst.H, x, y, w, h)
	}
	return nil
}

// bothPasses resizes the rows that the vertical pass reads into the scratch,
// then the scratch into dst.
func (r *Resizer) bothPasses(dst, src Image) error {
	mid, first, err := r.intermediate(dst.W)
	if err != nil {
		return err
	}
	r.horizontalPass(mid, src.sub(0, first, src.W, mid.H))
	r.verticalPass(dst, mid, first)
	return nil
}

// maxIntermediate is the largest area between the two passes, 100 MB. A picture of 50 megapixels for an input of
// 2048x2048 comes to half of it; only a strip that is thousands of times as tall as wide would have more.
const maxIntermediate = 1 << 25

// intermediate returns an image of width w in the scratch for the source rows that the vertical pass reads, and the
// first of these.
func (r *Resizer) intermediate(w int) (mid Image, first int, err error) {
	first, end := r.vertical.span()
	if int64(w)*int64(end-first) > maxIntermediate {
		return Image{}, 0, fmt.Errorf("pixel: intermediate image: %dx%d is more than %d pixels",
			w, end-first, maxIntermediate)
	}
	mid = Image{W: w, H: end - first, Stride: w * channels}
	mid.Pix = grow(&r.scratch, mid.H*mid.Stride)
	return mid, first, nil
}

// grow returns n bytes of a buffer, which is replaced if it has fewer.
func grow(buffer *[]byte, n int) []byte {
	if cap(*buffer) < n {
		*buffer = make([]byte, n)
	}
	return (*buffer)[:n]
}

// half rounds the fixed-point sum to the nearest level.
const half = 1 << (precision - 1)

// horizontalPass resizes each row of src to the row of dst below it.
func (r *Resizer) horizontalPass(dst, src Image) {
	for y := range dst.H {
		in, out := src.row(y), dst.row(y)
		for x := range dst.W {
			start, weight := r.horizontal.weights(x)
			p := in[channels*start:]
			red, green, blue := int32(half), int32(half), int32(half)
			for _, w := range weight {
				red += int32(p[0]) * w
				green += int32(p[1]) * w
				blue += int32(p[2]) * w
				p = p[channels:]
			}
			o := out[channels*x : channels*x+channels]
			o[0], o[1], o[2] = clip(red>>precision), clip(green>>precision), clip(blue>>precision)
		}
	}
}

// verticalPass resizes the columns of src, whose row 0 is source row origin.
func (r *Resizer) verticalPass(dst, src Image, origin int) {
	for y := range dst.H {
		start, weight := r.vertical.weights(y)
		weightedRows(dst.row(y), src.Pix[(start-origin)*src.Stride:], src.Stride, weight)
	}
}

// weightedRows sets out to the weighted sum of len(weight) rows that start
// stride bytes apart in pix.
func weightedRows(out, pix []byte, stride int, weight []int32) {
	i := 0
	for ; i+4 <= len(out); i += 4 {
		a, b, c, d := int32(half), int32(half), int32(half), int32(half)
		at := i
		for _, w := range weight {
			p := pix[at : at+4 : at+4]
			a += int32(p[0]) * w
			b += int32(p[1]) * w
			c += int32(p[2]) * w
			d += int32(p[3]) * w
			at += stride
		}
		o := out[i : i+4 : i+4]
		o[0], o[1], o[2], o[3] = clip(a>>precision), clip(b>>precision), clip(c>>precision), clip(d>>precision)
	}
	for ; i < len(out); i++ {
		sum, at := int32(half), i
		for _, w := range weight {
			sum += int32(pix[at]) * w
			at += stride
		}
		out[i] = clip(sum >> precision)
	}
}

func (r *Resizer) nearest(dst, src Image, w, h, x, y int) {
	r.horizontal.prepare(Nearest, src.W, w, x, dst.W)
	r.vertical.prepare(Nearest, src.H, h, y, dst.H)
	for y, sy := range r.vertical.start {
		r.nearestRow(dst.row(y), src.row(int(sy)))
	}
}

func (r *Resizer) nearestRow(out, in []byte) {
	for x, sx := range r.horizontal.start {
		copy(out[channels*x:channels*x+channels], in[channels*sx:])
	}
}

func copyRows(dst, src Image) {
	for y := range dst.H {
		copy(dst.row(y), src.row(y))
	}
}
