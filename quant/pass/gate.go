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

// float is the gated step in the float network, for one worker.
func (gc GateContext) float(p *Pass, w *worker) func(state *imageState) []float32 {
	in, out := p.program.Maps[gc.In].Values(), p.program.Maps[gc.Out].Values()
	gate := gc.New()
	return func(state *imageState) []float32 {
		x, y := w.read(in), w.write(out)
		state.maps[gc.In].float.widen(x)
		gate.Of(x)
		if gc.Add != topology.None {
			state.maps[gc.Add].float.widen(y)
		}
		gate.Apply(x, y, gc.Add != topology.None)
		return y
	}
}

// ObserveGate runs a gate in the float network. The observation has no samples: nothing is rounded by them.
func (p *Pass) ObserveGate(gc GateContext) (*Observation, error) {
	o := &Observation{}
	return o, p.watch(o, gc.Name, func(w *worker) func(i int) []float32 {
		run := gc.float(p, w)
		return func(i int) []float32 { return run(p.images[i]) }
	})
}

// AdvanceGate computes the output of a quantised gate, steps of size scale, for every image and moves on. gates gives the
// int8 network's gates, 0 to 65535, from the sums of each channel's steps.
func (p *Pass) AdvanceGate(gc GateContext, gates func(sums []int64) []uint16, scale float64) error {
	in, out := p.program.Maps[gc.In], p.program.Maps[gc.Out]
	rest := func() func(w *worker) func(state *imageState) {
		return func(w *worker) func(state *imageState) {
			return func(state *imageState) {
				x, y := w.read(in.Values()), w.write(out.Values())
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
			}
		}
	}
	return p.advance(after(func() func(w *worker) func(state *imageState) {
		return func(w *worker) func(state *imageState) {
			run := gc.float(p, w)
			return func(state *imageState) { state.next = newU16Map(run(state)) }
		}
	}, rest), rest)
}
