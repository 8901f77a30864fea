package onnx

import (
	"errors"
	"fmt"
	"io"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/libresnext/libresnext/quant/checkpoint"
)

// TensorProto.DataType, beside those that are written.
const (
	int64Type    dataType = 7
	float16Type  dataType = 10
	float64Type  dataType = 11
	bfloat16Type dataType = 16
)

// floatNames are the types of weights, by the names of package checkpoint.
var floatNames = map[dataType]string{float32Type: "float32", float16Type: "float16", bfloat16Type: "bfloat16", float64Type: "float64"}

// readTensor is a TensorProto whose numbers are still in the file, in one of the forms that the format has:
// raw bytes, a list of its own, or another file.
type readTensor struct {
	name string
	dims []int64
	kind dataType

	raw  span // raw_data
	list span // the packed numbers of float_data, double_data, int32_data or int64_data
	// loose holds what comes one by one instead of packed.
	loose  []uint64
	field  protowire.Number // of list and loose
	hasRaw bool

	external map[string]string // where another file has the bytes; nil if none does
}

// maxLoose bounds the numbers that are not packed, which only short tensors are.
const maxLoose = 1 << 16

func float32FromBits(v uint64) float32 { return math.Float32frombits(uint32(v)) }

func (m *readModel) tensor(s span) (*readTensor, error) {
	t := &readTensor{}
	err := m.wire.fields(s, func(f field) (err error) {
		switch f.number {
		case tensorDims:
			t.dims, err = m.wire.numbers(f, t.dims, maxRank)
		case tensorDataType:
			t.kind = dataType(f.value)
		case tensorName:
			t.name, err = m.wire.text(f.span)
		case tensorRawData:
			t.raw, t.hasRaw = f.span, true
		case tensorFloatData, tensorInt32Data, tensorInt64Data, tensorDoubleData:
			return t.numbers(f)
		case tensorExternal:
			return m.externalEntry(t, f.span)
		case tensorLocation:
			if f.value == 1 && t.external == nil {
				t.external = make(map[string]string)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tensor %.200q: %w", t.name, err)
	}
	return t, nil
}

// numbers notes where a list of numbers is.
func (t *readTensor) numbers(f field) error {
	t.field = f.number
	if f.kind == protowire.BytesType {
		if t.list.size > 0 {
			return errors.New("its numbers come in several parts; export the model again")
		}
		t.list = f.span
		return nil
	}
	if len(t.loose) >= maxLoose {
		return fmt.Errorf("more than %d numbers that are not packed; export the model again", maxLoose)
	}
	t.loose = append(t.loose, f.value)
	return nil
}

func (m *readModel) externalEntry(t *readTensor, s span) error {
	var key, value string
	err := m.wire.fields(s, func(f field) (err error) {
		switch f.number {
		case entryKey:
			key, err = m.wire.text(f.span)
		case entryValue:
			value, err = m.wire.text(f.span)
		}
		return err
	})
	if t.external == nil {
		t.external = make(map[string]string)
	}
	if len(t.external) < maxRank {
		t.external[key] = value
	}
	return err
}

// count is the number of elements that the dimensions promise, at most limit.
func (t *readTensor) count(limit int64) (int64, error) {
	n := int64(1)
	for _, d := range t.dims {
		if d < 0 || d > 0 && n > limit/d {
			return 0, fmt.Errorf("its shape %v has more elements than the file can hold (%d bytes)", t.dims, limit)
		}
		n *= d
	}
	return n, nil
}

// floats reads the numbers of a tensor of weights. files opens what is not in the model's own file.
func (t *readTensor) floats(m *readModel, files *dataFiles) ([]float32, error) {
	name, ok := floatNames[t.kind]
	if !ok {
		return nil, fmt.Errorf("its type is number %d; expected float32 (1), float16 (10), float64 (11) or bfloat16 (16): a quantised model cannot be read, give the float one", t.kind)
	}
	if t.external != nil {
		return t.externalFloats(files, name)
	}
	n, err := t.count(m.wire.size)
	if err != nil {
		return nil, err
	}
	if t.hasRaw {
		return readExactly(m.wire.r, t.raw, n, t.dims, name)
	}
	switch {
	case t.kind == float32Type && t.field == tensorFloatData && len(t.loose) == 0,
		t.kind == float64Type && t.field == tensorDoubleData && len(t.loose) == 0:
		return readExactly(m.wire.r, t.list, n, t.dims, name)
	case t.kind == float16Type || t.kind == bfloat16Type:
		return t.halves(m.wire, n, name)
	case int64(len(t.loose)) == n && t.field == tensorFloatData:
		list := make([]float32, n)
		for i, v := range t.loose {
			list[i] = float32FromBits(v)
		}
		return list, nil
	}
	return nil, fmt.Errorf("its numbers are missing; expected %d of %s", n, name)
}

// readExactly reads n elements that must fill s.
func readExactly(r io.ReaderAt, s span, n int64, dims []int64, name string) ([]float32, error) {
	size, _ := checkpoint.ElementSize(name)
	if s.size != n*size {
		return nil, fmt.Errorf("has %d bytes; its shape %v of %s needs %d", s.size, dims, name, n*size)
	}
	return checkpoint.ReadFloats(r, s.at, n, name)
}

// halves reads 16-bit floats that are stored as one integer each.
func (t *readTensor) halves(w *wire, n int64, name string) ([]float32, error) {
	var list []float32
	bits := t.loose
	for s := t.list; s.size > 0 || len(bits) > 0; {
		var v uint64
		if len(bits) > 0 {
			v, bits = bits[0], bits[1:]
		} else {
			var err error
			if v, err = w.varint(&s); err != nil {
				return nil, err
			}
		}
		if int64(len(list)) == n {
			return nil, fmt.Errorf("has more numbers than its shape %v", t.dims)
		}
		list = append(list, checkpoint.Float([]byte{byte(v), byte(v >> 8)}, name))
	}
	if int64(len(list)) != n {
		return nil, fmt.Errorf("has %d numbers; its shape %v needs %d", len(list), t.dims, n)
	}
	return list, nil
}

// ints reads a short list of integers: axes, or a shape.
func (t *readTensor) ints(w *wire) ([]int64, error) { return t.integers(w, maxShapeInts) }

// integers reads a list of at most most integers.
func (t *readTensor) integers(w *wire, most int) ([]int64, error) {
	if t.kind != int64Type && t.kind != int32Type || t.external != nil || len(t.loose) > most {
		return nil, errors.New("expected a short list of integers in the model's own file")
	}
	var list []int64
	for _, v := range t.loose {
		list = append(list, int64(v))
	}
	if !t.hasRaw {
		return w.numbers(field{kind: protowire.BytesType, span: t.list}, list, most)
	}
	bytes := map[dataType]int{int64Type: 8, int32Type: 4}[t.kind]
	for s := t.raw; s.size > 0; {
		v, err := w.fixed(&s, bytes)
		if err != nil || len(list) >= most {
			return nil, errors.New("expected a short list of whole integers")
		}
		if bytes == 4 {
			v = uint64(int64(int32(v)))
		}
		list = append(list, int64(v))
	}
	return list, nil
}
