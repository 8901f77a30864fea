package resnext

import (
	"math"
	"math/rand/v2"
)

// randomQuantised makes a network of random integers whose activations neither die nor saturate.
func randomQuantised(cfg Config, seed uint64) *Quantised { return randomWithin(cfg, seed, 127) }

// randomWithin is randomQuantised with weights of at most limit in size: 64 prove an acc16 depth of 2, 32 of
// 4, 16 of 8.
func randomWithin(cfg Config, seed uint64, limit int) *Quantised {
	rnd := rand.New(rand.NewPCG(seed, 2))
	pre := CIFARPreprocess()
	if !cfg.CIFAR() {
		pre = ImageNetPreprocess()
		pre.Resize = max(cfg.Height, cfg.Width)
	}
	q := &Quantised{
		Config: cfg, Preprocess: pre, Convs: map[string]ConvParams{}, Residual: map[string]float32{},
		Scale: map[string]float32{}, Calibration: map[string]string{"made by": "a test"},
	}
	q.fill(func(s ConvShape) ConvParams { return randomParams(rnd, s.Out, s.Weights()/s.Out, limit) })
	for name := range q.Scale {
		q.Scale[name] = 1.0 / 32
	}
	return q
}

func randomParams(rnd *rand.Rand, out, per, limit int) ConvParams {
	p := ConvParams{Weight: make([]int8, out*per)}
	for i := range p.Weight {
		p.Weight[i] = int8(rnd.IntN(2*limit+1) - limit)
	}
	for range out {
		p.Bias = append(p.Bias, rnd.Int32N(int32(32*limit))-int32(8*limit))
		p.Multiplier = append(p.Multiplier, float32((0.5+rnd.Float64())/math.Sqrt(float64(per))/float64(limit)/0.7))
	}
	return p
}

func randomImage(cfg Config, seed uint64) []byte {
	rnd := rand.New(rand.NewPCG(seed, 3))
	rgb := make([]byte, cfg.Height*cfg.Width*3)
	for i := range rgb {
		rgb[i] = byte(rnd.Uint32())
	}
	return rgb
}
