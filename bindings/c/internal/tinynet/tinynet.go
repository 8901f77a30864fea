// Package tinynet makes the network that the tests of the C library run: small enough for a hundred thousand inferences.
package tinynet

import (
	"math/rand/v2"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// New makes the network: random numbers, the same at every call, in every kind of layer. Pictures are resized to 36
// pixels and cropped to 32.
func New() *resnext.Quantised {
	rnd := rand.New(rand.NewPCG(7, 7))
	params := func(out, per int) resnext.ConvParams {
		p := resnext.ConvParams{Weight: make([]int8, out*per), Bias: make([]int32, out), Multiplier: make([]float32, out)}
		for i := range p.Weight {
			p.Weight[i] = int8(rnd.IntN(255) - 127)
		}
		for i := range out {
			p.Bias[i], p.Multiplier[i] = rnd.Int32N(2000), 0.0001+rnd.Float32()/float32(30*per)
		}
		return p
	}
	cfg := resnext.Config{
		Cardinality: 4, Stem: resnext.Stem{Kernel: 3, Stride: 2, Width: 16}, Classes: 6, Height: 32, Width: 32,
		Stages: []resnext.Stage{{Blocks: 1, Inner: 16, Out: 32, Stride: 2}, {Blocks: 2, Inner: 32, Out: 32, Stride: 2}},
	}
	pre := resnext.ImageNetPreprocess()
	pre.Resize = 36
	q := &resnext.Quantised{
		Config: cfg, Preprocess: pre, Labels: []string{"cat", "dog", "猫", "", "e", "f"},
		Convs: map[string]resnext.ConvParams{}, Residual: map[string]float32{}, Scale: map[string]float32{},
	}
	for _, s := range cfg.Convs() {
		q.Convs[s.Name], q.Scale[s.Name] = params(s.Out, s.Weights()/s.Out), 0.25
	}
	for _, s := range topology.Lower(cfg).Steps {
		if s.Add != topology.None {
			q.Residual[s.Block] = 0.5
		}
	}
	q.Classifier = params(cfg.Classes, cfg.Features())
	return q
}
