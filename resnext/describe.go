package resnext

// LayerInfo describes one packed convolution, for people and benchmarks.
type LayerInfo struct {
	Shape ConvShape
	// Scale is the real value of one step of the output.
	Scale float32
	// Bytes is the memory that the packed numbers take.
	Bytes int
	// MACsByChain tells how many of Shape.MACs run at each proved chain length in quads; 0 is the kernel
	// that needs no proof, and the only key of sets that never need one.
	MACsByChain map[int]int
}

// Layers describes every convolution in the order in which they run.
func (m *Model) Layers() []LayerInfo {
	var infos []LayerInfo
	for _, l := range m.layers() {
		chains := map[int]int{}
		for chain, n := range l.conv.MACsByChain() {
			chains[chain] = n * l.shape.OutH * l.shape.OutW
		}
		infos = append(infos, LayerInfo{Shape: l.shape, Scale: l.scale, Bytes: l.conv.Bytes(), MACsByChain: chains})
	}
	return infos
}

// PackedBytes is the memory that the packed numbers of all layers take.
func (m *Model) PackedBytes() int {
	n := m.head.Bytes()
	for _, l := range m.layers() {
		n += l.conv.Bytes()
	}
	return n
}
