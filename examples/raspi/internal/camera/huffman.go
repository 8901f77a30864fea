package camera

import (
	"bytes"
	"image"
	"image/jpeg"
	"sync"
)

// withTables returns the picture with Huffman tables. Webcams and AVI files leave them out where they are those of
// ITU-T T.81, annex K.3, which decoders of single pictures expect to be told.
func withTables(picture []byte) []byte {
	if hasTables(picture) {
		return picture
	}
	tables := standardTables()
	whole := make([]byte, 0, len(picture)+len(tables))
	whole = append(whole, picture[:2]...)
	whole = append(whole, tables...)
	return append(whole, picture[2:]...)
}

// hasTables reports whether the picture defines Huffman tables before its first scan, or is too damaged to tell.
func hasTables(picture []byte) bool {
	found := true
	eachSegment(picture, func(marker byte, _ []byte) bool {
		found = marker == markDHT
		return !found && marker != markSOS
	})
	return found
}

// eachSegment visits the segments of a picture, markers and lengths included, until visit returns false.
func eachSegment(picture []byte, visit func(marker byte, segment []byte) bool) {
	for b := picture[min(2, len(picture)):]; len(b) >= 4 && b[0] == 0xff; {
		if b[1] == 0xff {
			b = b[1:]
			continue
		}
		n := 2 + int(b[2])<<8 + int(b[3])
		if n > len(b) || !visit(b[1], b[:n]) {
			return
		}
		b = b[n:]
	}
}

// standardTables are the DHT segments of annex K.3: Go's encoder uses no others.
var standardTables = sync.OnceValue(func() []byte {
	var b, tables bytes.Buffer
	if err := jpeg.Encode(&b, image.NewYCbCr(image.Rect(0, 0, 8, 8), image.YCbCrSubsampleRatio420), nil); err != nil {
		return nil // a buffer takes everything
	}
	eachSegment(b.Bytes(), func(marker byte, segment []byte) bool {
		if marker == markDHT {
			tables.Write(segment)
		}
		return marker != markSOS
	})
	return tables.Bytes()
})
