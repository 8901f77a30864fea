package onnx

import (
	"errors"
	"fmt"
	"io"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// A span is a part of a file: a message, a string or packed numbers. Weights stay in the file until they are
// wanted, so a model of any size is walked in a few kilobytes.
type span struct{ at, size int64 }

// field is one field of a message: a number for the wire types varint, fixed32 and fixed64, else a span.
type field struct {
	number protowire.Number
	kind   protowire.Type
	value  uint64
	span   span
}

// wire reads protocol buffers from a file through a small window.
type wire struct {
	r    io.ReaderAt
	size int64

	window [4096]byte
	begin  int64 // of the window in the file
	filled int   // bytes of the window
}

// maxText bounds names and other strings, in bytes.
const maxText = 1 << 16

var errCut = errors.New("the file is cut short or damaged: a field reaches past the end of its message")

// peek gives up to n bytes from at on, fewer only at the end of the file.
func (w *wire) peek(at int64, n int) ([]byte, error) {
	if at < w.begin || at+int64(n) > w.begin+int64(w.filled) {
		got, err := w.r.ReadAt(w.window[:min(int64(len(w.window)), max(0, w.size-at))], at)
		if err != nil && err != io.EOF {
			return nil, err
		}
		w.begin, w.filled = at, got
	}
	b := w.window[at-w.begin : w.filled]
	return b[:min(n, len(b))], nil
}

// varint reads a varint inside s and moves its begin past it.
func (w *wire) varint(s *span) (uint64, error) {
	b, err := w.peek(s.at, int(min(s.size, 10)))
	if err != nil {
		return 0, err
	}
	v, n := protowire.ConsumeVarint(b)
	if n < 0 {
		return 0, errCut
	}
	s.at, s.size = s.at+int64(n), s.size-int64(n)
	return v, nil
}

// fixed reads a little-endian number of n bytes inside s and moves its begin past it.
func (w *wire) fixed(s *span, n int) (uint64, error) {
	b, err := w.peek(s.at, n)
	if err != nil {
		return 0, err
	}
	if s.size < int64(n) || len(b) < n {
		return 0, errCut
	}
	var v uint64
	for i := n - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	s.at, s.size = s.at+int64(n), s.size-int64(n)
	return v, nil
}

// fields calls f for every field of the message s, in the file's order.
func (w *wire) fields(s span, f func(field) error) error {
	for s.size > 0 {
		got, err := w.next(&s)
		if err != nil {
			return err
		}
		if err := f(got); err != nil {
			return err
		}
	}
	return nil
}

// next reads one field at the begin of s and moves that past it.
func (w *wire) next(s *span) (f field, err error) {
	tag, err := w.varint(s)
	if err != nil {
		return f, err
	}
	if tag > math.MaxUint32 {
		return f, fmt.Errorf("the file is damaged: field number %d", tag>>3)
	}
	f.number, f.kind = protowire.DecodeTag(tag)
	switch f.kind {
	case protowire.VarintType:
		f.value, err = w.varint(s)
	case protowire.Fixed32Type:
		f.value, err = w.fixed(s, 4)
	case protowire.Fixed64Type:
		f.value, err = w.fixed(s, 8)
	case protowire.BytesType:
		var n uint64
		if n, err = w.varint(s); err != nil {
			return f, err
		}
		if n > uint64(s.size) {
			return f, errCut
		}
		f.span = span{s.at, int64(n)}
		s.at, s.size = s.at+int64(n), s.size-int64(n)
	default:
		err = fmt.Errorf("the file is damaged, or no ONNX model: wire type %d", f.kind)
	}
	return f, err
}

// text reads a string.
func (w *wire) text(s span) (string, error) {
	if s.size > maxText {
		return "", fmt.Errorf("a name of %d bytes; the limit is %d", s.size, maxText)
	}
	b := make([]byte, s.size)
	if n, err := w.r.ReadAt(b, s.at); n < len(b) {
		return "", err
	}
	return string(b), nil
}

// numbers appends the integers of a repeated field, packed or not, to list, which may grow to most.
func (w *wire) numbers(f field, list []int64, most int) ([]int64, error) {
	if f.kind == protowire.VarintType {
		f.span = span{}
		list = append(list, int64(f.value))
	}
	for f.span.size > 0 && len(list) <= most {
		v, err := w.varint(&f.span)
		if err != nil {
			return nil, err
		}
		list = append(list, int64(v))
	}
	if len(list) > most {
		return nil, fmt.Errorf("a list of more than %d numbers", most)
	}
	return list, nil
}
