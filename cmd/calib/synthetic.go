package main

import (
	"fmt"

	"github.com/libresnext/libresnext/internal/synthetic"
	"github.com/libresnext/libresnext/quant"
	"github.com/libresnext/libresnext/resnext"
)

// syntheticSource makes up images.
type syntheticSource struct {
	cfg   resnext.Config
	count int
	seed  uint64
}

func (f *syntheticSource) len() int { return f.count }

func (f *syntheticSource) name(i int) string { return fmt.Sprintf("made-up image %d", i) }

func (f *syntheticSource) load(i int) ([]byte, int, error) {
	rgb, err := synthetic.Picture(f.cfg.Width, f.cfg.Height, f.seed, uint64(i))
	return rgb, quant.Unlabelled, err
}
