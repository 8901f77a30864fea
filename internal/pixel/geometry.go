package pixel

// ShortSide returns the size that a w by h image gets when its shorter side
// becomes size and the aspect ratio is kept: the longer side is size*long/short
// with the fraction dropped, as torchvision.transforms.Resize(size) does it. A
// size or side below 1, or a result that exceeds MaxSide, gives 0, 0, which
// every function of this package refuses.
func ShortSide(w, h, size int) (w2, h2 int) {
	if w < 1 || h < 1 || size < 1 || w > MaxSide || h > MaxSide || size > MaxSide {
		return 0, 0
	}
	long := int64(size) * int64(max(w, h)) / int64(min(w, h))
	if long > MaxSide {
		return 0, 0
	}
	if w <= h {
		return size, int(long)
	}
	return int(long), size
}

// CenterOffset returns where a centred crop of crop pixels begins on an axis of
// size pixels, size >= crop: half the difference, a half rounded to the even
// neighbour, as torchvision's CenterCrop does it (Python's round).
func CenterOffset(size, crop int) int {
	d := size - crop
	k := d >> 1
	return k + d&k&1
}

// CenterCrop returns the w by h pixels at the centre of src as a view that
// shares its pixels. Where src is smaller it is first padded with zeros, the
// odd row or column at the bottom and right, as torchvision's CenterCrop does
// it; the result is then a new image.
func CenterCrop(src Image, w, h int) (Image, error) {
	if err := src.check("source"); err != nil {
		return Image{}, err
	}
	if err := checkArea("crop", w, h); err != nil {
		return Image{}, err
	}
	// On a padded axis the whole of src is kept.
	view := src.sub(max(CenterOffset(src.W, w), 0), max(CenterOffset(src.H, h), 0), min(src.W, w), min(src.H, h))
	if w <= src.W && h <= src.H {
		return view, nil
	}
	dst, err := NewImage(w, h)
	if err != nil {
		return Image{}, err
	}
	copyRows(dst.sub((w-view.W)/2, (h-view.H)/2, view.W, view.H), view)
	return dst, nil
}
