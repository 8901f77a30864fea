package int8

import "github.com/libresnext/libresnext/asm"

// ConvSpec is a convolution in plain numbers. A grouped one (Groups > 1) is 3x3 with Epilogue ReLU, and In and
// Out are alike.
type ConvSpec struct {
	// In and Out place the channels; In is ignored for a stem.
	In, Out Layout
	// Stem says that the input is an Image.
	Stem                   bool
	Kernel, Stride, Groups int
	// Weight is [out][Kernel][Kernel][in/Groups] without padding, Bias and Multiplier [out].
	Weight     []int8
	Bias       []int32
	Multiplier []float32
	Epilogue   asm.Epilogue
	// Residual multiplies the shortcut where Epilogue adds one.
	Residual float32
}

// Conv is a convolution packed for a set of kernels. But for Then it is immutable and safe for concurrent use.
type Conv struct {
	kernel, stride int
	numbers        *packed
	operator       operator
}

// operator is a way to compute a convolution with the kernels of a set. An operator packs weights for its kernels when
// it is made; each has a file of its own.
type operator interface {
	// bind adds to b, whose window and output are set, what the operator wants to know of pixels beyond them.
	bind(b *Binding)
	// tasks and run are Conv.Tasks and Conv.Run.
	tasks(b *Binding, threads int) int
	run(b *Binding, buf Buffers, task, tasks int, s *Scratch)
}

// packed are a convolution's numbers as kernels read them.
type packed struct {
	weights []int8
	bias    []int32   // [Out.Total]; in it what InputFlip takes from the sums
	mult    []float32 // [Out.Total]
	// macs counts the multiply-accumulates of a pixel by the acc16 depth that they run at, in products.
	macs map[int]int
	// after are the weights of the convolution that runs next, if it is known.
	after []int8
}

// NewConv packs a convolution. The caller has checked the lengths of s.Weight, s.Bias and s.Multiplier.
func NewConv(k *asm.Kernels, s ConvSpec) *Conv {
	c := &Conv{kernel: s.Kernel, stride: s.Stride, numbers: &packed{
		bias: make([]int32, s.Out.Total), mult: make([]float32, s.Out.Total), macs: map[int]int{},
	}}
	perChannel := len(s.Weight) / s.Out.Channels()
	for oc := range s.Out.Channels() {
		at := s.Out.At(oc)
		c.numbers.bias[at], c.numbers.mult[at] = s.Bias[oc], s.Multiplier[oc]
		if k.InputFlip != 0 { // the kernel sees q-128
			for _, w := range s.Weight[oc*perChannel : (oc+1)*perChannel] {
				c.numbers.bias[at] += 128 * int32(w)
			}
		}
	}
	if s.direct() {
		c.operator = newDirect(k, s, c.numbers)
	} else {
		c.operator = newIndirect(k, s, c.numbers)
	}
	return c
}

// Buffers are what a convolution reads and writes. Residual is nil unless the epilogue adds; it may be Out
// itself (the add in place).
type Buffers struct {
	In, Out, Residual []byte
}

// Tasks is the number of independent tasks into which the convolution at b is best cut for that many
// threads. Run executes one of them.
func (c *Conv) Tasks(b *Binding, threads int) int { return c.operator.tasks(b, threads) }

// Run executes task number task of tasks; tasks of one convolution may run at the same time.
func (c *Conv) Run(b *Binding, buf Buffers, task, tasks int, s *Scratch) {
	c.operator.run(b, buf, task, tasks, s)
}

// Then tells a convolution which one runs after it, so that the first of that one's weights may be fetched while the last
// of its own are at work. It is called before any Run.
func (c *Conv) Then(next *Conv) { c.numbers.after = next.numbers.weights }

// MACsByDepth returns how many useful multiply-accumulates of one output pixel run at each proved acc16 depth, in
// products; 0 is the kernel that needs no proof.
func (c *Conv) MACsByDepth() map[int]int { return c.numbers.macs }

// Bytes is the memory that the packed numbers take.
func (c *Conv) Bytes() int {
	return len(c.numbers.weights) + 4*len(c.numbers.bias) + 4*len(c.numbers.mult)
}

// Scratch holds the argument structs of one worker, so that a call allocates nothing.
type Scratch struct {
	igemm  asm.IGEMMArgs
	group  asm.GroupArgs
	pool   asm.PoolArgs
	blur   asm.BlurArgs
	sum    asm.SumArgs
	linear asm.LinearArgs
	scale  asm.ScaleArgs
}

// interval is the half-open range from..to.
type interval struct{ from, to int }

// share is the part of n that belongs to a task. The products of large maps do not fit an int of 32 bits.
func share(n, task, tasks int) interval {
	begin := func(task int) int { return int(int64(n) * int64(task) / int64(tasks)) }
	return interval{begin(task), begin(task + 1)}
}
