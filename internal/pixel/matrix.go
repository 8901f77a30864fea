package pixel

// matrix turns YCbCr into RGB, in fixed point of matrixBits fraction bits:
//
//	R = luma*(Y-black) + crR*(Cr-128)
//	G = luma*(Y-black) - cbG*(Cb-128) - crG*(Cr-128)
//	B = luma*(Y-black) + cbB*(Cb-128)
type matrix struct{ black, luma, crR, cbG, crG, cbB int32 }

const (
	// matrixBits leaves room for sums of up to 10 bits in an int32.
	matrixBits = 20
	matrixOne  = 1 << matrixBits

	// The weights of red, green and blue in luma: BT.601-7, section 2.5.1.
	kr, kg, kb = 0.299, 0.587, 0.114

	// The factors of full-scale chroma differences, as JFIF 1.02 spells them out: 1.402, 0.344136, 0.714136, 1.772.
	redOfCr, greenOfCb, greenOfCr, blueOfCb = 2 * (1 - kr), 2 * (1 - kb) * kb / kg, 2 * (1 - kr) * kr / kg, 2 * (1 - kb)

	// Limited range has 219 steps of luma and 224 of chroma (BT.601-7, section 2.5.3) where RGB has 255.
	lumaStep, chromaStep = 255.0 / 219, 255.0 / 224
)

var (
	limited = newMatrix(16, lumaStep, chromaStep)
	full    = newMatrix(0, 1, 1)
)

func newMatrix(black int32, lumaStep, chromaStep float64) matrix {
	fraction := func(v float64) int32 { return int32(v*matrixOne + 0.5) } // v*matrixOne is exact: a power of two
	return matrix{
		black: black, luma: fraction(lumaStep), crR: fraction(redOfCr * chromaStep),
		cbG: fraction(greenOfCb * chromaStep), crG: fraction(greenOfCr * chromaStep), cbB: fraction(blueOfCb * chromaStep),
	}
}

// chroma is what a pair of chroma samples adds to each channel, with one half for rounding and less the black level.
type chroma struct{ r, g, b int32 }

func (m *matrix) chroma(cb, cr byte) chroma {
	u, v := int32(cb)-128, int32(cr)-128
	base := matrixOne/2 - m.black*m.luma
	return chroma{base + m.crR*v, base - m.cbG*u - m.crG*v, base + m.cbB*u}
}

// put writes one pixel.
func (c chroma) put(rgb *[3]byte, luma int32) {
	rgb[0], rgb[1], rgb[2] = clip((luma+c.r)>>matrixBits), clip((luma+c.g)>>matrixBits), clip((luma+c.b)>>matrixBits)
}

func yuyvRow(rgb, in []byte, m *matrix) {
	for len(in) >= 4 && len(rgb) >= 6 {
		c := m.chroma(in[1], in[3])
		c.put((*[3]byte)(rgb), m.luma*int32(in[0]))
		c.put((*[3]byte)(rgb[3:]), m.luma*int32(in[2]))
		rgb, in = rgb[6:], in[4:]
	}
}

func nv12Row(rgb, luma, cbcr []byte, m *matrix) {
	for len(luma) >= 2 && len(cbcr) >= 2 && len(rgb) >= 6 {
		c := m.chroma(cbcr[0], cbcr[1])
		c.put((*[3]byte)(rgb), m.luma*int32(luma[0]))
		c.put((*[3]byte)(rgb[3:]), m.luma*int32(luma[1]))
		rgb, luma, cbcr = rgb[6:], luma[2:], cbcr[2:]
	}
	if len(luma) >= 1 && len(cbcr) >= 2 && len(rgb) >= 3 { // the last pixel of an odd row
		c := m.chroma(cbcr[0], cbcr[1])
		c.put((*[3]byte)(rgb), m.luma*int32(luma[0]))
	}
}

func i420Row(rgb, luma, cb, cr []byte, m *matrix) {
	for len(luma) >= 2 && len(cb) >= 1 && len(cr) >= 1 && len(rgb) >= 6 {
		c := m.chroma(cb[0], cr[0])
		c.put((*[3]byte)(rgb), m.luma*int32(luma[0]))
		c.put((*[3]byte)(rgb[3:]), m.luma*int32(luma[1]))
		rgb, luma, cb, cr = rgb[6:], luma[2:], cb[1:], cr[1:]
	}
	if len(luma) >= 1 && len(cb) >= 1 && len(cr) >= 1 && len(rgb) >= 3 {
		c := m.chroma(cb[0], cr[0])
		c.put((*[3]byte)(rgb), m.luma*int32(luma[0]))
	}
}
