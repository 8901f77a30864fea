package images

import (
	"bytes"
	"encoding/binary"
	"image"

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

// tiffOrientation looks the tag up in the first directory of TIFF data.
func tiffOrientation(b []byte) int {
	const (
		header, entrySize = 8, 12
		tagOrientation    = 0x0112
		typeShort         = 3
		typeLong          = 4
	)
	if len(b) < header {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(b[:4]) {
	case "II*\x00":
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	first := order.Uint32(b[4:])
	if uint64(first)+2 > uint64(len(b)) {
		return 1
	}
	dir := b[first:]
	entries := dir[2:]
	for range order.Uint16(dir) {
		if len(entries) < entrySize {
			return 1
		}
		e := entries[:entrySize]
		entries = entries[entrySize:]
		if order.Uint16(e) != tagOrientation {
			continue
		}
		value := uint32(0)
		switch order.Uint16(e[2:]) {
		case typeShort:
			value = uint32(order.Uint16(e[8:]))
		case typeLong:
			value = order.Uint32(e[8:])
		}
		if value >= 1 && value <= 8 && order.Uint32(e[4:]) == 1 {
			return int(value)
		}
		return 1
	}
	return 1
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
