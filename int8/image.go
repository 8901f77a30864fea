package int8

import "encoding/binary"

// Image is the shape of the input in memory: RGB bytes, 3 a pixel, with a border in the colour nearest to
// the mean. The stem reads each row of its window as one run of bytes, so a few bytes past the last pixel
// are readable too; they meet zero weights.
type Image struct {
	H, W   int
	Border int
}

// imageSlack covers the longest run that the stem's padding of K reads past a window.
const imageSlack = 8

// Row is the distance in bytes from one row to the next.
func (m Image) Row() int { return (m.W + 2*m.Border) * 3 }

// Size is the buffer's size in bytes, see Map.Size.
func (m Image) Size() int64 { return int64(m.H+2*m.Border)*int64(m.W+2*m.Border)*3 + imageSlack }

// Bytes is Size, for images of at most MaxBytes.
func (m Image) Bytes() int { return int(m.Size()) }

// Clear fills the buffer with the border's colour. flip is the kernel set's InputFlip.
func (m Image) Clear(buf []byte, pad [3]byte, flip byte) {
	for i := range buf {
		buf[i] = pad[i%3] ^ flip
	}
}

// Load copies H*W*3 bytes of RGB into the buffer, inside the border.
func (m Image) Load(buf, rgb []byte, flip byte) {
	for y := range m.H {
		row := buf[(y+m.Border)*m.Row()+m.Border*3:][:m.W*3]
		src := rgb[y*m.W*3:][:m.W*3]
		if flip == 0 {
			copy(row, src)
			continue
		}
		flipped(row, src, flip)
	}
}

// flipped sets dst to src with flip xored onto each byte, eight at once.
func flipped(dst, src []byte, flip byte) {
	eight := 0x0101010101010101 * uint64(flip)
	for len(src) >= 8 {
		binary.NativeEndian.PutUint64(dst, binary.NativeEndian.Uint64(src)^eight)
		dst, src = dst[8:], src[8:]
	}
	for i, b := range src {
		dst[i] = b ^ flip
	}
}
