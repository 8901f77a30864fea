package int8

import (
	"math"

	"github.com/libresnext/libresnext/asm"
)

// excitation is a way from the means of channels to the sums that gates are looked up by.
type excitation interface {
	newState(st *GateState)
	// run computes st.acc from st.pooled.
	run(st *GateState, s *Scratch)
	bytes() int
}

// squeezed is the excitation by two matrices, with a narrow hidden vector between them.
type squeezed struct {
	kernels         *asm.Kernels
	squeeze, excite GateLinear // [hidden][Total], [Total][hidden, rounded up to 16]
}

func newSqueezed(k *asm.Kernels, l Layout, s GateSpec) *squeezed {
	hidden := len(s.Squeeze.Bias)
	padded := roundUp(hidden, 16)
	e := &squeezed{kernels: k, squeeze: s.Squeeze, excite: GateLinear{alignedInt8(l.Total * padded), make([]int32, l.Total), nil}}
	e.squeeze.Weight = packRows(l, s.Squeeze.Weight, hidden)
	for c := range l.Channels() {
		at := l.At(c)
		copy(e.excite.Weight[at*padded:], s.Excite.Weight[c*hidden:(c+1)*hidden])
		e.excite.Bias[at] = s.Excite.Bias[c]
	}
	return e
}

func (e *squeezed) newState(st *GateState) {
	hidden := len(e.squeeze.Bias)
	st.squeezed, st.hidden = make([]int32, hidden), make([]int16, roundUp(hidden, 16))
}

func (e *squeezed) run(st *GateState, s *Scratch) {
	e.linear(&e.squeeze, st.pooled, st.squeezed, s)
	for j, acc := range st.squeezed {
		st.hidden[j] = int16(requantise(acc, e.squeeze.Multiplier[j], 0, math.MaxInt16))
	}
	e.linear(&e.excite, st.hidden, st.acc, s)
}

func (e *squeezed) linear(m *GateLinear, x []int16, out []int32, s *Scratch) {
	a := &s.linear
	*a = asm.LinearArgs{In: &x[0], W: &m.Weight[0], Bias: &m.Bias[0], Out: &out[0], N: len(out), K: len(x)}
	e.kernels.Linear(a)
}

func (e *squeezed) bytes() int {
	return len(e.squeeze.Weight) + 8*len(e.squeeze.Bias) + len(e.excite.Weight) + 4*len(e.excite.Bias)
}

// across is the excitation by a convolution over the channels, which are few enough for plain Go.
type across struct {
	kernel []int32
	bias   int32
	places []int32 // of channels in a pixel
}

func newAcross(l Layout, s GateSpec) *across {
	e := &across{bias: s.Bias}
	for _, w := range s.Kernel {
		e.kernel = append(e.kernel, int32(w))
	}
	for c := range l.Channels() {
		e.places = append(e.places, int32(l.At(c)))
	}
	return e
}

func (e *across) newState(st *GateState) { st.line = make([]int16, len(e.places)+len(e.kernel)-1) }

func (e *across) run(st *GateState, _ *Scratch) {
	inside := st.line[len(e.kernel)/2:]
	for c, at := range e.places {
		inside[c] = st.pooled[at]
	}
	for c, at := range e.places {
		acc := e.bias
		for i, w := range e.kernel {
			acc += w * int32(st.line[c+i])
		}
		st.acc[at] = acc
	}
}

func (e *across) bytes() int { return 4*len(e.kernel) + 4*len(e.places) }

// requantise brings a sum to steps of mult, rounded half to even and clamped.
func requantise(acc int32, mult float32, lo, hi int) int {
	v := math.RoundToEven(float64(float32(float32(acc) * mult)))
	return int(min(max(v, float64(lo)), float64(hi)))
}
