package pixel

// Each function of this file writes a row of pixels as RGB. The conditions of most loops tell the compiler that no index
// can be out of range. How a name begins is how the bytes lie; r, g, b of rgba are multiplied by a, those of nrgba not.

func bgrRow(rgb, pix []byte) {
	for len(pix) >= 3 && len(rgb) >= channels {
		rgb[0], rgb[1], rgb[2] = pix[2], pix[1], pix[0]
		rgb, pix = rgb[channels:], pix[3:]
	}
}

func bgraRow(rgb, pix []byte) {
	for len(pix) >= 4 && len(rgb) >= channels {
		rgb[0], rgb[1], rgb[2] = pix[2], pix[1], pix[0]
		rgb, pix = rgb[channels:], pix[4:]
	}
}

func grayRow(rgb, pix []byte) {
	for i, v := range pix {
		o := rgb[channels*i : channels*i+channels]
		o[0], o[1], o[2] = v, v, v
	}
}

func nrgbaRow(rgb, pix []byte) {
	for len(pix) >= 4 && len(rgb) >= channels {
		rgb[0], rgb[1], rgb[2] = pix[0], pix[1], pix[2]
		rgb, pix = rgb[channels:], pix[4:]
	}
}

func rgbaRow(rgb, pix []byte) {
	for len(pix) >= 4 && len(rgb) >= channels {
		a := uint32(pix[3])
		rgb[0], rgb[1], rgb[2] = straight(pix[0], a), straight(pix[1], a), straight(pix[2], a)
		rgb, pix = rgb[channels:], pix[4:]
	}
}

// The 16-bit samples of image.NRGBA64 and image.RGBA64 are big-endian: the top byte comes first.

func nrgba64Row(rgb, pix []byte) {
	for len(pix) >= 8 && len(rgb) >= channels {
		rgb[0], rgb[1], rgb[2] = pix[0], pix[2], pix[4]
		rgb, pix = rgb[channels:], pix[8:]
	}
}

func rgba64Row(rgb, pix []byte) {
	for len(pix) >= 8 && len(rgb) >= channels {
		a := uint32(pix[6])<<8 | uint32(pix[7])
		for i := range channels {
			rgb[i] = straight16(uint32(pix[2*i])<<8|uint32(pix[2*i+1]), a)
		}
		rgb, pix = rgb[channels:], pix[8:]
	}
}

// straight16 is straight for samples of 16 bits.
func straight16(c, a uint32) byte {
	switch a {
	case 0xffff:
		return byte(c >> 8)
	case 0:
		return 0
	}
	return byte(c * 0xffff / a >> 8)
}

// straight undoes the multiplication of c by the alpha a.
func straight(c byte, a uint32) byte {
	switch a {
	case 255:
		return c
	case 0:
		return 0
	}
	return byte(min(uint32(c)*0xffff/a, 0xffff) >> 8)
}

func gray16Row(rgb, pix []byte) {
	for i := range len(pix) / 2 {
		v, o := pix[2*i], rgb[channels*i:channels*i+channels] // big-endian: top byte first
		o[0], o[1], o[2] = v, v, v
	}
}

func cmykRow(rgb, pix []byte) {
	for len(pix) >= 4 && len(rgb) >= channels {
		white := 255 - int32(pix[3])
		for i := range channels {
			rgb[i] = clip(white - scale255(int32(pix[i]), white))
		}
		rgb, pix = rgb[channels:], pix[4:]
	}
}

// scale255 returns a*b/255 to the nearest.
func scale255(a, b int32) int32 {
	t := a*b + 128
	return (t>>8 + t) >> 8
}

func palettedRow(rgb, pix []byte, palette *[256][channels]byte) {
	for i, v := range pix {
		copy(rgb[channels*i:channels*i+channels], palette[v][:])
	}
}

// clip limits v to a byte.
func clip(v int32) byte {
	if uint32(v) > 255 {
		v = ^v >> 31 // all ones above the range, zero below it
	}
	return byte(v)
}
