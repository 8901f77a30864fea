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
// asked in the order of Config.Convs, for the layers of gates, and for the classifier last. Shortcuts are brought to the scale of what they are added
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
	q.Gates = map[string]float32{}
	for _, s := range program.Steps {
		switch {
		case s.Pools():
			scale[s.Out] = scale[s.In]
		case s.Op == topology.Conv:
			scale[s.Out] = q.Scale[s.Name]
		case s.Op == topology.Gated:
			for _, l := range s.Gate {
				q.Convs[l.Name], scale[s.Out] = params(l)
			}
			spread(q, program, s)
			q.Scale[s.Name], q.Gates[s.Name], q.Sigmoid = scale[s.Out], scale[s.In]/math.MaxUint16/scale[s.Out], sigmoid()
		}
		if s.Add != topology.None {
			q.Residual[s.Block] = scale[s.Add] / scale[s.Out]
		}
	}
	if head := program.Head(); head.Op == topology.Classify {
		q.Classifier, _ = params(head.Conv)
	}
	return q
}

// spread gives the layers in a gate biases and multipliers for sums of 16 bits, that spread its gates from nearly 0 to
// nearly 1.
func spread(q *resnext.Quantised, p *topology.Program, s topology.Step) {
	in := p.Maps[s.In]
	input := float64(resnext.PooledMax(in.H*in.W)) / 4
	for i, l := range s.Gate {
		reach := 600.0 // of the table's steps
		if i < len(s.Gate)-1 {
			reach = 8000
		}
		c := q.Convs[l.Name]
		for o := range c.Bias {
			c.Bias[o] = int32(float64(c.Bias[o]-1000) / 40 * input)
			c.Multiplier[o] = float32(reach / input / 70 / math.Sqrt(float64(l.In)))
		}
		input = reach
	}
}

// sigmoid is a table of gates in steps of 1/256.
func sigmoid() []uint16 {
	table := make([]uint16, resnext.SigmoidSteps)
	for i := range table {
		table[i] = uint16(math.RoundToEven(math.MaxUint16 / (1 + math.Exp(-float64(i-len(table)/2)/256))))
	}
	return table
}
