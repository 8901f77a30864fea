package onnx

// graph collects encoded nodes and constants.
type graph struct {
	nodes, constants []byte
}

// value is an 8-bit tensor as its consumers see it: real numbers that are multiples of step.
type value struct {
	name string // of the real numbers
	step float32
}

// node adds a node and gives its output's name.
func (g *graph) node(op, out string, in []string, attributes ...attribute) string {
	g.nodes = appendBytes(g.nodes, graphNode, encodeNode(op, in, out, attributes))
	return out
}

// constant adds a constant and gives its name.
func (g *graph) constant(name string, t dataType, dims []int, data []byte) string {
	g.constants = appendBytes(g.constants, graphInitializer, encodeTensor(name, t, dims, data))
	return name
}

// scaling adds the scale and zero point of the tensor name.
func (g *graph) scaling(name string, step float32, zero uint8) []string {
	return []string{
		g.constant(name+".scale", float32Type, nil, raw(step)),
		g.constant(name+".zero", uint8Type, nil, raw(zero)),
	}
}

// round brings real numbers to 8 bits, under name.
func (g *graph) round(from, name string, step float32, zero uint8) value {
	scaling := g.scaling(name, step, zero)
	q := g.node("QuantizeLinear", name, append([]string{from}, scaling...))
	return value{g.node("DequantizeLinear", name+".real", append([]string{q}, scaling...)), step}
}

// perChannel adds an integer constant with one scale for each index of its first dimension, and gives the name
// of its real numbers.
func (g *graph) perChannel(name string, t dataType, dims []int, data []byte, steps []float32) string {
	zeros := make([]byte, dims[0]*t.size())
	return g.node("DequantizeLinear", name+".real", []string{
		g.constant(name, t, dims, data),
		g.constant(name+".scale", float32Type, dims[:1], raw(steps...)),
		g.constant(name+".zero", t, dims[:1], zeros),
	}, intAttribute("axis", 0))
}

// size is the number of bytes of one element.
func (t dataType) size() int {
	switch t {
	case int64Type:
		return 8
	case int32Type, float32Type:
		return 4
	}
	return 1
}
