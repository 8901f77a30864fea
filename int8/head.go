package int8

import (
	"math"

	"github.com/libresnext/libresnext/asm"
)

// MaxPool is a 3x3 max pooling of stride 2 and padding 1 from one map to another. The input needs a border
// of 1, which may hold the value 0 because activations are never below it.
type MaxPool struct {
	kernels *asm.Kernels
	in, out Map
}

// NewMaxPool makes a MaxPool. in and out have the same layout.
func NewMaxPool(k *asm.Kernels, in, out Map) *MaxPool { return &MaxPool{k, in, out} }

// Tasks is the number of independent tasks: one a row.
func (m *MaxPool) Tasks() int { return m.out.H }

// Run executes one of Tasks tasks.
func (m *MaxPool) Run(in, out []byte, task, tasks int, s *Scratch) {
	rows := share(m.out.H, task, tasks)
	if rows.from == rows.to {
		return
	}
	a := &s.pool
	*a = asm.PoolArgs{
		In: &in[m.in.Offset(2*rows.from-1, -1)], InRow: 2 * m.in.Row(), InCol: 2 * m.in.Layout.Total,
		TapRow: m.in.Row(), TapCol: m.in.Layout.Total,
		Out: &out[m.out.Offset(rows.from, 0)], OutRow: m.out.Row(), OutCol: m.out.Layout.Total,
		Rows: rows.to - rows.from, Cols: m.out.W, Channels: m.in.Layout.Total,
	}
	m.kernels.MaxPool(a)
}

// Head is global average pooling and the classifier: the int32 sum of each channel at 16 bits, times an
// int8 matrix.
type Head struct {
	kernels *asm.Kernels
	in      Map
	pool    float32 // 1 means that sums fit 16 bits as they are
	weights []int8  // [classes][in.Layout.Total]
	bias    []int32
	mult    []float32
}

// HeadState is the memory that one session's head needs.
type HeadState struct {
	sums   []int32
	pooled []int16
	acc    []int32
}

// NewHead packs a classifier of [classes][channels] weights. pool multiplies the sums of the in map's
// pixels, which has no border; the caller has checked that no accumulator overflows.
func NewHead(k *asm.Kernels, in Map, pool float32, weight []int8, bias []int32, mult []float32) *Head {
	h := &Head{kernels: k, in: in, pool: pool, bias: bias, mult: mult}
	total, channels := in.Layout.Total, in.Layout.Channels()
	h.weights = alignedInt8(len(bias) * total)
	for n := range bias {
		for c := range channels {
			h.weights[n*total+in.Layout.At(c)] = weight[n*channels+c]
		}
	}
	return h
}

// Classes is the number of logits.
func (h *Head) Classes() int { return len(h.bias) }

// Bytes is the memory that the packed numbers take.
func (h *Head) Bytes() int { return len(h.weights) + 8*len(h.bias) }

// NewState makes the memory for one session.
func (h *Head) NewState() *HeadState {
	return &HeadState{
		sums: make([]int32, h.in.Layout.Total), pooled: make([]int16, h.in.Layout.Total), acc: make([]int32, len(h.bias)),
	}
}

// Pool sums up the map and brings the sums to 16 bits. Padding channels meet zero weights.
func (h *Head) Pool(in []byte, st *HeadState, s *Scratch) {
	a := &s.sum
	*a = asm.SumArgs{In: &in[0], Step: h.in.Layout.Total, Out: &st.sums[0], Pixels: h.in.H * h.in.W, Channels: h.in.Layout.Total}
	h.kernels.Sum(a)
	for c, sum := range st.sums {
		if h.pool != 1 {
			sum = int32(math.RoundToEven(float64(float32(float32(sum) * h.pool))))
		}
		st.pooled[c] = int16(sum)
	}
}

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
