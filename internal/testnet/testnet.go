// Package testnet makes small networks, images and values for tests and benchmarks.
package testnet

import (
	"math/rand/v2"

	"github.com/libresnext/libresnext/resnext/topology"
)

// Tiny is a network of two stages, quick to build, at the usual input size of its stem.
func Tiny(stem topology.Stem) topology.Config {
	cfg := topology.Config{
		Stem: stem, Classes: 5, Height: 32, Width: 32,
		Stages: topology.Uniform(4, []topology.Stage{{Blocks: 2, Inner: 8, Out: 12, Stride: 1}, {Blocks: 1, Inner: 12, Out: 16, Stride: 2}}),
	}
	if stem.Pool == topology.Max3x3 {
		cfg.Height, cfg.Width = 224, 224
	}
	return cfg
}

// Quick is a network for square images, small enough for a hundred thousand inferences, with every kind of layer but
// the max pool.
func Quick(side int) topology.Config {
	return topology.Config{
		Stem: topology.SimpleStem(3, 2, 16, topology.NoPool), Classes: 6, Height: side, Width: side,
		Stages: topology.Uniform(4, []topology.Stage{{Blocks: 1, Inner: 16, Out: 32, Stride: 2}, {Blocks: 2, Inner: 32, Out: 32, Stride: 2}}),
	}
}

// Least is the network of the fewest numbers: of a file that holds it, fuzzing changes each byte often.
func Least() topology.Config {
	return topology.Config{
		Stem: topology.SimpleStem(3, 1, 2, topology.NoPool), Classes: 2, Height: 32, Width: 32,
		Stages: topology.Uniform(1, []topology.Stage{{Blocks: 1, Inner: 1, Out: 2, Stride: 1}}),
	}
}

// Forms are small networks of both stems, with projections and identities, and one whose first block has the pooled
// stem as its shortcut.
func Forms() map[string]topology.Config {
	stages := func(stem, cardinality, width int) []topology.Stage {
		return []topology.Stage{
			{Blocks: 2, Inner: cardinality * width, Out: stem, Stride: 1},
			{Blocks: 2, Inner: cardinality * width * 2, Out: 24, Stride: 2},
		}
	}
	large := topology.SimpleStem(7, 2, 16, topology.Max3x3)
	small := topology.SimpleStem(3, 1, 8, topology.NoPool)
	return map[string]topology.Config{
		"ImageNet form": {Stem: large, Classes: 7, Height: 29, Width: 33, Stages: topology.Uniform(4, stages(20, 4, 3))},
		"CIFAR form":    {Stem: small, Classes: 5, Height: 14, Width: 16, Stages: topology.Uniform(2, stages(12, 2, 4))},
		"basic blocks": {Stem: small, Classes: 4, Height: 13, Width: 12, Stages: topology.Uniform(1, []topology.Stage{
			{Kind: topology.Basic, Blocks: 2, Inner: 8, Out: 8, Stride: 1}, {Kind: topology.Basic, Blocks: 2, Inner: 12, Out: 16, Stride: 2},
		})},
		"identity": {Stem: large, Classes: 3, Height: 21, Width: 20, Stages: topology.Uniform(1, stages(16, 1, 8))},
	}
}

// Gated are small networks with gates of each kind and at each place, and averages before convolutions.
func Gated() map[string]topology.Config {
	stages := func(kind topology.Kind, cardinality int, g topology.Gate) []topology.Stage {
		return topology.Uniform(cardinality, []topology.Stage{
			{Kind: kind, Blocks: 2, Inner: 12, Out: 16, Stride: 1, Gate: g},
			{Kind: kind, Blocks: 2, Inner: 18, Out: 24, Stride: 2, Gate: g, Shortcut: topology.AveragedProjection},
		})
	}
	se := func(after topology.Role) topology.Gate {
		return topology.Gate{Kind: topology.SqueezeExcite, After: after, Hidden: 5}
	}
	small := topology.SimpleStem(3, 1, 8, topology.NoPool)
	deep := topology.Stem{Convs: []topology.StemConv{{Kernel: 3, Stride: 2, Width: 6}, {Kernel: 3, Stride: 1, Width: 8}}, Pool: topology.Average2x2}
	return map[string]topology.Config{
		"SE after the last":  {Stem: deep, Classes: 5, Height: 27, Width: 30, Stages: stages(topology.Bottleneck, 3, se(topology.Expand))},
		"SE after the 3x3":   {Stem: small, Classes: 4, Height: 14, Width: 13, Stages: stages(topology.Bottleneck, 6, se(topology.Transform))},
		"SE of basic blocks": {Stem: small, Classes: 4, Height: 9, Width: 11, Stages: stages(topology.Basic, 1, se(topology.Second))},
		"neighbours": {Stem: small, Classes: 3, Height: 15, Width: 14, Stages: stages(topology.Bottleneck, 2,
			topology.Gate{Kind: topology.NeighbourGate, After: topology.Expand, Kernel: 3})},
	}
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
