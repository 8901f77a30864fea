package topology

// ConvShape is one convolution with everything that its place in the network fixes. Weights are
// [Out][Kernel][Kernel][In/Groups]; padding is Kernel/2 on every side.
type ConvShape struct {
	// Name is the layer's name in the model file, such as "stage1.block0.transform".
	Name                   string
	In, Out                int
	Kernel, Stride, Groups int
	InH, InW, OutH, OutW   int
	// Image reports whether the input is the image: RGB bytes, In is 3.
	Image bool
	// ReLU reports whether the output is rectified: unsigned 8 bits. Without it (a projection shortcut before
	// the add) the output is signed.
	ReLU bool
	// InGroups and OutGroups say whose groups the channels are padded for in memory: the cardinality on
	// both sides of the grouped convolution, else 1.
	InGroups, OutGroups int
}

// Weights is the number of weights.
func (s ConvShape) Weights() int { return int(s.weights()) }

// weights is Weights before Validate has bounded it.
func (s ConvShape) weights() int64 {
	return int64(s.Out) * int64(s.Kernel*s.Kernel) * int64(s.In/s.Groups)
}

// WeightShape is [Out][Kernel][Kernel][In/Groups].
func (s ConvShape) WeightShape() []int { return []int{s.Out, s.Kernel, s.Kernel, s.In / s.Groups} }

// MACs is the number of multiply-accumulates for one image.
func (s ConvShape) MACs() int64 { return int64(s.OutH) * int64(s.OutW) * int64(s.Weights()) }

// outSize is the output length of a window of odd size k with padding k/2.
func outSize(n, k, stride int) int { return (n+2*(k/2)-k)/stride + 1 }
