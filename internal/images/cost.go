package images

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
)

// cost returns how many bytes decoding an image file takes at its peak, beside the file, and what of its kind makes it
// expensive, for people. It reads no further than headers. config is what image.DecodeConfig gives; its sizes must
// have passed checkSize, so that no product here overflows.
//
// What is counted are the allocations of Go's decoders as they are in their sources. Where a header does not tell, the
// worst is taken.
func cost(format string, config image.Config, b []byte) (n int64, kind string) {
	w, h := int64(config.Width), int64(config.Height)
	switch format {
	case "jpeg":
		n, kind = jpegCost(w, h, b)
	case "png":
		n, kind = pngCost(w, h, config, b)
	case "gif":
		n = 3 * w * h // the frame, the frame without interlacing, the screen
	case "bmp":
		n = w*h*pixelBytes(config.ColorModel) + 4*w // and a row
	case "tiff":
		n = tiffCost(w, h, config, b)
	case "webp":
		n = webpCost(w, h, b)
	default:
		n = 8 * w * h
	}
	if orientation(format, b) != 1 {
		n += 3 * w * h // upright's copy
	}
	return n, kind
}

// pixelBytes is the size of a pixel of the image type that has a colour model.
func pixelBytes(m color.Model) int64 {
	if _, ok := m.(color.Palette); ok {
		return 1
	}
	switch m {
	case color.GrayModel:
		return 1
	case color.Gray16Model:
		return 2
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	}
	return 4
}

func pngCost(w, h int64, config image.Config, b []byte) (n int64, kind string) {
	const interlace = 28 // the place of the method in the first chunk
	size := pixelBytes(config.ColorModel)
	if pngChunk(b, "tRNS") != nil { // gray with a transparent level becomes RGBA
		switch config.ColorModel {
		case color.GrayModel, color.Gray16Model:
			size *= 4
		}
	}
	n = w * h * size
	if len(b) > interlace && b[interlace] != 0 {
		n, kind = 2*n, "interlaced" // the passes have as many pixels again
	}
	if size == 8 {
		kind = join("16 bits a sample", kind)
	}
	return n + 16*w, kind // and two rows
}

// join puts a comma between two words, if there are two.
func join(a, b string) string {
	if b == "" {
		return a
	}
	return a + ", " + b
}

// jpegCost reads the start of the frame, see ITU-T T.81, B.2.2.
func jpegCost(w, h int64, b []byte) (n int64, kind string) {
	const (
		progressive = 0xC2
		fixed       = 6 // bytes before the components, of which each has 3
		blockSide   = 8
		coefficient = 4 // bytes
	)
	marker, frame := jpegFrame(b)
	if len(frame) < fixed || len(frame) < fixed+3*int(frame[5]) || frame[5] == 0 {
		return 20 * w * h, "" // 4 components, progressive; there is no such file
	}
	components := frame[fixed : fixed+3*int(frame[5])]
	across, down := int64(components[1]>>4), int64(components[1]&15)
	if len(components) == 3 {
		across, down = 1, 1
	}
	if across < 1 || down < 1 {
		return 20 * w * h, "" // refused
	}
	// Planes end with a whole unit of blocks.
	units := ((w + blockSide*across - 1) / (blockSide * across)) * ((h + blockSide*down - 1) / (blockSide * down))
	for ; len(components) > 0; components = components[3:] {
		blocks := int64(components[1]>>4) * int64(components[1]&15)
		if len(components) == 3 && n == 0 {
			blocks = 1
		}
		n += units * blocks * blockSide * blockSide
	}
	if marker == progressive {
		n, kind = n+n*coefficient, "progressive"
	}
	if frame[5] == 4 || jpegRGB(frame, b) {
		n += 4 * w * h // interleaved
	}
	return n, kind
}

// jpegFrame returns the marker and the content of the first frame header. It walks as image/jpeg does, rubbish between
// segments included, so that both see the same one.
func jpegFrame(b []byte) (marker byte, content []byte) {
	const sof0, sof1, sof2, rst0, rst7, end, scan = 0xC0, 0xC1, 0xC2, 0xD0, 0xD7, 0xD9, 0xDA
	for b = b[min(2, len(b)):]; ; {
		start := bytes.IndexByte(b, 0xFF)
		if start < 0 {
			return 0, nil
		}
		for b = b[start:]; len(b) > 0 && b[0] == 0xFF; { // padding too
			b = b[1:]
		}
		if len(b) == 0 {
			return 0, nil
		}
		marker, b = b[0], b[1:]
		switch {
		case marker == 0 || marker >= rst0 && marker <= rst7:
			continue
		case marker == end || marker == scan || len(b) < 2:
			return 0, nil
		}
		size := int(binary.BigEndian.Uint16(b))
		if size < 2 || size > len(b) {
			return 0, nil
		}
		if marker == sof0 || marker == sof1 || marker == sof2 {
			return marker, b[2:size]
		}
		b = b[size:]
	}
}

// jpegRGB reports whether image/jpeg may take 3 components for red, green and blue: by their names, or by an Adobe
// segment with the transform 0, which may stand anywhere.
func jpegRGB(frame, b []byte) bool {
	const transform = 11 // its place after the word
	if frame[5] != 3 {
		return false
	}
	if frame[6] == 'R' && frame[9] == 'G' && frame[12] == 'B' {
		return true
	}
	for {
		at := bytes.Index(b, []byte("Adobe"))
		if at < 0 || at+transform >= len(b) {
			return false
		}
		if b[at+transform] == 0 {
			return true
		}
		b = b[at+1:]
	}
}

// tiffChunk is how many bytes golang.org/x/image/tiff reads of a file at a time, whether they are there or not, as soon
// as a header names a place that far away.
const tiffChunk = 10 << 20

// tiffCost counts the image; the largest strip or tile, which the decoder unpacks in a buffer that doubles as it
// fills: with all that it was before, four times its size; and the file again, in such a buffer. The decoder unpacks up
// to 8 bytes a pixel whatever the pixels have.
func tiffCost(w, h int64, config image.Config, b []byte) int64 {
	const (
		tagTileWidth, tagTileLength = 0x0142, 0x0143
		tagRowsPerStrip             = 0x0116
		none, deflate, deflateOld   = 1, 8, 32946
		packBits                    = 32773

		maxLZW, maxPackBits = 2560, 64 // bytes that one byte of a file can stand for
		maxTile             = 1024     // beyond the picture's side
		offsets             = 24       // of a block: two numbers of 4 bytes in the file and 8 in memory
	)
	bw, bh := w, h
	if tw := tiffFirst(b, tagTileWidth); tw > 0 {
		// Larger ones are refused.
		bw, bh = min(tw, w+maxTile), min(tiffFirst(b, tagTileLength), h+maxTile)
	} else if rows := tiffFirst(b, tagRowsPerStrip); rows > 0 {
		bh = min(rows, h)
	}
	expansion := int64(maxLZW)
	switch tiffFirst(b, tagCompression) {
	case none:
		expansion = 0 // it stays where it is
	case deflate, deflateOld:
		expansion = maxDeflate
	case packBits:
		expansion = maxPackBits
	}
	unpacked := 8 * bw * bh
	blocks := ((w + bw - 1) / max(bw, 1)) * ((h + bh - 1) / max(bh, 1))
	file := int64(len(b))
	return w*h*pixelBytes(config.ColorModel) + 4*min(unpacked, expansion*file) + 3*file + tiffChunk + offsets*blocks
}

// webpCost takes a file for lossless, which takes more, unless it surely is not.
func webpCost(w, h int64, b []byte) int64 {
	const macroBlock = 16
	if webpChunk(b, "VP8 ") == nil || webpChunk(b, "VP8L") != nil {
		return losslessCost(w, h, b)
	}
	planes := (w + macroBlock - 1) / macroBlock * ((h + macroBlock - 1) / macroBlock) * (macroBlock*macroBlock*3/2 + 16)
	n := planes + int64(len(b)) // and its partitions
	if webpChunk(b, "ALPH") != nil {
		n += losslessCost(w, h, b) + w*h
	}
	return n
}

// losslessCost counts 4 bytes a pixel; with a palette as many as half of them before it is applied; the transforms'
// maps, of a pixel for at least 4x4; and Huffman trees, of which golang.org/x/image/vp8l has at most 2600 groups.
func losslessCost(w, h int64, b []byte) int64 {
	const (
		maxGroups  = 2600
		leastGroup = 5 * 536  // bytes of a group's 5 trees without nodes
		mostNodes  = 54 << 10 // bytes of its nodes
		nodesRatio = 256      // bytes of nodes that a byte of the file can stand for
	)
	groups := min(maxGroups, w*h/16+1)
	return 7*w*h + groups*leastGroup + min(groups*mostNodes, nodesRatio*int64(len(b)))
}
