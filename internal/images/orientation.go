package images

import (
	"bytes"
	"encoding/binary"
)

// orientation returns the EXIF orientation of an image file, 1 to 8; 1, upright, where it has none. format is
// the name that package image gives.
func orientation(format string, file []byte) int {
	switch format {
	case "jpeg":
		return exifOrientation(file)
	case "png":
		return tiffOrientation(pngChunk(file, "eXIf"))
	case "webp":
		return tiffOrientation(bytes.TrimPrefix(webpChunk(file, "EXIF"), []byte("Exif\x00\x00")))
	case "tiff":
		return tiffOrientation(file)
	}
	return 1
}

// pngChunk returns the content of the first chunk of a name (PNG, section 5.3), or nil.
func pngChunk(file []byte, name string) []byte {
	const signature, around = 8, 12 // bytes before the chunks, and around each content: length, name, checksum
	for rest := file[min(signature, len(file)):]; len(rest) >= around; {
		size := uint64(binary.BigEndian.Uint32(rest))
		if size > uint64(len(rest)-around) {
			return nil
		}
		if string(rest[4:8]) == name {
			return rest[8 : 8+size]
		}
		rest = rest[around+size:]
	}
	return nil
}

// webpChunk returns the content of the first chunk of a name (RIFF: chunks of even length), or nil.
func webpChunk(file []byte, name string) []byte {
	const header, before = 12, 8
	for rest := file[min(header, len(file)):]; len(rest) >= before; {
		size := uint64(binary.LittleEndian.Uint32(rest[4:]))
		if size > uint64(len(rest)-before) {
			return nil
		}
		if string(rest[:4]) == name {
			return rest[before : before+size]
		}
		rest = rest[min(before+size+size&1, uint64(len(rest))):]
	}
	return nil
}
