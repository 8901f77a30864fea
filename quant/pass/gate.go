package pass

import (
	"math"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext/topology"
)

// GateContext is a gated step and what it reads in the pass.
type GateContext struct {
	topology.Step
	InputScale float64 // the real value of a step of what it reads
	AddScale   float64 // the real value of a step of what is added
	// New makes the float network's gate for one goroutine.
	New func() *float.Gate
}

// ObserveGate runs a gate in the float network. The observation has no samples: nothing is rounded by them.
func (p *Pass) ObserveGate(gc GateContext) (*Observation, error) {
	in, out := p.program.Maps[gc.In].Values(), p.program.Maps[gc.Out].Values()
	o := &Observation{}
	return o, p.watch(o, gc.Name, func() func(i int) []float32 {
		gate, x, y := gc.New(), make([]float32, in), make([]float32, out)
		return func(i int) []float32 {
			state := p.images[i]
			state.maps[gc.In].float.widen(x)
			gate.Of(x)
			if gc.Add != topology.None {
				state.maps[gc.Add].float.widen(y)
			}
			gate.Apply(x, y, gc.Add != topology.None)
			return y
		}
	})
}

// AdvanceGate computes the output of a quantised gate, steps of size scale, for every image and moves on. gates gives the
// int8 network's gates, 0 to 65535, from the sums of each channel's steps.
func (p *Pass) AdvanceGate(gc GateContext, gates func(sums []int64) []uint16, scale float64) error {
	in, out := p.program.Maps[gc.In], p.program.Maps[gc.Out]
	return p.each(func() func(i int) error {
		x, y := make([]float32, in.Values()), make([]float32, out.Values())
		return func(i int) error {
			state := p.images[i]
			state.maps[gc.In].int8.widen(x, 1)
			sums := make([]int64, in.Channels)
			for j, v := range x {
				sums[j%in.Channels] += int64(v)
			}
			factors := make([]float32, in.Channels)
			for c, g := range gates(sums) {
				factors[c] = float32(gc.InputScale * float64(g) / math.MaxUint16)
			}
			if clear(y); gc.Add != topology.None {
				state.maps[gc.Add].int8.widen(y, float32(gc.AddScale))
			}
			for j, v := range x {
				y[j] += v * factors[j%in.Channels]
			}
			state.maps[gc.Out] = mapPair{newInt8Map(y, float32(scale), !out.Signed), state.next}
			state.next = u16Map{}
			return nil
		}
	})
}
