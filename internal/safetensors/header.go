package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// readHeader fills f.metadata and f.tensors from a container of size bytes.
func (f *File) readHeader(size int64) error {
	text, err := readHeaderText(f.r, size)
	if err != nil {
		return err
	}
	p := newParser(text)
	if err := p.header(); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if err := place(p.tensors, prefixSize+int64(len(text)), size); err != nil {
		return err
	}
	f.metadata, f.tensors = p.metadata, p.tensors
	return nil
}

// readHeaderText returns the JSON text. Its length is compared with the file's
// before anything of that length is allocated.
func readHeaderText(r io.ReaderAt, size int64) ([]byte, error) {
	if size < prefixSize {
		return nil, fmt.Errorf("%d bytes is too short for a safetensors file: %d bytes are missing from its length field", size, prefixSize-size)
	}
	var prefix [prefixSize]byte
	if n, err := r.ReadAt(prefix[:], 0); n < prefixSize {
		return nil, fmt.Errorf("reading the header length: %w", noEOF(err))
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	if n > maxHeader {
		return nil, fmt.Errorf("header length %d is over the format's limit of %d: not a safetensors file, or damaged", n, maxHeader)
	}
	if have := size - prefixSize; int64(n) > have {
		return nil, fmt.Errorf("cut short: %d bytes are missing from the header of %d bytes", int64(n)-have, n)
	}
	text := make([]byte, n)
	if got, err := r.ReadAt(text, prefixSize); got < len(text) {
		return nil, fmt.Errorf("reading the header: %w", noEOF(err))
	}
	if len(text) == 0 || text[0] != '{' {
		return nil, errors.New("the header does not start with '{': not a safetensors file, or damaged")
	}
	if !utf8.Valid(text) {
		return nil, errors.New("the header is not UTF-8: not a safetensors file, or damaged")
	}
	return text, nil
}

// place turns the offsets of the tensors from relative to the end of the
// header, where the data begins, into absolute ones. The tensors have to fill
// the file from there to its end: nothing shared, nothing left over.
func place(tensors map[string]Info, data, size int64) error {
	next := data
	for _, name := range byOffset(tensors) {
		info := tensors[name]
		if info.End > math.MaxInt64-data {
			return fmt.Errorf("tensor %q: end offset %d overflows 63 bits", name, info.End)
		}
		info.Begin += data
		info.End += data
		if info.Begin < next {
			return fmt.Errorf("tensor %q: its bytes overlap %d bytes of the tensor before it", name, next-info.Begin)
		}
		if info.Begin > next {
			return fmt.Errorf("tensor %q: %d bytes before it belong to no tensor", name, info.Begin-next)
		}
		next = info.End
		tensors[name] = info
	}
	if next > size {
		return fmt.Errorf("cut short: %d bytes are missing; the header promises %d bytes and the file has %d", next-size, next, size)
	}
	if next < size {
		return fmt.Errorf("%d bytes after the last tensor belong to no tensor", size-next)
	}
	return nil
}

// byOffset lists the tensors in the order of their bytes.
func byOffset(tensors map[string]Info) []string {
	return slices.SortedFunc(maps.Keys(tensors), func(a, b string) int {
		x, y := tensors[a], tensors[b]
		return cmp.Or(cmp.Compare(x.Begin, y.Begin), cmp.Compare(x.End, y.End), cmp.Compare(a, b))
	})
}

// A parser reads the header token by token. Decoding into Go structures would
// let duplicate keys and differences of letter case pass.
type parser struct {
	dec      *json.Decoder
	metadata map[string]string
	tensors  map[string]Info
}

func newParser(text []byte) *parser {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return &parser{dec: dec, tensors: map[string]Info{}}
}

// header reads the whole text.
func (p *parser) header() error {
	err := p.object(func(key string) error {
		if key == metadataKey {
			return p.readMetadata()
		}
		return p.readTensor(key)
	})
	if err != nil {
		return err
	}
	if _, err := p.dec.Token(); err != io.EOF {
		return errors.New("text follows the closing '}'")
	}
	return nil
}

func (p *parser) readMetadata() error {
	p.metadata = map[string]string{}
	err := p.object(func(key string) (err error) {
		p.metadata[key], err = p.text()
		if err != nil {
			return fmt.Errorf("%q: %w", key, err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", metadataKey, err)
	}
	return nil
}

func (p *parser) readTensor(name string) error {
	info, err := p.tensorInfo()
	if err != nil {
		return fmt.Errorf("tensor %q: %w", name, err)
	}
	p.tensors[name] = info
	return nil
}

// tensorInfo reads one tensor's entry; its offsets are still relative to the
// end of the header.
func (p *parser) tensorInfo() (info Info, err error) {
	var offsets []int64
	seen := 0
	err = p.object(func(key string) (err error) {
		seen++
		switch key {
		case "dtype":
			info.DType, err = p.text()
		case "shape":
			info.Shape, err = p.shape()
		case "data_offsets":
			offsets, err = p.integers()
		default:
			return fmt.Errorf("field %q is not known; want dtype, shape, data_offsets", key)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
	if err != nil {
		return Info{}, err
	}
	if seen != 3 { // keys are known and distinct, so three are all three
		return Info{}, errors.New("want the fields dtype, shape and data_offsets")
	}
	if len(offsets) != 2 {
		return Info{}, fmt.Errorf("data_offsets: want 2 numbers, got %d", len(offsets))
	}
	info.Begin, info.End = offsets[0], offsets[1]
	return info, checkExtent(info)
}

// checkExtent compares the offsets with what dtype and shape need.
func checkExtent(info Info) error {
	want, err := byteSize(info.DType, info.Shape)
	if err != nil {
		return err
	}
	if info.Begin < 0 || info.End < info.Begin {
		return fmt.Errorf("data_offsets [%d, %d] are not an ascending pair", info.Begin, info.End)
	}
	if got := info.End - info.Begin; got != want {
		return fmt.Errorf("data_offsets [%d, %d] hold %d bytes, but %s of shape %v needs %d",
			info.Begin, info.End, got, info.DType, info.Shape, want)
	}
	return nil
}

// object reads an object and calls value, which must consume the value, for
// each key. A key that comes twice is an error.
func (p *parser) object(value func(key string) error) error {
	if err := p.delim('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.dec.More() {
		key, err := p.text()
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("the key %q comes twice", key)
		}
		seen[key] = true
		if err := value(key); err != nil {
			return err
		}
	}
	return p.delim('}')
}

func (p *parser) shape() ([]int, error) {
	wide, err := p.integers()
	if err != nil {
		return nil, err
	}
	shape := make([]int, len(wide))
	for i, dim := range wide {
		if dim > math.MaxInt {
			return nil, fmt.Errorf("dimension %d is too large for this machine", dim)
		}
		shape[i] = int(dim)
	}
	return shape, nil
}

// integers reads an array of integers that fit 63 bits.
func (p *parser) integers() ([]int64, error) {
	if err := p.delim('['); err != nil {
		return nil, err
	}
	list := []int64{}
	for p.dec.More() {
		token, err := p.token()
		if err != nil {
			return nil, err
		}
		number, ok := token.(json.Number)
		if !ok {
			return nil, fmt.Errorf("want an integer, got %v", token)
		}
		n, err := strconv.ParseUint(number.String(), 10, 63)
		if err != nil {
			return nil, fmt.Errorf("%s is not an integer from 0 to 2^63-1", number)
		}
		list = append(list, int64(n))
	}
	return list, p.delim(']')
}

func (p *parser) text() (string, error) {
	token, err := p.token()
	if err != nil {
		return "", err
	}
	s, ok := token.(string)
	if !ok {
		return "", fmt.Errorf("want a string, got %v", token)
	}
	return s, nil
}

func (p *parser) delim(want json.Delim) error {
	token, err := p.token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("want '%v', got %v", want, token)
	}
	return nil
}

func (p *parser) token() (json.Token, error) {
	token, err := p.dec.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("at byte %d: not JSON: %w", p.dec.InputOffset(), err)
	}
	return token, nil
}
