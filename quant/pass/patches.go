package pass

import (
	"math/rand/v2"

	"github.com/libresnext/libresnext/resnext"
)

// pixels are the places of a layer's output that are looked at: equally many in each image.
type pixels struct {
	perImage int
	at       [][]int // [image][perImage]
}

// samplePixels chooses about total of them; seed is the layer's place in the network.
func samplePixels(images, total int, shape resnext.ConvShape, seed int) pixels {
	area := shape.OutH * shape.OutW
	p := pixels{perImage: min(area, (total+images-1)/images)}
	random := rand.New(rand.NewPCG(uint64(seed), 1))
	for range images {
		p.at = append(p.at, random.Perm(area)[:p.perImage])
	}
	return p
}

// gather copies the sampled pixels of image i's map z to dst, [perImage][channels].
func (p pixels) gather(dst []float32, i int, z []float32, channels int) {
	for j, at := range p.at[i] {
		copy(dst[j*channels:][:channels], z[at*channels:])
	}
}

// gatherSteps is gather of a map in steps of size scale, in real values.
func (p pixels) gatherSteps(dst []float32, i int, m int8Map, channels int, scale float32) {
	for j, at := range p.at[i] {
		m.slice(at*channels, channels).widen(dst[j*channels:], scale)
	}
}

// patches are the inputs of a layer at the sampled pixels, and its errors there.
type patches struct {
	shape  resnext.ConvShape
	maps   []int8Map // what the layer reads, [image]
	pixels pixels
	// errors are the outputs wanted less those that the float weights compute on the maps, [row][Out]: after the ReLU,
	// because what that takes away does not matter.
	errors []float32
}

// rows is how many pixels are sampled, over all images.
func (p *patches) rows() int { return len(p.maps) * p.pixels.perImage }

// Offset is what the maps' steps count from, that of channel i modulo its length; nil is 0.
func (p *patches) Offset() []float32 { return p.maps[0].offset }

// windows writes what the layer sees at the sampled pixels of an image, [perImage][Kernel][Kernel][In], in real values.
func (p *patches) windows(dst []float32, image int, scale float32) {
	n := p.shape.Kernel * p.shape.Kernel * p.shape.In
	for j := range p.pixels.perImage {
		p.window(image, j, 0, p.shape.In, func(k int, m int8Map, inside bool) {
			if row := dst[j*n+k*p.shape.In:][:p.shape.In]; inside {
				m.widen(row, scale)
			} else {
				clear(row)
			}
		})
	}
}

// window visits the taps of a sampled pixel's window: tap k is a piece of the image's map, in of its channels from
// first on, or lies beyond the border.
func (p *patches) window(image, pixel, first, in int, visit func(k int, m int8Map, inside bool)) {
	s, m, at := p.shape, p.maps[image], p.pixels.at[image][pixel]
	y, x := at/s.OutW*s.Stride-s.Kernel/2, at%s.OutW*s.Stride-s.Kernel/2
	for k := range s.Kernel * s.Kernel {
		iy, ix := y+k/s.Kernel, x+k%s.Kernel
		if iy < 0 || iy >= s.InH || ix < 0 || ix >= s.InW {
			visit(k, int8Map{}, false)
		} else {
			visit(k, m.slice((iy*s.InW+ix)*s.In+first, in), true)
		}
	}
}

// read writes what the filters of group g see at a row, in steps and zero beyond the border, to every stride-th
// element of dst.
func (p *patches) read(dst []float32, stride, g, row int) {
	in := p.shape.In / p.shape.Groups
	p.window(row/p.pixels.perImage, row%p.pixels.perImage, g*in, in, func(k int, m int8Map, inside bool) {
		out := dst[k*in*stride:]
		if !inside {
			for c := range in {
				out[c*stride] = 0
			}
			return
		}
		n := len(m.offset)
		for c, v := range m.v {
			value := float32(v)
			if n > 0 {
				value -= m.offset[c%n]
			}
			out[c*stride] = value
		}
	})
}
