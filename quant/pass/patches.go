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

// gather copies the sampled pixels of image i's map z to their rows of dst, [image][perImage][channels].
func (p pixels) gather(dst []float32, i int, z []float32, channels int) {
	for j, at := range p.at[i] {
		copy(dst[(i*p.perImage+j)*channels:][:channels], z[at*channels:])
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

// read writes what the filters of group g see at a row, in steps and zero beyond the border, to every stride-th
// element of dst.
func (p *patches) read(dst []float32, stride, g, row int) {
	s := p.shape
	image := row / p.pixels.perImage
	at := p.pixels.at[image][row%p.pixels.perImage]
	y, x := at/s.OutW*s.Stride-s.Kernel/2, at%s.OutW*s.Stride-s.Kernel/2
	m, in := p.maps[image], s.In/s.Groups
	for k := range s.Kernel * s.Kernel {
		iy, ix, out := y+k/s.Kernel, x+k%s.Kernel, dst[k*in*stride:]
		if iy < 0 || iy >= s.InH || ix < 0 || ix >= s.InW {
			for c := range in {
				out[c*stride] = 0
			}
			continue
		}
		for c, v := range m.v[(iy*s.InW+ix)*s.In+g*in:][:in] {
			value := float32(v)
			if n := len(m.offset); n > 0 {
				value -= m.offset[(g*in+c)%n]
			}
			out[c*stride] = value
		}
	}
}
