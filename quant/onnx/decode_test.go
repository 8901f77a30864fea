package onnx

import (
	"encoding/binary"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
)

// message holds the fields of a decoded message: varints, and the bytes of all else.
type message struct {
	t      *testing.T
	ints   map[protowire.Number][]int
	chunks map[protowire.Number][][]byte
}

func decode(t *testing.T, b []byte) message {
	t.Helper()
	m := message{t, map[protowire.Number][]int{}, map[protowire.Number][][]byte{}}
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		require.Positive(t, n)
		b = b[n:]
		switch kind {
		case protowire.VarintType:
			v, n := protowire.ConsumeVarint(b)
			require.Positive(t, n)
			m.ints[field], b = append(m.ints[field], int(v)), b[n:]
		case protowire.BytesType:
			v, n := protowire.ConsumeBytes(b)
			require.Positive(t, n)
			m.chunks[field], b = append(m.chunks[field], v), b[n:]
		default:
			require.Failf(t, "unexpected wire type", "%d", kind)
		}
	}
	return m
}

func (m message) text(field protowire.Number) string {
	m.t.Helper()
	require.Len(m.t, m.chunks[field], 1)
	return string(m.chunks[field][0])
}

func (m message) number(field protowire.Number) int {
	m.t.Helper()
	require.Len(m.t, m.ints[field], 1)
	return m.ints[field][0]
}

func (m message) child(field protowire.Number) message {
	m.t.Helper()
	require.Len(m.t, m.chunks[field], 1)
	return decode(m.t, m.chunks[field][0])
}

func (m message) children(field protowire.Number) []message {
	var all []message
	for _, b := range m.chunks[field] {
		all = append(all, decode(m.t, b))
	}
	return all
}

// tensor is a decoded constant, or a result of the interpreter.
type tensor struct {
	kind   dataType
	dims   []int
	values []float64
}

func (x tensor) count() int {
	n := 1
	for _, d := range x.dims {
		n *= d
	}
	return n
}

type node struct {
	op, name string
	in       []string
	ints     map[string][]int
}

// parsed is a decoded file.
type parsed struct {
	model     message
	nodes     []node
	constants map[string]tensor
	input     message
	output    message
}

// parse reads a file back and checks that every name is defined once, and before it is used.
func parse(t *testing.T, path string) parsed {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	p := parsed{model: decode(t, b), constants: map[string]tensor{}}
	g := p.model.child(modelGraph)
	p.input, p.output = g.child(graphInput), g.child(graphOutput)
	known := map[string]bool{p.input.text(valueName): true}
	define := func(name string) {
		require.False(t, known[name], "%s is defined twice", name)
		known[name] = true
	}
	for _, m := range g.children(graphInitializer) {
		define(m.text(tensorName))
		p.constants[m.text(tensorName)] = parseTensor(t, m)
	}
	for _, m := range g.children(graphNode) {
		n := node{op: m.text(nodeOpType), name: m.text(nodeName), ints: map[string][]int{}}
		require.Equal(t, n.name, m.text(nodeOutput))
		for _, in := range m.chunks[nodeInput] {
			require.True(t, known[string(in)], "%s uses %s before it is made", n.name, in)
			n.in = append(n.in, string(in))
		}
		for _, a := range m.children(nodeAttribute) {
			kind := map[int]protowire.Number{typeInt: attributeInt, typeInts: attributeInts}[a.number(attributeType)]
			n.ints[a.text(attributeName)] = a.ints[kind]
		}
		define(n.name)
		p.nodes = append(p.nodes, n)
	}
	require.True(t, known[p.output.text(valueName)])
	return p
}

func parseTensor(t *testing.T, m message) tensor {
	t.Helper()
	x := tensor{kind: dataType(m.number(tensorDataType)), dims: m.ints[tensorDims]}
	data := []byte(m.text(tensorRawData))
	require.Len(t, data, x.count()*x.kind.size(), m.text(tensorName))
	for i := range x.count() {
		at := data[i*x.kind.size():]
		var v float64
		switch x.kind {
		case float32Type:
			v = float64(math.Float32frombits(binary.LittleEndian.Uint32(at)))
		case int32Type:
			v = float64(int32(binary.LittleEndian.Uint32(at)))
		case int64Type:
			v = float64(int64(binary.LittleEndian.Uint64(at)))
		case int8Type:
			v = float64(int8(at[0]))
		case uint8Type:
			v = float64(at[0])
		default:
			require.Failf(t, "unexpected type", "%d", x.kind)
		}
		x.values = append(x.values, v)
	}
	return x
}

// shape gives the dimensions of an input or output.
func shape(m message) (t dataType, dims []int) {
	tensor := m.child(valueType).child(typeTensor)
	for _, d := range tensor.child(tensorShape).children(shapeDim) {
		if len(d.chunks) > 0 {
			require.Equal(d.t, "N", d.text(dimensionName))
			dims = append(dims, anyNumber)
			continue
		}
		dims = append(dims, d.number(dimensionSize))
	}
	return dataType(tensor.number(tensorElem)), dims
}
