package pixel

import "image"

// stripPixels is about how many pixels are converted at a time: they stay in a core's cache.
const stripPixels = 1 << 16

// ResizeCropImage is [Resizer.ResizeCrop] for the pixels of src as [FromImage] gives them, to the bit. They are
// converted a few rows at a time, so that no RGB copy of a large picture is made.
func (r *Resizer) ResizeCropImage(dst Image, src image.Image, w, h, x, y int) error {
	size := src.Bounds().Size()
	if err := checkArea("source", size.X, size.Y); err != nil {
		return err
	}
	if err := r.checkScale(dst, w, h, x, y); err != nil {
		return err
	}
	if r.filter == Nearest {
		return r.nearestRows(dst, src, w, h, x, y)
	}
	if w != size.X {
		r.horizontal.prepare(r.filter, size.X, w, x, dst.W)
	}
	// narrow brings rows of src to the width of dst.
	narrow := func(out, strip Image) {
		if w == size.X {
			copyRows(out, strip.sub(x, 0, out.W, out.H))
		} else {
			r.horizontalPass(out, strip)
		}
	}
	if h == size.Y {
		return r.strips(src, y, y+dst.H, func(strip Image, top int) {
			narrow(dst.sub(0, top-y, dst.W, strip.H), strip)
		})
	}
	r.vertical.prepare(r.filter, size.Y, h, y, dst.H)
	mid, first, err := r.intermediate(dst.W)
	if err != nil {
		return err
	}
	err = r.strips(src, first, first+mid.H, func(strip Image, top int) {
		narrow(mid.sub(0, top-first, mid.W, strip.H), strip)
	})
	if err != nil {
		return err
	}
	r.verticalPass(dst, mid, first)
	return nil
}

// strips gives the rows [first, end) of src in pieces, each with the number of its topmost row.
func (r *Resizer) strips(src image.Image, first, end int, use func(strip Image, top int)) error {
	strip := Image{W: src.Bounds().Dx()}
	strip.Stride = strip.W * channels
	n := min(max(1, stripPixels/strip.W), end-first)
	pix := grow(&r.strip, n*strip.Stride)
	for top := first; top < end; top += n {
		strip.H = min(n, end-top)
		strip.Pix = pix[:strip.H*strip.Stride]
		if err := convertRows(strip, src, top); err != nil {
			return err
		}
		use(strip, top)
	}
	return nil
}

// nearestRows is nearest for an image.Image, of which it converts the rows that are taken.
func (r *Resizer) nearestRows(dst Image, src image.Image, w, h, x, y int) error {
	size := src.Bounds().Size()
	r.horizontal.prepare(Nearest, size.X, w, x, dst.W)
	r.vertical.prepare(Nearest, size.Y, h, y, dst.H)
	last := -1
	for y, sy := range r.vertical.start {
		if int(sy) == last {
			copy(dst.row(y), dst.row(y-1))
			continue
		}
		last = int(sy)
		err := r.strips(src, last, last+1, func(strip Image, _ int) { r.nearestRow(dst.row(y), strip.row(0)) })
		if err != nil {
			return err
		}
	}
	return nil
}
