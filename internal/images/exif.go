package images

import (
	"bytes"
	"encoding/binary"
	"image"
	"math"

	"github.com/libresnext/libresnext/internal/resize"
)

// exifOrientation returns the Orientation of a JPEG file's EXIF data, 1 to 8
// (Exif 2.3, tag 0x0112). Without the tag, or where it is damaged, it is 1:
// upright.
func exifOrientation(jpeg []byte) int {
	const (
		app1        = 0xE1
		startOfScan = 0xDA
	)
	for at := 2; at+4 <= len(jpeg) && jpeg[at] == 0xFF; {
		marker := jpeg[at+1]
		if marker == 0xFF { // padding
			at++
			continue
		}
		size := int(binary.BigEndian.Uint16(jpeg[at+2:])) // of the segment, these 2 bytes included
		if marker == startOfScan || size < 2 || at+2+size > len(jpeg) {
			return 1
		}
		if tiff, ok := bytes.CutPrefix(jpeg[at+4:at+2+size], []byte("Exif\x00\x00")); ok && marker == app1 {
			return tiffOrientation(tiff)
		}
		at += 2 + size
	}
	return 1
}

// Tags of TIFF directories.
const (
	tagCompression = 0x0103
	tagOrientation = 0x0112
)

// tiffOrientation returns the Orientation of TIFF data, 1 to 8, or 1.
func tiffOrientation(b []byte) int {
	if v := tiffTag(b, tagOrientation); v >= 1 && v <= 8 {
		return v
	}
	return 1
}

// tiffTag returns the number that a tag has in the first directory of TIFF data; 0 if it has none.
func tiffTag(b []byte, tag uint16) int {
	const (
		header, entrySize = 8, 12
		typeShort         = 3
		typeLong          = 4
	)
	if len(b) < header {
		return 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(b[:4]) {
	case "II*\x00":
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 0
	}
	first := order.Uint32(b[4:])
	if uint64(first)+2 > uint64(len(b)) {
		return 0
	}
	dir := b[first:]
	entries := dir[2:]
	for range order.Uint16(dir) {
		if len(entries) < entrySize {
			return 0
		}
		e := entries[:entrySize]
		entries = entries[entrySize:]
		switch {
		case order.Uint16(e) != tag:
		case order.Uint32(e[4:]) != 1:
			return 0
		case order.Uint16(e[2:]) == typeShort:
			return int(order.Uint16(e[8:]))
		case order.Uint16(e[2:]) == typeLong:
			return int(min(order.Uint32(e[8:]), math.MaxInt32))
		default:
			return 0
		}
	}
	return 0
}

// upright returns the picture that a stored one of the given EXIF orientation
// shows: m itself, or an RGB copy turned and mirrored.
func upright(m image.Image, orientation int) (image.Image, error) {
	if orientation == 1 {
		return m, nil
	}
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	src, err := resize.NewImage(w, h)
	if err != nil {
		return nil, err
	}
	if err := resize.FromImage(src, m); err != nil {
		return nil, err
	}
	// The stored pixel that is shown first, and the distance to the one that
	// is shown right of and below another.
	var first, right, below int
	switch orientation {
	case 2: // mirrored left to right
		first, right, below = w-1, -1, w
	case 3: // turned by 180 degrees
		first, right, below = w*h-1, -1, -w
	case 4: // mirrored top to bottom
		first, right, below = w*(h-1), 1, -w
	case 5: // rows and columns exchanged
		first, right, below = 0, w, 1
	case 6: // to be turned clockwise
		first, right, below = w*(h-1), -w, 1
	case 7: // mirrored in the other diagonal
		first, right, below = w*h-1, -w, -1
	case 8: // to be turned anticlockwise
		first, right, below = w-1, w, -1
	}
	if orientation >= 5 {
		w, h = h, w
	}
	dst := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		row := dst.Pix[y*dst.Stride:]
		for x := range w {
			copy(row[4*x:], src.Pix[3*(first+x*right+y*below):][:3])
			row[4*x+3] = 255
		}
	}
	return dst, nil
}
