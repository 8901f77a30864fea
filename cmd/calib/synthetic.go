package main

import (
	"math/rand/v2"

	"github.com/libresnext/libresnext/internal/resize"
	"github.com/libresnext/libresnext/quant"
	"github.com/libresnext/libresnext/resnext"
)

// syntheticFeed makes up pictures: smooth random colour fields with ever finer and fainter detail, whose
// spectrum falls off like that of photographs. White noise would give the layers nothing but noise to
// measure. They are the same on every machine.
type syntheticFeed struct {
	cfg   resnext.Config
	count int
	seed  uint64
}

func (f *syntheticFeed) len() int { return f.count }

func (f *syntheticFeed) load(i int) ([]byte, int, error) {
	rgb, err := syntheticImage(f.cfg, f.seed, uint64(i))
	return rgb, quant.Unlabelled, err
}

// octaves are the fields that are added up: cells along each side, and weight.
var octaves = []struct{ cells, weight int }{{3, 8}, {6, 4}, {12, 2}, {24, 1}}

func syntheticImage(cfg resnext.Config, seed, number uint64) ([]byte, error) {
	random := rand.NewPCG(seed, number)
	resizer := resize.NewResizer(resize.Bicubic)
	field, err := resize.NewImage(cfg.Width, cfg.Height)
	if err != nil {
		return nil, err
	}
	sums := make([]int, len(field.Pix)) // around 0
	total := 0
	for _, o := range octaves {
		cells, err := resize.NewImage(o.cells, o.cells)
		if err != nil {
			return nil, err
		}
		for i := range cells.Pix {
			cells.Pix[i] = byte(random.Uint64() >> 32)
		}
		if err := resizer.ResizeCrop(field, cells, cfg.Width, cfg.Height, 0, 0); err != nil {
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
