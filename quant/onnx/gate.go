package onnx

import (
	"errors"
	"fmt"
	"math"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// gate adds a gate: real-valued layers with the int8 weights' real values. What it computes for a channel, the network
// has at 16 bits, so that only the product is rounded to 8 bits. A block's shortcut is added before that.
func (e *exporter) gate(p *topology.Program, s topology.Step, values []value) value {
	x, in := values[s.In], p.Maps[s.In]
	pixels := in.H * in.W
	pool, _ := resnext.PoolMultiplier(pixels)
	// The network's mean, in steps of its own, is the real mean times this.
	mean := float64(pool) * float64(pixels) / float64(x.step)
	y := e.node("GlobalAveragePool", s.Name+".mean", []string{x.name})
	sigmoid, err := sigmoidStep(e.q.Sigmoid)
	if err != nil {
		e.fail(fmt.Errorf("%s: %w", s.Name, err))
		return value{}
	}
	e.checkScale(s.Name)
	for _, l := range s.Gate {
		e.check(l.Name, e.q.Convs[l.Name], l.Out, l.Weights())
	}
	if e.err != nil {
		return value{}
	}
	if s.GateKind == topology.NeighbourGate {
		l := s.Gate[0]
		y = e.node("Reshape", s.Name+".row", []string{y, e.constant(s.Name+".row.shape", int64Type, []int{3}, raw[int64](0, 1, -1))})
		y = e.gateLayer(l, y, []int{1, 1, l.In}, mean, sigmoid)
		y = e.node("Reshape", s.Name+".column", []string{y, e.constant(s.Name+".column.shape", int64Type, []int{4}, raw[int64](0, -1, 1, 1))})
	} else {
		squeeze, excite := s.Gate[0], s.Gate[1]
		y = e.gateLayer(squeeze, y, []int{squeeze.Out, squeeze.In, 1, 1}, mean, 1)
		low, high := e.constant(s.Name+".low", float32Type, nil, raw[float32](0)), e.constant(s.Name+".high", float32Type, nil, raw[float32](math.MaxInt16))
		y = e.node("Clip", squeeze.Name+".relu", []string{y, low, high})
		y = e.gateLayer(excite, y, []int{excite.Out, excite.In, 1, 1}, 1, sigmoid)
	}
	y = e.node("Sigmoid", s.Name+".sigmoid", []string{y})
	y = e.node("Mul", s.Name+".product", []string{x.name, y})
	switch {
	case p.Maps[s.Out].Signed:
		return e.round(y, s.Name, e.q.Scale[s.Name], signedZero)
	case s.Add == topology.None:
		return e.round(y, s.Name, e.q.Scale[s.Name], 0)
	}
	sum := e.node("Add", s.Block+".sum", []string{y, values[s.Add].name})
	return e.round(sum, s.Block, e.q.Scale[s.Name], 0)
}

// gateLayer adds a layer of a gate with float32 weights. in are the network's steps of an input of 1, out is the real
// value of one step of its output.
func (e *exporter) gateLayer(l resnext.ConvShape, x string, dims []int, in, out float64) string {
	p := e.q.Convs[l.Name]
	weight, bias := make([]float32, len(p.Weight)), make([]float32, len(p.Bias))
	for o := range bias {
		step := float64(p.Multiplier[o]) * out
		bias[o] = float32(float64(p.Bias[o]) * step)
		for i := range l.In {
			weight[o*l.In+i] = float32(float64(p.Weight[o*l.In+i]) * step * in)
		}
	}
	sides := len(dims) - 2
	half := dims[len(dims)-1] / 2
	kernel, pads := make([]int, sides), make([]int, 2*sides)
	for i := range pads {
		kernel[i/2], pads[i] = dims[len(dims)-1], half
	}
	return e.node("Conv", l.Name+".conv", []string{
		x,
		e.constant(l.Name+".weight", float32Type, dims, raw(weight...)),
		e.constant(l.Name+".bias", float32Type, dims[:1], raw(bias...)),
	}, intsAttribute("kernel_shape", kernel...), intsAttribute("pads", pads...))
}

// sigmoidStep is the real value of one step of a table of gates, which the network does not say: the slope of the
// numbers whose sigmoids the entries are. A table of anything else cannot be exported.
func sigmoidStep(table []uint16) (float64, error) {
	if len(table) == 0 {
		return 0, errors.New("the network has no table of gates")
	}
	half := len(table) / 2
	var product, square float64
	for i, v := range table {
		if gate := float64(v) / math.MaxUint16; gate > 0.1 && gate < 0.9 { // where rounding matters least
			x := float64(i - half)
			product, square = product+x*math.Log(gate/(1-gate)), square+x*x
		}
	}
	step := product / square
	for i, v := range table {
		if want := math.MaxUint16 / (1 + math.Exp(-float64(i-half)*step)); !(math.Abs(want-float64(v)) < 2) {
			return 0, errors.New("the network's table of gates is that of no sigmoid, which an ONNX file would need")
		}
	}
	return step, nil
}
