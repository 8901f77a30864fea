package onnx

import (
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of the fields of onnx.proto that are only read.
const (
	modelProducerVersion protowire.Number = 3
	modelFunctions       protowire.Number = 25

	opsetDomain protowire.Number = 1

	graphSparse protowire.Number = 15

	nodeDomain protowire.Number = 7

	attributeFloat  protowire.Number = 2
	attributeString protowire.Number = 4
	attributeTensor protowire.Number = 5

	tensorFloatData  protowire.Number = 4
	tensorInt32Data  protowire.Number = 5
	tensorInt64Data  protowire.Number = 7
	tensorDoubleData protowire.Number = 10
	tensorExternal   protowire.Number = 13
	tensorLocation   protowire.Number = 14

	entryKey   protowire.Number = 1
	entryValue protowire.Number = 2
)

// Bounds of what is kept in memory of a file. ResNet-152 has 500 nodes and 300 constants.
const (
	maxNodes      = 1 << 15
	maxConstants  = 1 << 15
	maxNodeValues = 1 << 10 // inputs, outputs, attributes of one node
	maxRank       = 8
	maxShapeInts  = 64
)

// readNode is a NodeProto.
type readNode struct {
	name, op, domain string
	in, out          []string
	attributes       map[string]readAttribute
}

// readAttribute is an AttributeProto as far as the family needs it.
type readAttribute struct {
	i      int64
	f      float32
	s      string
	ints   []int64
	tensor *readTensor
}

// readModel is a ModelProto: everything but the weights' numbers.
type readModel struct {
	wire     *wire
	producer string
	opset    int

	nodes     []*readNode
	constants map[string]*readTensor
	inputs    []readValue
	outputs   []readValue
	haveGraph bool
}

// title names a node in messages.
func (n *readNode) title() string {
	name := n.name
	if name == "" && len(n.out) > 0 {
		name = n.out[0]
	}
	return fmt.Sprintf("%s %.200q", n.op, name)
}

// parseModel reads all but the weights of an ONNX file of size bytes.
func parseModel(r io.ReaderAt, size int64) (*readModel, error) {
	m := &readModel{wire: &wire{r: r, size: size}, constants: make(map[string]*readTensor)}
	err := m.wire.fields(span{0, size}, func(f field) (err error) {
		switch f.number {
		case modelProducer, modelProducerVersion:
			var text string
			if text, err = m.wire.text(f.span); err == nil && text != "" {
				if m.producer != "" {
					m.producer += " "
				}
				m.producer += text
			}
		case modelGraph:
			if m.haveGraph {
				return errors.New("the file has two graphs; it is damaged")
			}
			m.haveGraph = true
			return m.graph(f.span)
		case modelOpsetImport:
			return m.opsetImport(f.span)
		case modelFunctions:
			return errors.New("the model defines functions of its own; export it again with its functions inlined (onnx.inliner.inline_local_functions)")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if !m.haveGraph || len(m.nodes) == 0 {
		return nil, errors.New("the model has no graph; it is no ONNX file, or cut short")
	}
	return m, nil
}

func (m *readModel) opsetImport(s span) error {
	domain, version := "", 0
	err := m.wire.fields(s, func(f field) (err error) {
		switch f.number {
		case opsetDomain:
			domain, err = m.wire.text(f.span)
		case opsetVersion:
			version = int(f.value)
		}
		return err
	})
	if isStandard(domain) {
		m.opset = version
	}
	return err
}

// isStandard reports whether a domain is that of the standard operators.
func isStandard(domain string) bool { return domain == "" || domain == "ai.onnx" }

func (m *readModel) graph(s span) error {
	return m.wire.fields(s, func(f field) error {
		switch f.number {
		case graphNode:
			if len(m.nodes) >= maxNodes {
				return fmt.Errorf("the graph has more than %d nodes; that is no network of this family", maxNodes)
			}
			n, err := m.node(f.span)
			m.nodes = append(m.nodes, n)
			return err
		case graphInitializer:
			t, err := m.tensor(f.span)
			if err != nil {
				return err
			}
			if m.constants[t.name] != nil {
				return fmt.Errorf("initializer %.200q comes twice; the file is damaged", t.name)
			}
			if len(m.constants) >= maxConstants {
				return fmt.Errorf("the graph has more than %d initializers; that is no network of this family", maxConstants)
			}
			m.constants[t.name] = t
		case graphInput, graphOutput:
			v, err := m.value(f.span)
			if err != nil {
				return err
			}
			list := &m.inputs
			if f.number == graphOutput {
				list = &m.outputs
			}
			if len(*list) >= maxConstants {
				return errors.New("the graph has too many inputs or outputs; that is no network of this family")
			}
			*list = append(*list, v)
		case graphSparse:
			return errors.New("the graph has sparse initializers; export it with dense weights")
		}
		return nil
	})
}

func (m *readModel) node(s span) (*readNode, error) {
	n := &readNode{attributes: make(map[string]readAttribute)}
	count := 0
	err := m.wire.fields(s, func(f field) (err error) {
		if count++; count > maxNodeValues {
			return fmt.Errorf("a node has more than %d inputs, outputs and attributes; that is no network of this family", maxNodeValues)
		}
		text := ""
		switch f.number {
		case nodeInput, nodeOutput, nodeName, nodeOpType, nodeDomain:
			if text, err = m.wire.text(f.span); err != nil {
				return err
			}
		}
		switch f.number {
		case nodeInput:
			n.in = append(n.in, text)
		case nodeOutput:
			n.out = append(n.out, text)
		case nodeName:
			n.name = text
		case nodeOpType:
			n.op = text
		case nodeDomain:
			n.domain = text
		case nodeAttribute:
			return m.attribute(n, f.span)
		}
		return nil
	})
	return n, err
}

func (m *readModel) attribute(n *readNode, s span) error {
	var a readAttribute
	name := ""
	err := m.wire.fields(s, func(f field) (err error) {
		switch f.number {
		case attributeName:
			name, err = m.wire.text(f.span)
		case attributeFloat:
			a.f = float32FromBits(f.value)
		case attributeInt:
			a.i = int64(f.value)
		case attributeString:
			if f.span.size <= maxText {
				a.s, err = m.wire.text(f.span)
			}
		case attributeTensor:
			a.tensor, err = m.tensor(f.span)
		case attributeInts:
			a.ints, err = m.wire.numbers(f, a.ints, maxShapeInts)
		}
		return err
	})
	n.attributes[name] = a
	return err
}
