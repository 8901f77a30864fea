package resnext

// LayerInfo describes one packed convolution, for people and benchmarks.
type LayerInfo struct {
	Shape ConvShape
	// Scale is the real value of one step of the output.
	Scale float32
	// Bytes is the memory that the packed numbers take.
	Bytes int
	// MACsByDepth is how many of Shape.MACs run at each acc16 depth, sums of so many products in 16 bits, which the weights
	// have proved safe; 0 is the kernel that needs no proof, and the only key of sets that never need one.
	MACsByDepth map[int]int64
}

// Layers describes every convolution in the order in which they run.
func (m *Model) Layers() []LayerInfo {
	var infos []LayerInfo
	for _, l := range m.layers() {
		depths := map[int]int64{}
		for depth, n := range l.conv.MACsByDepth() {
			depths[depth] = int64(n) * int64(l.shape.OutH) * int64(l.shape.OutW)
		}
		infos = append(infos, LayerInfo{Shape: l.shape, Scale: l.scale, Bytes: l.conv.Bytes(), MACsByDepth: depths})
	}
	return infos
}

// PackedBytes is the memory that the packed numbers of all layers take.
func (m *Model) PackedBytes() int {
	n := m.head.Bytes()
	for _, op := range m.steps {
		switch {
		case op.layer != nil:
			n += op.layer.conv.Bytes()
		case op.gate != nil:
			n += op.gate.Bytes()
		}
	}
	return n
}
