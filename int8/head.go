package int8

import "github.com/libresnext/libresnext/asm"

// Head is global average pooling and the classifier: the int32 sum of each channel at 16 bits, times an
// int8 matrix. Without classes it is the averages alone, of which Features gives real numbers.
type Head struct {
	mean
	weights []int8 // [classes][in.Layout.Total]
	bias    []int32
	mult    []float32
}

// HeadState is the memory that one session's head needs.
type HeadState struct {
	meanState
	acc []int32
}

// NewHead packs a classifier of [classes][channels] weights. pool multiplies the sums of the in map's
// pixels; the caller has checked that no accumulator overflows.
func NewHead(k *asm.Kernels, in Map, pool float32, weight []int8, bias []int32, mult []float32) *Head {
	return &Head{
		mean: mean{kernels: k, in: in, factor: pool}, weights: packRows(in.Layout, weight, len(bias)), bias: bias, mult: mult,
	}
}

// packRows packs n rows of a matrix by the layout of the vector that it is multiplied with, [n][Total]. Padding channels
// meet zero weights.
func packRows(l Layout, weight []int8, n int) []int8 {
	packed := alignedInt8(n * l.Total)
	channels := l.Channels()
	for row := range n {
		for c := range channels {
			packed[row*l.Total+l.At(c)] = weight[row*channels+c]
		}
	}
	return packed
}

// Classes is the number of logits.
func (h *Head) Classes() int { return len(h.bias) }

// Bytes is the memory that the packed numbers take.
func (h *Head) Bytes() int { return len(h.weights) + 8*len(h.bias) }

// NewState makes the memory for one session.
func (h *Head) NewState() *HeadState {
	return &HeadState{h.mean.newState(), make([]int32, len(h.bias))}
}

// Pool sums up the map and brings the sums to 16 bits. The exact sums stay for Features.
func (h *Head) Pool(in []byte, st *HeadState, s *Scratch) { h.mean.run(in, &st.meanState, s) }

// Logits computes the logits of some classes: task number task of tasks.
func (h *Head) Logits(logits []float32, st *HeadState, task, tasks int, s *Scratch) {
	n := share(len(h.bias), task, tasks)
	if n.from == n.to {
		return
	}
	k := h.in.Layout.Total
	a := &s.linear
	*a = asm.LinearArgs{
		In: &st.pooled[0], W: &h.weights[n.from*k], Bias: &h.bias[n.from], Out: &st.acc[n.from], N: n.to - n.from, K: k,
	}
	h.kernels.Linear(a)
	for i := n.from; i < n.to; i++ {
		logits[i] = float32(float32(st.acc[i]) * h.mult[i])
	}
}

// Features gives the average of each channel over the map of the last Pool in real numbers, one for each channel, scale
// being the real value of 1: float32(sum * scale / pixels), computed in float64 from the exact sum, so that no kernel set
// and no CPU gives another bit.
func (h *Head) Features(features []float32, scale float32, st *HeadState) {
	pixels := float64(h.in.H * h.in.W)
	for c := range features {
		features[c] = float32(float64(st.sums[h.in.Layout.At(c)]) * float64(scale) / pixels)
	}
}
