package testnet

import (
	"math"
	"math/rand/v2"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// Random is an int8 network of random numbers, equal for equal seeds, whose activations neither die nor saturate.
func Random(cfg topology.Config, seed uint64) *resnext.Quantised {
	rnd := rand.New(rand.NewPCG(seed, 2))
	return Quantised(cfg, func(s topology.ConvShape) (p resnext.ConvParams, scale float32) {
		per := s.Weights() / s.Out
		for range s.Weights() {
			p.Weight = append(p.Weight, int8(rnd.IntN(255)-127))
		}
		for range s.Out {
			p.Bias = append(p.Bias, rnd.Int32N(4000)-1000)
			p.Multiplier = append(p.Multiplier, float32((0.5+rnd.Float64())/math.Sqrt(float64(per))/127))
		}
		return p, float32(1.0/255) * (1 + rnd.Float32())
	})
}

// Quantised is an int8 network whose convolutions and classifier have the numbers and scales that params returns; it is
// asked in the order of Config.Convs, for the classifier last. Shortcuts are brought to the scale of what they are added
// to.
func Quantised(
	cfg topology.Config, params func(topology.ConvShape) (p resnext.ConvParams, scale float32),
) *resnext.Quantised {
	q := &resnext.Quantised{
		Config: cfg, Preprocess: resnext.CIFARPreprocess(), Convs: map[string]resnext.ConvParams{},
		Residual: map[string]float32{}, Scale: map[string]float32{},
	}
	for _, s := range cfg.Convs() {
		q.Convs[s.Name], q.Scale[s.Name] = params(s)
	}
	program := topology.Lower(cfg)
	scale := make([]float32, len(program.Maps))
	for _, s := range program.Steps {
		switch s.Op {
		case topology.MaxPool:
			scale[s.Out] = scale[s.In]
		case topology.Conv:
			scale[s.Out] = q.Scale[s.Name]
			if s.Add != topology.None {
				q.Residual[s.Block] = scale[s.Add] / scale[s.Out]
			}
		}
	}
	if head := program.Head(); head.Op == topology.Classify {
		q.Classifier, _ = params(head.Conv)
	}
	return q
}
