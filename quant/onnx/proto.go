package onnx

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of the fields of onnx.proto that are written here, by message.
const (
	modelIRVersion   protowire.Number = 1
	modelProducer    protowire.Number = 2
	modelDoc         protowire.Number = 6
	modelGraph       protowire.Number = 7
	modelOpsetImport protowire.Number = 8
	modelMetadata    protowire.Number = 14

	opsetVersion protowire.Number = 2

	graphNode        protowire.Number = 1
	graphName        protowire.Number = 2
	graphInitializer protowire.Number = 5
	graphInput       protowire.Number = 11
	graphOutput      protowire.Number = 12

	nodeInput     protowire.Number = 1
	nodeOutput    protowire.Number = 2
	nodeName      protowire.Number = 3
	nodeOpType    protowire.Number = 4
	nodeAttribute protowire.Number = 5

	attributeName protowire.Number = 1
	attributeInt  protowire.Number = 3
	attributeInts protowire.Number = 8
	attributeType protowire.Number = 20

	tensorDims     protowire.Number = 1
	tensorDataType protowire.Number = 2
	tensorName     protowire.Number = 8
	tensorRawData  protowire.Number = 9

	valueName protowire.Number = 1
	valueType protowire.Number = 2

	typeTensor    protowire.Number = 1
	tensorElem    protowire.Number = 1
	tensorShape   protowire.Number = 2
	shapeDim      protowire.Number = 1
	dimensionSize protowire.Number = 1
	dimensionName protowire.Number = 2
)

// anyNumber is a dimension that the caller of the graph chooses.
const anyNumber = -1

// AttributeProto.AttributeType.
const (
	typeInt    = 2
	typeString = 3
	typeInts   = 7
)

// dataType is TensorProto.DataType.
type dataType int

const (
	float32Type dataType = 1
	uint8Type   dataType = 2
	int8Type    dataType = 3
	int32Type   dataType = 6
)

func appendString(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}

// appendHeader announces an embedded message of n bytes, which the caller appends.
func appendHeader(b []byte, field protowire.Number, n int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(n))
}

func appendInt(b []byte, field protowire.Number, v int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}

// attribute is an encoded AttributeProto.
type attribute []byte

func stringAttribute(name, v string) attribute {
	b := appendString(nil, attributeName, name)
	return appendInt(appendString(b, attributeString, v), attributeType, typeString)
}

func intAttribute(name string, v int) attribute {
	b := appendString(nil, attributeName, name)
	return appendInt(appendInt(b, attributeInt, v), attributeType, typeInt)
}

func intsAttribute(name string, v ...int) attribute {
	b := appendString(nil, attributeName, name)
	for _, n := range v {
		b = appendInt(b, attributeInts, n)
	}
	return appendInt(b, attributeType, typeInts)
}

// encodeNode makes a NodeProto of the standard operators. Its name is that of its only output.
func encodeNode(op string, in []string, out string, attributes []attribute) []byte {
	var b []byte
	for _, name := range in {
		b = appendString(b, nodeInput, name)
	}
	b = appendString(b, nodeOutput, out)
	b = appendString(b, nodeName, out)
	b = appendString(b, nodeOpType, op)
	for _, a := range attributes {
		b = appendBytes(b, nodeAttribute, a)
	}
	return b
}

// encodeTensor makes a TensorProto; without dims it is a scalar.
func encodeTensor(name string, t dataType, dims []int, data []byte) []byte {
	b := make([]byte, 0, len(data)+len(name)+64)
	for _, d := range dims {
		b = appendInt(b, tensorDims, d)
	}
	b = appendInt(b, tensorDataType, int(t))
	b = appendString(b, tensorName, name)
	return appendBytes(b, tensorRawData, data)
}

// encodeValue makes the ValueInfoProto of a tensor that enters or leaves the graph. A dimension may be anyNumber.
func encodeValue(name string, t dataType, dims ...int) []byte {
	var shape []byte
	for _, d := range dims {
		dim := appendInt(nil, dimensionSize, d)
		if d == anyNumber {
			dim = appendString(nil, dimensionName, "N")
		}
		shape = appendBytes(shape, shapeDim, dim)
	}
	tensor := appendBytes(appendInt(nil, tensorElem, int(t)), tensorShape, shape)
	return appendBytes(appendString(nil, valueName, name), valueType, appendBytes(nil, typeTensor, tensor))
}

// raw gives the little-endian bytes that raw_data holds.
func raw[T int8 | uint8 | int32 | int64 | float32](v ...T) []byte {
	b, _ := binary.Append(nil, binary.LittleEndian, v) // cannot fail for these types
	return b
}
