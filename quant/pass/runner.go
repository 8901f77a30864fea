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

// layer makes the convolution ready to run. Only the weights and biases of c count.
func (lc LayerContext) layer(c *float.Conv) *float.Layer {
	return float.NewLayer(&float.Conv{Shape: lc.Conv, Weight: c.Weight, Bias: c.Bias})
}

// worker is what one goroutine computes in: a map that is read and one that is written, in real values. Steps use them in
// turn.
type worker struct{ in, out []float32 }

// read is room for n values that a step reads.
func (w *worker) read(n int) []float32 { return room(&w.in, n) }

// write is room for n values that a step writes.
func (w *worker) write(n int) []float32 { return room(&w.out, n) }

func room(buffer *[]float32, n int) []float32 {
	if cap(*buffer) < n {
		*buffer = make([]float32, n)
	}
	return (*buffer)[:n]
}

// runner runs a convolution of the pass, with its ReLU, for one worker.
type runner struct {
	LayerContext
	*worker
	layer *float.Layer
}

// float computes the output in the float network.
func (r runner) float(state *imageState) []float32 {
	s := r.Conv
	x, y := r.read(s.InH*s.InW*s.In), r.write(s.OutH*s.OutW*s.Out)
	if r.adds() {
		state.maps[r.Add].float.widen(y)
	}
	state.maps[r.In].float.widen(x)
	r.layer.Run(x, y, r.adds())
	return y
}

// int8 computes the output in the int8 network.
func (r runner) int8(state *imageState) []float32 {
	s := r.Conv
	x, y := r.read(s.InH*s.InW*s.In), r.write(s.OutH*s.OutW*s.Out)
	if r.adds() {
		state.maps[r.Add].int8.widen(y, float32(r.AddScale))
	}
	state.maps[r.In].int8.widen(x, float32(r.InputScale))
	r.layer.Run(x, y, r.adds())
	return y
}
