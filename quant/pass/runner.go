package pass

import (
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext/topology"
)

// LayerContext is a convolution and what it reads in the pass.
type LayerContext struct {
	topology.Step
	InputScale float64 // the real value of a step of what it reads
	AddScale   float64 // the real value of a step of what is added to its sums
}

// adds reports whether something is added.
func (lc LayerContext) adds() bool { return lc.Add != topology.None }

// runner runs a convolution of the pass in one network.
type runner struct {
	LayerContext
	layer *float.Layer
	x     []float32
	y     []float32 // the sums, before the ReLU
}

// runner makes a runner. Only the weights and biases of c count.
func (lc LayerContext) runner(c *float.Conv) *runner {
	s := lc.Conv
	s.ReLU = false
	layer := float.NewLayer(&float.Conv{Shape: s, Weight: c.Weight, Bias: c.Bias})
	return (&runner{LayerContext: lc, layer: layer}).clone()
}

// clone is for another goroutine.
func (r *runner) clone() *runner {
	s := r.Conv
	return &runner{
		LayerContext: r.LayerContext, layer: r.layer.Clone(),
		x: make([]float32, s.InH*s.InW*s.In), y: make([]float32, s.OutH*s.OutW*s.Out),
	}
}

// floatSums computes the sums in the float network.
func (r *runner) floatSums(state *imageState) []float32 {
	if r.adds() {
		state.maps[r.Add].float.widen(r.y)
	}
	state.maps[r.In].float.widen(r.x)
	r.layer.Run(r.x, r.y, r.adds())
	return r.y
}

// int8Sums computes the sums in the int8 network.
func (r *runner) int8Sums(state *imageState) []float32 {
	if r.adds() {
		state.maps[r.Add].int8.widen(r.y, float32(r.AddScale))
	}
	state.maps[r.In].int8.widen(r.x, float32(r.InputScale))
	r.layer.Run(r.x, r.y, r.adds())
	return r.y
}
