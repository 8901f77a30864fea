package pixel

import (
	"fmt"
	"image"
)

// fromYCbCr converts rows of m from top on, row by row and in pieces that fit on the stack.
func fromYCbCr(dst Image, m *image.YCbCr, top int, up upsampler) {
	const piece = 512
	var cb, cr [piece]byte
	for y := range dst.H {
		luma := m.Y[(top+y)*m.YStride:]
		rgb := dst.row(y)
		near, far, bias := up.rows(top + y)
		near, far = near*m.CStride, far*m.CStride
		for x := 0; x < dst.W; x += piece {
			n := min(piece, dst.W-x)
			up.row(cb[:n], m.Cb[near:], m.Cb[far:], x, bias)
			up.row(cr[:n], m.Cr[near:], m.Cr[far:], x, bias)
			if up.vp8 {
				vp8Row(rgb[channels*x:], luma[x:x+n], cb[:n], cr[:n])
			} else {
				jfifRow(rgb[channels*x:], luma[x:x+n], cb[:n], cr[:n])
			}
		}
	}
}

// upsampler brings the chroma planes of one image to full resolution. Halved
// axes are interpolated with the weights 3/4 and 1/4 of the "fancy" upsampling
// of libjpeg and libwebp; at a border the missing neighbour is the sample
// itself. All other ratios repeat the sample.
type upsampler struct {
	vp8 bool // the picture is VP8's, not JPEG's

	hShift, vShift int // log2 of the luma pixels a chroma sample covers
	phaseX, phaseY int // position of the first pixel within its sample
	lastX, lastY   int // last chroma column and row
	smoothX        bool
	smoothY        bool

	// left and right are added before the shift by 4 that ends the
	// interpolation of the left and right pixel of a sample.
	left, right int
}

// jpegUpsampler follows libjpeg: 4:2:2, 4:4:0 and 4:2:0 are interpolated, but
// not along rows of fewer than 3 samples.
func jpegUpsampler(m *image.YCbCr) upsampler {
	up := newUpsampler(m)
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		up.smoothX = up.lastX >= 2
		up.left, up.right = 4, 8
	case image.YCbCrSubsampleRatio440:
		up.smoothY = true
	case image.YCbCrSubsampleRatio420:
		up.smoothX = up.lastX >= 2
		up.smoothY = up.smoothX
		up.left, up.right = 8, 7
	}
	return up
}

// vp8Upsampler follows libwebp: 4:2:0, always interpolated.
func vp8Upsampler(m *image.YCbCr) upsampler {
	up := newUpsampler(m)
	up.vp8 = true
	up.smoothX, up.smoothY = true, true
	up.left, up.right = 8, 8
	return up
}

func newUpsampler(m *image.YCbCr) upsampler {
	var up upsampler
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		up.hShift = 1
	case image.YCbCrSubsampleRatio420:
		up.hShift, up.vShift = 1, 1
	case image.YCbCrSubsampleRatio440:
		up.vShift = 1
	case image.YCbCrSubsampleRatio411:
		up.hShift = 2
	case image.YCbCrSubsampleRatio410:
		up.hShift, up.vShift = 2, 1
	}
	up.phaseX = m.Rect.Min.X & (1<<up.hShift - 1)
	up.phaseY = m.Rect.Min.Y & (1<<up.vShift - 1)
	up.lastX = (up.phaseX + m.Rect.Dx() - 1) >> up.hShift
	up.lastY = (up.phaseY + m.Rect.Dy() - 1) >> up.vShift
	return up
}

// rows returns the chroma row that pixel row y lies in, the neighbour that is
// mixed in (itself where nothing is), and the rounding of a column that is
// interpolated vertically alone.
func (up *upsampler) rows(y int) (near, far, bias int) {
	y += up.phaseY
	near = y >> up.vShift
	switch {
	case !up.smoothY:
		return near, near, 0
	case y&1 == 0:
		return near, max(near-1, 0), 1
	default:
		return near, min(near+1, up.lastY), 2
	}
}

// row writes the pixels [x, x+len(out)) of one upsampled row.
func (up *upsampler) row(out, near, far []byte, x, bias int) {
	x += up.phaseX
	switch {
	case up.smoothX:
		up.smoothRow(out, near[:up.lastX+1], far[:up.lastX+1], x)
	case up.smoothY:
		for i := range out {
			out[i] = byte((3*int(near[x+i]) + int(far[x+i]) + bias) >> 2)
		}
	case up.hShift == 0:
		copy(out, near[x:])
	default:
		for i := range out {
			out[i] = near[(x+i)>>up.hShift]
		}
	}
}

// smoothRow interpolates horizontally between the sums 3*near + far of
// neighbouring samples. (Where near is far, that is 4*near: the plain
// horizontal filter with the same shift.)
func (up *upsampler) smoothRow(out, near, far []byte, x int) {
	left, right := up.left, up.right
	c := x >> 1
	last, this := mix(near, far, max(c-1, 0)), mix(near, far, c)
	next := mix(near, far, min(c+1, up.lastX))
	if x&1 == 1 {
		out[0] = byte((3*this + next + right) >> 4)
		out = out[1:]
		c, last, this = c+1, this, next
	}
	for ; len(out) >= 2 && c < up.lastX; c++ {
		next = mix(near, far, c+1)
		out[0] = byte((3*this + last + left) >> 4)
		out[1] = byte((3*this + next + right) >> 4)
		out = out[2:]
		last, this = this, next
	}
	// What is left are the pixels of one sample: the piece's or the row's last.
	if len(out) > 0 {
		out[0] = byte((3*this + last + left) >> 4)
	}
	if len(out) > 1 {
		out[1] = byte((4*this + right) >> 4)
	}
}

// mix is the vertical part of the interpolation at column c, times 4.
func mix(near, far []byte, c int) int { return 3*int(near[c]) + int(far[c]) }

// jfifRow converts full-range BT.601, as JFIF defines it, in 16-bit fixed point
// with the rounding of libjpeg. rgb holds 3 bytes for each byte of y.
func jfifRow(rgb, y, cb, cr []byte) {
	const (
		crR  = 91881  // 1.402
		cbG  = 22554  // 0.34414
		crG  = 46802  // 0.71414
		cbB  = 116130 // 1.772
		half = 1 << 15
	)
	cb, cr = cb[:len(y)], cr[:len(y)]
	rgb = rgb[:channels*len(y)]
	for i, luma := range y {
		l, u, v := int32(luma), int32(cb[i])-128, int32(cr[i])-128
		o := rgb[channels*i : channels*i+channels]
		o[0] = clip(l + (crR*v+half)>>16)
		o[1] = clip(l + (half-cbG*u-crG*v)>>16)
		o[2] = clip(l + (cbB*u+half)>>16)
	}
}

// vp8Row converts BT.601 with luma in 16..235 and chroma in 16..240, in the
// 14-bit fixed point of libwebp.
func vp8Row(rgb, y, cb, cr []byte) {
	cb, cr = cb[:len(y)], cr[:len(y)]
	rgb = rgb[:channels*len(y)]
	for i, luma := range y {
		l, u, v := int32(luma)*19077>>8, int32(cb[i]), int32(cr[i])
		o := rgb[channels*i : channels*i+channels]
		o[0] = clip((l + v*26149>>8 - 14234) >> 6)
		o[1] = clip((l - u*6419>>8 - v*13320>>8 + 8708) >> 6)
		o[2] = clip((l + u*33050>>8 - 17685) >> 6)
	}
}

// checkYCbCr reports whether the planes of m cover its rectangle.
func checkYCbCr(m *image.YCbCr) error {
	up := newUpsampler(m)
	w, h := m.Rect.Dx(), m.Rect.Dy()
	if m.YStride < w || !holds(len(m.Y), m.YStride, w, h) {
		return fmt.Errorf("pixel: YCbCr image: %d bytes of luma with a stride of %d are too few for %dx%d",
			len(m.Y), m.YStride, w, h)
	}
	chroma := min(len(m.Cb), len(m.Cr))
	if m.CStride <= up.lastX || !holds(chroma, m.CStride, up.lastX+1, up.lastY+1) {
		return fmt.Errorf("pixel: YCbCr image: %d bytes of chroma with a stride of %d are too few for %dx%d at %v",
			chroma, m.CStride, w, h, m.SubsampleRatio)
	}
	return nil
}
