package quant

import (
	"fmt"
	"math"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/quant/pass"
	"github.com/libresnext/libresnext/quant/round"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

const (
	// sigmoidReach is the largest magnitude that a gate's sigmoid knows: beyond it is 0 or 1 to one part in eight
	// million.
	sigmoidReach = 16
	// sigmoidStep is the real value of one step of the sigmoid's table.
	sigmoidStep = 2 * sigmoidReach / float64(resnext.SigmoidSteps)
	// hiddenRoom is how far above its largest value on the calibration images a gate's middle may go before it is
	// clipped. Its 15 bits have room for that.
	hiddenRoom = 2
	// mostRatio bounds a gate's multipliers, with room below what the loader takes.
	mostRatio = 63
)

// sigmoid is the table of the gates.
func sigmoid() []uint16 {
	table := make([]uint16, resnext.SigmoidSteps)
	for i := range table {
		x := float64(i-len(table)/2) * sigmoidStep
		table[i] = uint16(math.RoundToEven(math.MaxUint16 / (1 + math.Exp(-x))))
	}
	return table
}

// gate adds a gated step and returns the scale of its output. Its layers are rounded each weight by itself: what they
// make goes through a sigmoid, and 16 bits between them leave only the weights' errors.
func (b *builder) gate(s topology.Step) (float64, error) {
	in := b.program.Maps[s.In]
	pixels := in.H * in.W
	pool, _ := resnext.PoolMultiplier(pixels)
	gc := pass.GateContext{
		Step: s, InputScale: b.scales[s.In], New: func() *float.Gate { return b.net.NewGate(b.program, s) },
	}
	mean := gc.InputScale / float64(pixels) / float64(pool)
	var err error
	if s.GateKind == topology.SqueezeExcite {
		squeeze, excite := s.Gate[0].Name, s.Gate[1].Name
		hidden := 0.0
		if h := b.known.Maps[squeeze]; h != nil { // no equalisation changes it
			hidden = hiddenRoom * float64(h.Max()) / math.MaxInt16
		}
		if hidden < observe.SmallestNormal {
			hidden = 1
		}
		if hidden, err = b.gateLayer(squeeze, b.read(s), mean, int64(resnext.PooledMax(pixels)), hidden, true); err == nil {
			_, err = b.gateLayer(excite, b.known.Moments[squeeze], hidden, math.MaxInt16, sigmoidStep, false)
		}
	} else {
		_, err = b.gateLayer(s.Gate[0].Name, nil, mean, int64(resnext.PooledMax(pixels)), sigmoidStep, false)
	}
	if err != nil {
		return 0, err
	}
	if b.out.Sigmoid == nil { // the first gate; all have the same
		b.out.Sigmoid = sigmoid()
	}

	if s.Add != topology.None {
		gc.AddScale = b.scales[s.Add]
	}
	var o *pass.Observation
	if b.pass != nil {
		if o, err = b.pass.ObserveGate(gc); err != nil {
			return 0, err
		}
	}
	scale, err := b.observedStep(s.Name, !b.program.Maps[s.Out].Signed, o)
	if err != nil {
		return 0, err
	}
	scale, err = storedScale(s.Name, max(scale, gc.AddScale/mostRatio, gc.InputScale/math.MaxUint16/mostRatio))
	if err != nil {
		return 0, err
	}
	if b.out.Gates[s.Name], err = round.Multiplier(gc.InputScale / math.MaxUint16 / scale); err != nil {
		return 0, fmt.Errorf("%s: the multiplier: %w", s.Name, err)
	}
	b.out.Scale[s.Name] = float32(scale)
	if b.pass != nil {
		err = b.pass.AdvanceGate(gc, func(sums []int64) []uint16 { return b.gates(s, sums, float64(pool)) }, scale)
	}
	return scale, err
}

// gateLayer quantises a layer of a gate, whose inputs are at most maxInput steps of size input and have the moments m, for
// outputs in steps of size step, or as much larger as rescale allows and the integers ask. It returns the size.
func (b *builder) gateLayer(name string, m *Moments, input float64, maxInput int64, step float64, rescale bool) (float64, error) {
	c := b.net.Convs[name]
	l := round.Layer{Name: name, Weight: c.Weight, Bias: widen(c.Bias), InputScale: input, MaxInput: maxInput}
	if m != nil {
		l.Expect(m)
	}
	q := l.RoundFree(b.options.Threads)
	if rescale {
		step = max(step, q.Bound/maxSteps)
	}
	if q.Bound/step > maxSteps {
		return 0, fmt.Errorf("%s: its sums could reach %.3g, expected less than %.3g: the gate's weights are too extreme",
			name, q.Bound, float64(maxSteps)*step)
	}
	params, err := q.Params(name, step)
	b.out.Convs[name] = params
	return step, err
}

// gates computes what the int8 network multiplies channels with, by its contract, see resnext.Quantised. sums are those
// of the channels' steps.
func (b *builder) gates(s topology.Step, sums []int64, pool float64) []uint16 {
	x := make([]int64, len(sums))
	for c, v := range sums {
		x[c] = int64(math.RoundToEven(float64(float32(float64(float32(v)) * pool))))
	}
	gates := make([]uint16, len(sums))
	gate := func(c int, acc int64, m float32) {
		const half = resnext.SigmoidSteps / 2
		gates[c] = b.out.Sigmoid[half+int(requantise(acc, m, -half, half-1))]
	}
	last := b.out.Convs[s.Gate[len(s.Gate)-1].Name]
	if s.GateKind == topology.NeighbourGate {
		k := len(last.Weight)
		for c := range gates {
			acc := int64(last.Bias[0])
			for i, w := range last.Weight {
				if at := c + i - k/2; at >= 0 && at < len(x) {
					acc += int64(w) * x[at]
				}
			}
			gate(c, acc, last.Multiplier[0])
		}
		return gates
	}
	squeeze := b.out.Convs[s.Gate[0].Name]
	hidden := make([]int64, len(squeeze.Bias))
	for j := range hidden {
		hidden[j] = requantise(sumOf(squeeze, j, x), squeeze.Multiplier[j], 0, math.MaxInt16)
	}
	for c := range gates {
		gate(c, sumOf(last, c, hidden), last.Multiplier[c])
	}
	return gates
}

// sumOf is the accumulator of one output of a linear layer.
func sumOf(p resnext.ConvParams, out int, x []int64) int64 {
	acc := int64(p.Bias[out])
	for i, w := range p.Weight[out*len(x):][:len(x)] {
		acc += int64(w) * x[i]
	}
	return acc
}

func requantise(acc int64, m float32, lo, hi float64) int64 {
	return int64(min(max(math.RoundToEven(float64(float32(float32(acc)*m))), lo), hi))
}
