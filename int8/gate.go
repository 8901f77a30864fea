package int8

import "github.com/libresnext/libresnext/asm"

// GateSpec is channel attention in plain numbers: each channel of a map is multiplied by a gate of its own, which
// follows from the means of all channels over the map; then the epilogue is done. Exactly:
//
//	sum[c]  = sum over all pixels of In[c], in int32
//	mean[c] = int16(roundeven(float32(sum[c]) * Pool)), or sum[c] where Pool is 1
//	acc[c]  = squeeze and excitation where Kernel is nil (Hu et al. 2018), in int32:
//	          hidden[j] = clamp(roundeven(float32(Squeeze.Bias[j] + sum over c of mean[c]*Squeeze.Weight[j][c]) *
//	              Squeeze.Multiplier[j]), 0, 32767)
//	          acc[c] = Excite.Bias[c] + sum over j of hidden[j]*Excite.Weight[c][j]
//	        = a convolution over the channels where it is not (ECA, Wang et al. 2020), with zeros beyond the ends:
//	          acc[c] = Bias + sum over i of mean[c+i-len(Kernel)/2]*Kernel[i]
//	gate[c] = Table[len(Table)/2 + clamp(roundeven(float32(acc[c]) * m), -len(Table)/2, len(Table)/2-1)],
//	          m being Excite.Multiplier[c] or Multiplier
//	v       = float32(In[c]*gate[c]) * Mult, for each pixel
//	        + float32(Res[c]) * Residual, where the epilogue adds
//	Out[c]  = clamp(roundeven(v), 0, 255), or to -127..127 where the epilogue is Signed
//
// Every product of float32 is rounded to float32 before it goes on.
type GateSpec struct {
	// In, Res and Out have the same sides and the same layout; borders may differ. Res is ignored unless Epilogue adds.
	In, Res, Out Map
	// Epilogue says what follows, and of In that it holds signed bytes, unless it is ReLU.
	Epilogue asm.Epilogue
	// Pool is the factor from sums to means, Mult that from products with gates to Out, Residual that from Res to Out; see
	// asm.ScaleArgs for the bounds of the last two.
	Pool, Mult, Residual float32
	// Table is the gate of each step of the last sum, its middle that of 0; its length is even.
	Table []uint16
	// Squeeze has a row of weights for each hidden channel, Excite one for each channel.
	Squeeze, Excite GateLinear
	// Kernel, of odd length, Bias and Multiplier are the convolution's over the channels; Kernel is nil for squeeze and
	// excitation.
	Kernel     []int8
	Bias       int32
	Multiplier float32
}

// GateLinear is a matrix [out][in] with a bias and a multiplier for each of its rows.
type GateLinear struct {
	Weight     []int8
	Bias       []int32
	Multiplier []float32
}

// Gate is channel attention packed for a set of kernels. It is immutable and safe for concurrent use.
type Gate struct {
	mean
	res, out       Map
	epilogue       asm.Epilogue
	mult, residual float32
	table          []uint16
	excitation     excitation
	steps          []float32 // [Total]: from an excitation's sums to steps of the table
}

// GateState is the memory that one session's gate needs.
type GateState struct {
	meanState
	squeezed []int32   // [hidden]
	hidden   []int16   // [hidden, rounded up to 16]
	line     []int16   // means in the order of channels, with zeros beyond the ends
	acc      []int32   // [Total]
	gates    []float32 // [Total]
}

// NewGate packs channel attention. The caller has checked all lengths, and that no sum overflows.
func NewGate(k *asm.Kernels, s GateSpec) *Gate {
	l := s.In.Layout
	g := &Gate{
		mean: mean{kernels: k, in: s.In, signed: s.Epilogue != asm.ReLU, factor: s.Pool}, res: s.Res, out: s.Out,
		epilogue: s.Epilogue, mult: s.Mult, residual: s.Residual, table: s.Table, steps: make([]float32, l.Total),
	}
	for c := range l.Channels() {
		if s.Kernel != nil {
			g.steps[l.At(c)] = s.Multiplier
		} else {
			g.steps[l.At(c)] = s.Excite.Multiplier[c]
		}
	}
	if s.Kernel != nil {
		g.excitation = newAcross(l, s)
	} else {
		g.excitation = newSqueezed(k, l, s)
	}
	return g
}

// Bytes is the memory that the packed numbers take.
func (g *Gate) Bytes() int { return g.excitation.bytes() + 4*len(g.steps) + 2*len(g.table) }

// NewState makes the memory for one session.
func (g *Gate) NewState() *GateState {
	total := g.in.Layout.Total
	st := &GateState{meanState: g.mean.newState(), acc: make([]int32, total), gates: make([]float32, total)}
	g.excitation.newState(st)
	return st
}

// Squeeze computes the gates from the whole map. It is a single task, and comes before Run.
func (g *Gate) Squeeze(in []byte, st *GateState, s *Scratch) {
	g.mean.run(in, &st.meanState, s)
	g.excitation.run(st, s)
	half := len(g.table) / 2
	for c, acc := range st.acc {
		st.gates[c] = float32(g.table[half+requantise(acc, g.steps[c], -half, half-1)])
	}
}

// Tasks is the number of independent tasks of Run: one a row.
func (g *Gate) Tasks() int { return g.out.H }

// Run executes one of Tasks tasks. in or res, or both, may be out itself where their maps are alike; res is nil unless the
// epilogue adds.
func (g *Gate) Run(in, res, out []byte, st *GateState, task, tasks int, s *Scratch) {
	rows := share(g.out.H, task, tasks)
	if rows.from == rows.to {
		return
	}
	a := &s.scale
	*a = asm.ScaleArgs{
		In: &in[g.in.Offset(rows.from, 0)], InRow: g.in.Row(), Gate: &st.gates[0],
		Out: &out[g.out.Offset(rows.from, 0)], OutRow: g.out.Row(),
		Rows: rows.to - rows.from, Cols: g.out.W, Channels: g.out.Layout.Total,
		Mult: g.mult, ResMult: g.residual, Epilogue: g.epilogue,
	}
	if res != nil {
		a.Res, a.ResRow = &res[g.res.Offset(rows.from, 0)], g.res.Row()
	}
	g.kernels.Scale(a)
}
