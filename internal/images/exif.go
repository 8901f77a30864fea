package images

import (
	"bytes"
	"encoding/binary"
	"image"
	"math"

	"github.com/libresnext/libresnext/internal/pixel"
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

// The types of numbers in TIFF directories.
const (
	typeByte  = 1
	typeShort = 3
	typeLong  = 4
)

// tiffTag returns the number that a tag has in the first directory of TIFF data; 0 if it has none, or several.
func tiffTag(b []byte, tag uint16) int {
	e, order := tiffEntry(b, tag)
	switch {
	case e == nil || order.Uint32(e[4:]) != 1:
		return 0
	case order.Uint16(e[2:]) == typeShort:
		return int(order.Uint16(e[8:]))
	case order.Uint16(e[2:]) == typeLong:
		return int(min(order.Uint32(e[8:]), math.MaxInt32))
	}
	return 0
}

// tiffFirst returns the first of the numbers that a tag has, as golang.org/x/image/tiff takes it: of bytes, too, and
// wherever they are; 0 if it has none.
func tiffFirst(b []byte, tag uint16) int64 {
	e, order := tiffEntry(b, tag)
	if e == nil {
		return 0
	}
	size := map[uint16]uint64{typeByte: 1, typeShort: 2, typeLong: 4}[order.Uint16(e[2:])]
	value := e[8:]
	if count := uint64(order.Uint32(e[4:])); count == 0 {
		return 0
	} else if count*size > 4 {
		at := uint64(order.Uint32(value))
		if at+size > uint64(len(b)) {
			return 0
		}
		value = b[at:]
	}
	switch size {
	case 1:
		return int64(value[0])
	case 2:
		return int64(order.Uint16(value))
	case 4:
		return int64(order.Uint32(value))
	}
	return 0
}

// tiffEntry returns the 12 bytes of a tag in the first directory of TIFF data, or nil: tag, type, how many numbers, and
// these, or where they are.
func tiffEntry(b []byte, tag uint16) ([]byte, binary.ByteOrder) {
	const header, entrySize = 8, 12
	if len(b) < header {
		return nil, nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(b[:4]) {
	case "II*\x00":
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return nil, nil
	}
	first := order.Uint32(b[4:])
	if uint64(first)+2 > uint64(len(b)) {
		return nil, nil
	}
	dir := b[first:]
	entries := dir[2:]
	for range order.Uint16(dir) {
		if len(entries) < entrySize {
			return nil, nil
		}
		if order.Uint16(entries) == tag {
			return entries[:entrySize], order
		}
		entries = entries[entrySize:]
	}
	return nil, nil
}

// upright returns the picture that a stored one of the given EXIF orientation
// shows: m itself, or an RGB copy that is read turned and mirrored.
func upright(m image.Image, orientation int) (image.Image, error) {
	if orientation == 1 {
		return m, nil
	}
	src, ok := m.(*rgbImage)
	if !ok {
		size := m.Bounds().Size()
		rgb, err := pixel.NewImage(size.X, size.Y)
		if err != nil {
			return nil, err
		}
		if err := pixel.FromImage(rgb, m); err != nil {
			return nil, err
		}
		src = newRGBImage(rgb.Pix, size.X, size.Y)
	}
	w, h := src.w, src.h
	dst := &rgbImage{pix: src.pix, w: w, h: h}
	switch orientation {
	case 2: // mirrored left to right
		dst.first, dst.right, dst.below = w-1, -1, w
	case 3: // turned by 180 degrees
		dst.first, dst.right, dst.below = w*h-1, -1, -w
	case 4: // mirrored top to bottom
		dst.first, dst.right, dst.below = w*(h-1), 1, -w
	case 5: // rows and columns exchanged
		dst.first, dst.right, dst.below = 0, w, 1
	case 6: // to be turned clockwise
		dst.first, dst.right, dst.below = w*(h-1), -w, 1
	case 7: // mirrored in the other diagonal
		dst.first, dst.right, dst.below = w*h-1, -w, -1
	case 8: // to be turned anticlockwise
		dst.first, dst.right, dst.below = w-1, w, -1
	}
	if orientation >= 5 {
		dst.w, dst.h = h, w
	}
	return dst, nil
}
