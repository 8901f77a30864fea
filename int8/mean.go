package int8

import (
	"math"

	"github.com/libresnext/libresnext/asm"
)

// mean is global average pooling: each channel's int32 sum over all pixels of a map, brought to 16 bits by a factor. No
// sum overflows.
type mean struct {
	kernels *asm.Kernels
	in      Map
	signed  bool    // the map holds signed bytes
	factor  float32 // 1 means that sums fit 16 bits as they are
}

// meanState is the memory that one session's mean needs, by the places of a pixel's bytes. Those of padding channels
// hold anything.
type meanState struct {
	sums   []int32
	row    []int32 // sums of one row, where a border parts the rows
	pooled []int16
}

func (m *mean) newState() meanState {
	total := m.in.Layout.Total
	st := meanState{sums: make([]int32, total), pooled: make([]int16, total)}
	if m.in.Border > 0 {
		st.row = make([]int32, total)
	}
	return st
}

// run computes st.pooled.
func (m *mean) run(in []byte, st *meanState, s *Scratch) {
	if m.in.Border == 0 {
		m.sum(in, m.in.H*m.in.W, st.sums, s)
	} else {
		clear(st.sums)
		for y := range m.in.H {
			m.sum(in[m.in.Offset(y, 0):], m.in.W, st.row, s)
			for c, sum := range st.row {
				st.sums[c] += sum
			}
		}
	}
	for c, sum := range st.sums {
		if m.factor != 1 {
			sum = int32(math.RoundToEven(float64(float32(float32(sum) * m.factor))))
		}
		st.pooled[c] = int16(sum)
	}
}

// sum adds up pixels that follow each other.
func (m *mean) sum(in []byte, pixels int, sums []int32, s *Scratch) {
	a := &s.sum
	total := m.in.Layout.Total
	*a = asm.SumArgs{In: &in[0], Step: total, Out: &sums[0], Pixels: pixels, Channels: total, Signed: m.signed}
	m.kernels.Sum(a)
}
