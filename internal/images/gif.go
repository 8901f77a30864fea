package images

import (
	"image"
	"image/color"
	"slices"
)

// wholeGIF returns the first frame on the GIF's whole screen, the rest filled
// with its transparent index, or index 0. The transparent colour, which
// image/gif replaces by black, is put back with alpha 0.
func wholeGIF(m image.Image, screen image.Config, file []byte) image.Image {
	frame, ok := m.(*image.Paletted)
	if !ok {
		return m
	}
	transparent := slices.IndexFunc(frame.Palette, func(c color.Color) bool { _, _, _, a := c.RGBA(); return a == 0 })
	if table := gifColours(file); transparent >= 0 && 3*transparent+3 <= len(table) {
		rgb := table[3*transparent:]
		frame.Palette[transparent] = color.NRGBA{R: rgb[0], G: rgb[1], B: rgb[2]}
	}
	whole := image.Rect(0, 0, screen.Width, screen.Height)
	if frame.Rect == whole {
		return frame
	}
	canvas := image.NewPaletted(whole, frame.Palette)
	for i := range canvas.Pix {
		canvas.Pix[i] = byte(max(transparent, 0))
	}
	r := frame.Rect.Intersect(whole)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		copy(canvas.Pix[canvas.PixOffset(r.Min.X, y):][:r.Dx()], frame.Pix[frame.PixOffset(r.Min.X, y):])
	}
	return canvas
}

// gifColours returns the colour table of the first frame of a GIF file, 3 bytes
// a colour (GIF89a, sections 18 to 21), or nil.
func gifColours(b []byte) []byte {
	const (
		headerSize     = 13
		extension      = 0x21
		descriptor     = 0x2C
		descriptorSize = 10
	)
	if len(b) < headerSize {
		return nil
	}
	global, b := colourTable(b[10], b[headerSize:])
	for len(b) >= descriptorSize {
		switch b[0] {
		case extension:
			b = b[2:]
			for len(b) > 0 && b[0] != 0 { // sub-blocks, each after its size
				b = b[min(int(b[0])+1, len(b)):]
			}
			b = b[min(1, len(b)):]
		case descriptor:
			if local, _ := colourTable(b[9], b[descriptorSize:]); local != nil {
				return local
			}
			return global
		default:
			return nil
		}
	}
	return nil
}

// colourTable splits off the table that flags announce at the start of b.
func colourTable(flags byte, b []byte) (table, rest []byte) {
	if flags&0x80 == 0 {
		return nil, b
	}
	n := min(3<<(flags&7+1), len(b))
	return b[:n], b[n:]
}
