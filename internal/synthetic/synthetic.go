// Package synthetic makes up pictures for networks that have none: smooth random colour fields with ever finer and
// fainter detail, whose spectrum falls off like that of photographs. White noise would give the layers nothing but
// noise to measure. They are the same on every machine.
package synthetic

import (
	"math/rand/v2"

	"github.com/libresnext/libresnext/internal/pixel"
)

// octaves are the fields that are added up: cells along each side, and weight.
var octaves = []struct{ cells, weight int }{{3, 8}, {6, 4}, {12, 2}, {24, 1}}

// Picture gives picture number of the series seed: w by h pixels of RGB, 3 bytes a pixel, row by row. Sizes that
// no image may have are an error.
func Picture(w, h int, seed, number uint64) ([]byte, error) {
	random := rand.NewPCG(seed, number)
	resizer := pixel.NewResizer(pixel.Bicubic)
	field, err := pixel.NewImage(w, h)
	if err != nil {
		return nil, err
	}
	sums := make([]int, len(field.Pix)) // around 0
	total := 0
	for _, o := range octaves {
		cells, err := pixel.NewImage(o.cells, o.cells)
		if err != nil {
			return nil, err
		}
		for i := range cells.Pix {
			cells.Pix[i] = byte(random.Uint64() >> 32)
		}
		if err := resizer.ResizeCrop(field, cells, w, h, 0, 0); err != nil {
			return nil, err
		}
		for i, v := range field.Pix {
			sums[i] += o.weight * (int(v) - 128)
		}
		total += o.weight
	}
	level := 64 + int(random.Uint64()%128)    // pictures are dark and bright,
	contrast := 64 + int(random.Uint64()%192) // faint and strong; 128 leaves the sum as it is
	for i, v := range sums {
		field.Pix[i] = byte(min(max(level+v*contrast/128/total, 0), 255))
	}
	return field.Pix, nil
}
