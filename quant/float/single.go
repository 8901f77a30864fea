package float

import "github.com/libresnext/libresnext/resnext/topology"

// Layer runs one convolution on its own, for those who look at a network layer after layer. It is for one
// goroutine at a time; Clone makes another that shares the packed weights.
type Layer struct {
	layer layer
	work  workspace
}

// NewLayer packs c's weights as they are now. It panics if their number is not what c.Shape tells.
func NewLayer(c *Conv) *Layer {
	l := &Layer{layer: newLayer(c.Shape, packConv(c))}
	l.work = newWorkspace([]*layer{&l.layer})
	return l
}

// Clone is the same layer with memory of its own.
func (l *Layer) Clone() *Layer {
	return &Layer{layer: l.layer, work: newWorkspace([]*layer{&l.layer})}
}

// Run computes y, [OutH][OutW][Out], from x, [InH][InW][In], whose border is zero: the products and the
// bias, rectified where Shape.ReLU is set. With add the sums go onto what y holds, before the ReLU.
func (l *Layer) Run(x, y []float32, add bool) {
	l.layer.run(&l.work, x, y, add)
}

// RunWindows is Run for n output pixels, y being [n][Out], from what each of them sees, [n][Kernel][Kernel][In].
func (l *Layer) RunWindows(x []float32, n int, y []float32, add bool) {
	s := l.layer.shape
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i * s.Kernel * s.Kernel * s.In
	}
	l.layer.multiply(&l.work, x, rows, windowTaps(s, s.Kernel*s.In), y, add)
}

// Pool is a pooling step of x, a map of m's form, into y.
func Pool(s topology.Step, m topology.Map, x, y []float32) {
	switch s.Op {
	case topology.MaxPool:
		maxPool(x, m.H, m.W, m.Channels, s.Stride, y)
	case topology.AveragePool:
		averagePool2x2(x, m.H, m.W, m.Channels, y)
	case topology.Blur:
		blur(x, m.H, m.W, m.Channels, y)
	}
}
