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
			tensors[s.Out] = m.add("MaxPool", "pool", []string{x}, window(3, 2, 1)...)
		case topology.Conv:
			y := m.conv(x, s.Conv)
			if s.Add != topology.None {
				y = m.add("Add", s.Block+".sum", []string{y, tensors[s.Add]})
			}
			if s.Conv.ReLU {
				y = m.relu(y)
			}
			tensors[s.Out] = y
		}
	}
	x := m.add("GlobalAveragePool", "average", []string{tensors[p.Head().In]})
	x = m.add("Flatten", "flat", []string{x})
	m.constant("fc.weight", cfg.Classes, cfg.Features())
	m.constant("fc.bias", cfg.Classes)
	m.outputs = []string{m.add("Gemm", "logits", []string{x, "fc.weight", "fc.bias"}, intAttribute("transB", 1))}
	return m.made
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

func stringAttribute(name, v string) attribute {
	return appendString(appendString(nil, attributeName, name), attributeString, v)
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
	for _, s := range cfg.Convs() {
		l := f.Layers[s.Name]
		require.Equal(t, fmt.Sprintf("Conv %q", s.Name), l.Title)
		require.Equal(t, m.find(s.Name+".weight").values, l.Weight)
		if l.Norm == nil {
			require.Equal(t, m.find(s.Name+".bias").values, l.Bias)
			continue
		}
		require.Nil(t, l.Bias)
		for part, got := range map[string][]float32{".gain": l.Norm.Gain, ".shift": l.Norm.Shift, ".mean": l.Norm.Mean, ".variance": l.Norm.Variance} {
			require.Equal(t, m.find(s.Name+part).values, got, s.Name+part)
		}
		require.InDelta(t, 0.001, l.Norm.Epsilon, 1e-9)
	}
	fc := f.Layers[resnext.ClassifierName]
	require.Equal(t, m.find("fc.weight").values, fc.Weight)
	require.Equal(t, m.find("fc.bias").values, fc.Bias)
}
