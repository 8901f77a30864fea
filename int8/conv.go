package int8

import "github.com/libresnext/libresnext/asm"

// ConvSpec is a convolution in plain numbers. A grouped one (Groups > 1) is 3x3 with Mode ReLU, and In and
// Out are alike.
type ConvSpec struct {
	// In and Out place the channels; In is ignored for a stem.
	In, Out Layout
	// Stem tells that the input is an Image.
	Stem                   bool
	Kernel, Stride, Groups int
	// Weight is [out][Kernel][Kernel][in/Groups] without padding, Bias and Multiplier [out].
	Weight     []int8
	Bias       []int32
	Multiplier []float32
	Mode       asm.Mode
	// Residual multiplies the shortcut where Mode adds one.
	Residual float32
}

// Conv is a convolution packed for a set of kernels. It is immutable and safe for concurrent use.
type Conv struct {
	kernels *asm.Kernels
	mode    asm.Mode
	res     float32
	kernel  int
	stride  int

	weights []int8
	bias    []int32
	mult    []float32
	// One of the two: runs of the indirect GEMM, or the direct grouped kernel.
	runs  []run
	units []unit // every panel of every run
	group *groupRun
	// macs[chain] counts the multiply-accumulates of a pixel that run at each chain length.
	macs map[int]int
}

// run is a series of panels that one kernel call covers.
type run struct {
	in      int // first input channel's place in a pixel
	weights int // where its panels begin
	panel   int // bytes of a panel
	channel int // first output channel's place in a pixel
	nr      int
	panels  int
	chain   int
	taps, k int
}

// unit is one panel of a run: the smallest piece of work when cutting by channels.
type unit struct{ run, panel int }

type groupRun struct {
	kernel asm.GroupKernel
	panel  int // bytes of a panel
	panels int
	chain  int
}

// NewConv packs a convolution. The caller has checked the lengths of s.Weight, s.Bias and s.Multiplier.
func NewConv(k *asm.Kernels, s ConvSpec) *Conv {
	c := &Conv{
		kernels: k, mode: s.Mode, res: s.Residual, kernel: s.Kernel, stride: s.Stride, macs: map[int]int{},
		bias: make([]int32, s.Out.Total), mult: make([]float32, s.Out.Total),
	}
	perChannel := len(s.Weight) / s.Out.Channels()
	for oc := range s.Out.Channels() {
		at := s.Out.At(oc)
		c.bias[at], c.mult[at] = s.Bias[oc], s.Multiplier[oc]
		if k.Offset != 0 { // the kernel sees q-128
			for _, w := range s.Weight[oc*perChannel : (oc+1)*perChannel] {
				c.bias[at] += 128 * int32(w)
			}
		}
	}
	if s.direct() {
		c.packGroup(s)
	} else {
		c.packIGEMM(s)
		for i, r := range c.runs {
			for p := range r.panels {
				c.units = append(c.units, unit{i, p})
			}
		}
	}
	return c
}

// direct tells whether a convolution is one for the direct grouped kernels.
func (s ConvSpec) direct() bool { return s.Groups > 1 && s.In.Padded <= 8 }

// MACsByChain tells how many useful multiply-accumulates of one output pixel run at each proved chain
// length; 0 is the kernel that needs no proof.
func (c *Conv) MACsByChain() map[int]int { return c.macs }

// Bytes is the memory that the packed numbers take.
func (c *Conv) Bytes() int { return len(c.weights) + 4*len(c.bias) + 4*len(c.mult) }
