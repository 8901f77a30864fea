package onnx

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// made is a float model that tests change before it is written.
type made struct {
	nodes     []*madeNode
	constants []*madeConstant
	input     []int // dims of the image; nil for none
	inputType dataType
	others    []string // more images
	outputs   []string
	opset     int
	extra     []byte // appended to the model
	asInputs  bool   // constants are inputs too, as in the oldest files
}

type madeNode struct {
	op, name, domain string
	in, out          []string
	attributes       []attribute
}

type madeConstant struct {
	name    string
	dims    []int
	values  []float32
	encoded []byte // in place of the usual form
}

// tinyFloat is a small network of the family: both kinds of shortcuts, strides and groups.
func tinyFloat() resnext.Config {
	return resnext.Config{
		Stem: resnext.SimpleStem(7, 2, 8, resnext.Max3x3), Classes: 3, Height: 224, Width: 224,
		Stages: resnext.Uniform(2, []resnext.Stage{{Blocks: 2, Inner: 4, Out: 8, Stride: 1}, {Blocks: 2, Inner: 8, Out: 12, Stride: 2}}),
	}
}

// maker makes the graph of a network.
type maker struct {
	*made
	random *rand.Rand
	norms  bool // batch normalisation in nodes of its own
}

func makeModel(cfg resnext.Config, norms bool) *made {
	m := maker{&made{input: []int{1, 3, cfg.Height, cfg.Width}, inputType: float32Type, opset: 17}, rand.New(rand.NewPCG(1, 2)), norms}
	p := topology.Lower(cfg)
	tensors := make([]string, len(p.Maps))
	tensors[topology.Image] = "image"
	for _, s := range p.Steps {
		x := tensors[s.In]
		switch s.Op {
		case topology.MaxPool:
			tensors[s.Out] = m.add("MaxPool", s.Name, []string{x}, window(3, 2, 1)...)
		case topology.AveragePool:
			tensors[s.Out] = m.add("AveragePool", s.Name, []string{x}, append(window(2, 2, 0), intAttribute("ceil_mode", 1))...)
		case topology.Conv:
			if s.Role == topology.Shortcut && cfg.Stages[s.Stage].Shortcut == topology.Padded {
				tensors[s.Out] = m.end(m.pad(x, s.Conv), s, tensors, s.Add != topology.None)
				continue
			}
			tensors[s.Out] = m.end(m.conv(x, s.Conv), s, tensors, s.Conv.ReLU)
		case topology.Gated:
			tensors[s.Out] = m.end(m.add("Mul", s.Name, []string{x, m.gate(x, s.Gate)}), s, tensors, s.Add != topology.None)
		case topology.Classify, topology.Embed:
			x = m.add("Flatten", "flat", []string{m.add("GlobalAveragePool", "average", []string{x})})
			if s.Op == topology.Classify {
				x = m.linear(x, s.Conv, "logits", "fc")
			}
			if cfg.Head == topology.MultiLabel {
				x = m.add("Sigmoid", "labels", []string{x})
			}
			m.outputs = []string{x}
		}
	}
	return m.made
}

// end adds a step's shortcut and its ReLU.
func (m *maker) end(y string, s topology.Step, tensors []string, rectified bool) string {
	if s.Add != topology.None {
		y = m.add("Add", s.Block+".sum", []string{y, tensors[s.Add]})
	}
	if rectified {
		y = m.relu(y)
	}
	return y
}

// linear is a linear layer whose numbers have another name.
func (m *maker) linear(x string, s resnext.ConvShape, name, numbers string) string {
	m.constant(numbers+".weight", s.Out, s.In)
	m.constant(numbers+".bias", s.Out)
	return m.add("Gemm", name, []string{x, numbers + ".weight", numbers + ".bias"}, intAttribute("transB", 1))
}

// pad is a shortcut without weights: every second pixel, or other such, the new channels around the old ones.
func (m *maker) pad(x string, s resnext.ConvShape) string {
	numbers := func(name string, v ...int64) string {
		name = s.Name + name
		m.constants = append(m.constants, &madeConstant{name: name, dims: []int{len(v)}, encoded: encodeTensor(name, int64Type, []int{len(v)}, raw(v...))})
		return name
	}
	for i, axis := range []string{".rows", ".columns"} {
		if s.Stride != 1 {
			x = m.add("Slice", s.Name+axis, []string{x, numbers(axis+".start", 0), numbers(axis+".end", math.MaxInt64), numbers(axis+".axis", int64(i-2)), numbers(axis+".step", int64(s.Stride))})
		}
	}
	before := int64(s.Out-s.In) / 2
	return m.add("Pad", s.Name, []string{x, numbers(".pads", 0, before, 0, 0, 0, int64(s.Out-s.In)-before, 0, 0)})
}

// gate gives the gate of a map: with norms as the first implementations wrote it, else as timm does.
func (m *maker) gate(x string, layers []resnext.ConvShape) string {
	first := layers[0]
	view := func(op, name string, x string, a ...attribute) string {
		return m.add(op, first.Name+name, []string{x}, a...)
	}
	x = view("GlobalAveragePool", ".mean", x)
	switch {
	case len(layers) == 1:
		x = view("Transpose", ".turn", view("Squeeze", ".squeeze", x), intsAttribute("perm", 0, 2, 1))
		m.constant(first.Name+".weight", 1, 1, first.In)
		half := first.In / 2
		x = m.add("Conv", first.Name, []string{x, first.Name + ".weight"}, intsAttribute("kernel_shape", first.In), intsAttribute("pads", half, half))
		return view("Expand", ".expand", view("Sigmoid", ".sigmoid", view("Unsqueeze", ".back", x)))
	case m.norms:
		x = m.relu(m.linear(view("Reshape", ".flat", x), first, first.Name, first.Name))
		x = m.linear(x, layers[1], layers[1].Name, layers[1].Name)
		return view("Reshape", ".back", view("Sigmoid", ".sigmoid", x))
	}
	for i, s := range layers {
		m.constant(s.Name+".weight", s.Out, s.In, 1, 1)
		m.constant(s.Name+".bias", s.Out)
		x = m.add("Conv", s.Name, []string{x, s.Name + ".weight", s.Name + ".bias"})
		if i == 0 {
			x = m.relu(x)
		}
	}
	return view("Sigmoid", ".sigmoid", x)
}

func (m *maker) add(op, name string, in []string, a ...attribute) string {
	m.nodes = append(m.nodes, &madeNode{op: op, name: name, in: in, out: []string{name + "_out"}, attributes: a})
	return name + "_out"
}

func (m *maker) constant(name string, dims ...int) {
	size := 1
	for _, d := range dims {
		size *= d
	}
	values := make([]float32, size)
	for i := range values {
		values[i] = float32(m.random.NormFloat64())
	}
	m.constants = append(m.constants, &madeConstant{name: name, dims: dims, values: values})
}

func (m *maker) conv(x string, s resnext.ConvShape) string {
	a := append(window(s.Kernel, s.Stride, s.Kernel/2), intAttribute("group", s.Groups), intsAttribute("dilations", 1, 1))
	m.constant(s.Name+".weight", s.Out, s.In/s.Groups, s.Kernel, s.Kernel)
	if !m.norms {
		m.constant(s.Name+".bias", s.Out)
		return m.add("Conv", s.Name, []string{x, s.Name + ".weight", s.Name + ".bias"}, a...)
	}
	y := m.add("Conv", s.Name, []string{x, s.Name + ".weight"}, a...)
	in := []string{y}
	for _, part := range []string{".gain", ".shift", ".mean", ".variance"} {
		m.constant(s.Name+part, s.Out)
		in = append(in, s.Name+part)
	}
	for i, v := range m.made.find(s.Name + ".variance").values {
		m.made.find(s.Name + ".variance").values[i] = float32(math.Abs(float64(v)))
	}
	return m.add("BatchNormalization", s.Name+".norm", in, floatAttribute("epsilon", 0.001))
}

func (m *maker) relu(x string) string { return m.add("Relu", x+".relu", []string{x}) }

func floatAttribute(name string, v float32) attribute {
	b := appendString(nil, attributeName, name)
	return protowire.AppendFixed32(protowire.AppendTag(b, attributeFloat, protowire.Fixed32Type), math.Float32bits(v))
}

func tensorAttribute(name string, tensor []byte) attribute {
	return appendBytes(appendString(nil, attributeName, name), attributeTensor, tensor)
}

// find gives a constant by its name.
func (m *made) find(name string) *madeConstant {
	for _, c := range m.constants {
		if c.name == name {
			return c
		}
	}
	panic("no constant " + name)
}

// node gives a node by its name.
func (m *made) node(name string) *madeNode {
	for _, n := range m.nodes {
		if n.name == name {
			return n
		}
	}
	panic("no node " + name)
}

// order adds the numbers 0 to n-1, the last of them plus more, and gives their name.
func (m *made) order(n int, more int64) string {
	v := make([]int64, n)
	for i := range v {
		v[i] = int64(i)
	}
	v[n-1] += more
	m.constants = append(m.constants, &madeConstant{name: "order", encoded: encodeTensor("order", int64Type, []int{1, n}, raw(v...))})
	return "order"
}

// insert puts a node between a node and all that take its output.
func (m *made) insert(after, op, name string, more []string, a ...attribute) {
	from := m.node(after).out[0]
	to := name + "_out"
	for _, n := range m.nodes {
		for i, in := range n.in {
			if in == from {
				n.in[i] = to
			}
		}
	}
	for i, out := range m.outputs {
		if out == from {
			m.outputs[i] = to
		}
	}
	m.nodes = append(m.nodes, &madeNode{op: op, name: name, in: append([]string{from}, more...), out: []string{to}, attributes: a})
}

// prepare puts a node between the image, or what was put behind it before, and the stem.
func (m *made) prepare(op, name string, more []string, a ...attribute) {
	stem := m.node("stem")
	m.nodes = append(m.nodes, &madeNode{op: op, name: name, in: append([]string{stem.in[0]}, more...), out: []string{name + "_out"}, attributes: a})
	stem.in[0] = name + "_out"
}

// numbers adds a constant and gives its name.
func (m *made) numbers(name string, dims []int, v ...float32) string {
	m.constants = append(m.constants, &madeConstant{name: name, dims: dims, values: v})
	return name
}

// integers adds a constant of whole numbers and gives its name.
func (m *made) integers(name string, v ...int64) string {
	m.constants = append(m.constants, &madeConstant{name: name, encoded: encodeTensor(name, int64Type, []int{len(v)}, raw(v...))})
	return name
}

// set replaces an attribute.
func (n *madeNode) set(name string, a attribute) {
	start := appendString(nil, attributeName, name)
	for i, old := range n.attributes {
		if len(old) >= len(start) && string(old[:len(start)]) == string(start) {
			n.attributes[i] = a
			return
		}
	}
	n.attributes = append(n.attributes, a)
}

func (c *madeConstant) bytes() []byte {
	if c.encoded != nil {
		return c.encoded
	}
	return encodeTensor(c.name, float32Type, c.dims, raw(c.values...))
}

func (m *made) encode() []byte {
	var g []byte
	for _, n := range m.nodes {
		var b []byte
		for _, in := range n.in {
			b = appendString(b, nodeInput, in)
		}
		for _, out := range n.out {
			b = appendString(b, nodeOutput, out)
		}
		b = appendString(appendString(b, nodeName, n.name), nodeOpType, n.op)
		if n.domain != "" {
			b = appendString(b, nodeDomain, n.domain)
		}
		for _, a := range n.attributes {
			b = appendBytes(b, nodeAttribute, a)
		}
		g = appendBytes(g, graphNode, b)
	}
	for _, c := range m.constants {
		g = appendBytes(g, graphInitializer, c.bytes())
		if m.asInputs {
			g = appendBytes(g, graphInput, encodeValue(c.name, float32Type, c.dims...))
		}
	}
	if m.input != nil {
		g = appendBytes(g, graphInput, encodeValue("image", m.inputType, m.input...))
	}
	for _, name := range m.others {
		g = appendBytes(g, graphInput, encodeValue(name, m.inputType, m.input...))
	}
	for _, out := range m.outputs {
		g = appendBytes(g, graphOutput, encodeValue(out, float32Type))
	}
	b := appendInt(nil, modelIRVersion, 8)
	b = appendString(b, modelProducer, "tests")
	b = appendBytes(b, modelOpsetImport, appendInt(nil, opsetVersion, m.opset))
	return append(appendBytes(b, modelGraph, g), m.extra...)
}

// read writes the model into a new folder and reads it.
func (m *made) read(t testing.TB) (*Float, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.onnx")
	require.NoError(t, os.WriteFile(path, m.encode(), 0o600))
	return readFile(t, path)
}

// readFile is Read of the file at path.
func readFile(t testing.TB, path string) (*Float, error) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	stat, err := f.Stat()
	require.NoError(t, err)
	return Read(f, stat.Size(), path)
}

// requireIs checks that every number has arrived where it belongs.
func (m *made) requireIs(t *testing.T, cfg resnext.Config, f *Float) {
	t.Helper()
	require.Equal(t, cfg, f.Config)
	p := topology.Lower(cfg)
	require.Len(t, f.Layers, len(p.Layers()))
	for _, step := range p.Steps {
		for _, s := range step.Layers() {
			l := f.Layers[s.Name]
			name := s.Name
			switch {
			case step.Op == topology.Classify:
				name = "fc"
			case step.Role == topology.Shortcut && cfg.Stages[step.Stage].Shortcut == topology.Padded:
				require.Equal(t, fmt.Sprintf("Pad %q", s.Name), l.Title)
				require.Equal(t, padding(s), l.Weight)
				require.Nil(t, l.Bias)
				continue
			case step.Op == topology.Conv:
				require.Equal(t, fmt.Sprintf("Conv %q", s.Name), l.Title)
			}
			require.Equal(t, m.find(name+".weight").values, l.Weight)
			switch {
			case step.Op == topology.Gated && len(step.Gate) == 1:
				require.Nil(t, l.Bias)
			case l.Norm == nil:
				require.Equal(t, m.find(name+".bias").values, l.Bias)
			default:
				require.Nil(t, l.Bias)
				for part, got := range map[string][]float32{".gain": l.Norm.Gain, ".shift": l.Norm.Shift, ".mean": l.Norm.Mean, ".variance": l.Norm.Variance} {
					require.Equal(t, m.find(name+part).values, got, name+part)
				}
				require.InDelta(t, 0.001, l.Norm.Epsilon, 1e-9)
			}
		}
	}
}

// padding is the weights of a shortcut that puts new channels around the old ones.
func padding(s resnext.ConvShape) []float32 {
	w := make([]float32, s.Out*s.In)
	for c := range s.In {
		w[((s.Out-s.In)/2+c)*s.In+c] = 1
	}
	return w
}
