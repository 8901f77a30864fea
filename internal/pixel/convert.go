package pixel

import "fmt"

// Convert writes the picture into rgb: W*H*3 bytes, R G B, row after row without gaps. It is safe for concurrent use
// on different rgb, which must not overlap the picture's planes.
func (m *Frame) Convert(rgb []byte) error {
	if err := m.Check(); err != nil {
		return err
	}
	if want := m.W * m.H * channels; len(rgb) != want {
		return fmt.Errorf("the buffer for RGB has %d bytes, expected %d for %dx%d pixels", len(rgb), want, m.W, m.H)
	}
	n := m.W * channels
	for y := range m.H {
		m.convertRow(rgb[y*n:(y+1)*n:(y+1)*n], y)
	}
	return nil
}

func (m *Frame) convertRow(rgb []byte, y int) {
	switch in := m.row(0, y); m.Format {
	case RGB:
		copy(rgb, in)
	case BGR:
		bgrRow(rgb, in)
	case RGBA:
		nrgbaRow(rgb, in)
	case BGRA:
		bgraRow(rgb, in)
	case Gray:
		grayRow(rgb, in)
	case NV12:
		nv12Row(rgb, in, m.row(1, y/2), m.matrix())
	case YUYV:
		yuyvRow(rgb, in, m.matrix())
	case I420:
		i420Row(rgb, in, m.row(1, y/2), m.row(2, y/2), m.matrix())
	}
}

func (m *Frame) matrix() *matrix {
	if m.FullRange {
		return &full
	}
	return &limited
}
