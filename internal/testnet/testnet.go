// Package testnet makes small networks, images and values for tests.
package testnet

import (
	"math/rand/v2"

	"github.com/libresnext/libresnext/resnext/topology"
)

// Tiny is a network of two stages, quick to build, at the usual input size of its stem.
func Tiny(stem topology.Stem) topology.Config {
	cfg := topology.Config{
		Cardinality: 4, Stem: stem, Classes: 5, Height: 32, Width: 32,
		Stages: []topology.Stage{{Blocks: 2, Inner: 8, Out: 12, Stride: 1}, {Blocks: 1, Inner: 12, Out: 16, Stride: 2}},
	}
	if stem.MaxPool {
		cfg.Height, cfg.Width = 224, 224
	}
	return cfg
}

// Noise is an image of random bytes for a network, equal for equal seeds.
func Noise(cfg topology.Config, seed uint64) []byte {
	r := rand.NewPCG(seed, 0)
	rgb := make([]byte, cfg.Height*cfg.Width*3)
	for i := range rgb {
		rgb[i] = byte(r.Uint64())
	}
	return rgb
}
