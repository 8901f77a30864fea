package main

import (
	"fmt"

	"github.com/libresnext/libresnext/internal/synthetic"
	"github.com/libresnext/libresnext/quant"
	"github.com/libresnext/libresnext/resnext"
)

// syntheticFeed makes up pictures.
type syntheticFeed struct {
	cfg   resnext.Config
	count int
	seed  uint64
}

func (f *syntheticFeed) len() int { return f.count }

func (f *syntheticFeed) name(i int) string { return fmt.Sprintf("made-up picture %d", i) }

func (f *syntheticFeed) load(i int) ([]byte, int, error) {
	rgb, err := synthetic.Picture(f.cfg.Width, f.cfg.Height, f.seed, uint64(i))
	return rgb, quant.Unlabelled, err
}
