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
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/libresnext/libresnext/internal/atomicfile"
)

// A Tensor is one tensor to write.
type Tensor struct {
	Name  string // any UTF-8 text but "__metadata__"
	DType string // F32, I8, ... as in Info
	Shape []int  // outermost first; empty for a scalar
	Data  []byte // raw little-endian, row-major
}

// Write makes the file at path hold the tensors and metadata, and returns its
// size in bytes. The same arguments, in any order of tensors, always give the
// same bytes: metadata is sorted by key, tensors by element size, widest first,
// then by name. As the data begins at a multiple of 8 bytes, that order leaves
// every tensor aligned to its element size without any padding.
//
// The file appears whole or not at all: it is written under a temporary name in
// the same folder, synced and renamed. After an error an existing file at path
// is as it was and the temporary one is gone. Write does not change its
// arguments.
func Write(path string, metadata map[string]string, tensors []Tensor) (int64, error) {
	var size int64
	err := atomicfile.Write(path, func(w io.Writer) (err error) {
		size, err = Encode(w, metadata, tensors)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return size, nil
}

// Encode writes what Write puts into a file to w, and returns its size in bytes.
func Encode(w io.Writer, metadata map[string]string, tensors []Tensor) (int64, error) {
	ordered := slices.SortedFunc(slices.Values(tensors), fileOrder)
	header, err := buildHeader(metadata, ordered)
	if err != nil {
		return 0, err
	}
	return writeAll(w, header, ordered)
}

// fileOrder sorts by element size, widest first, then by name.
func fileOrder(a, b Tensor) int {
	return cmp.Or(cmp.Compare(dtypeSizes[b.DType], dtypeSizes[a.DType]), strings.Compare(a.Name, b.Name))
}

func writeAll(w io.Writer, header []byte, tensors []Tensor) (int64, error) {
	n, err := w.Write(header)
	size := int64(n)
	for _, t := range tensors {
		if err != nil {
			break
		}
		n, err = w.Write(t.Data)
		size += int64(n)
	}
	return size, err
}

// buildHeader returns the length field and the JSON text, padded with spaces
// to a multiple of 8 bytes.
func buildHeader(metadata map[string]string, tensors []Tensor) ([]byte, error) {
	var h bytes.Buffer
	h.Write(make([]byte, prefixSize))
	h.WriteByte('{')
	if err := writeMetadata(&h, metadata); err != nil {
		return nil, err
	}
	if err := writeTensors(&h, tensors); err != nil {
		return nil, err
	}
	h.WriteByte('}')
	for h.Len()%8 != 0 {
		h.WriteByte(' ')
	}
	n := h.Len() - prefixSize
	if n > maxHeader {
		return nil, fmt.Errorf("a header of %d bytes is over the format's limit of %d", n, maxHeader)
	}
	binary.LittleEndian.PutUint64(h.Bytes(), uint64(n))
	return h.Bytes(), nil
}

func writeMetadata(h *bytes.Buffer, metadata map[string]string) error {
	if len(metadata) == 0 {
		return nil
	}
	writeKey(h, metadataKey)
	h.WriteByte('{')
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		if !utf8.ValidString(key) || !utf8.ValidString(metadata[key]) {
			return fmt.Errorf("metadata %q: key and value must be UTF-8", key)
		}
		writeKey(h, key)
		writeString(h, metadata[key])
	}
	h.WriteByte('}')
	return nil
}

func writeTensors(h *bytes.Buffer, tensors []Tensor) error {
	seen := map[string]bool{}
	var begin int64
	for _, t := range tensors {
		if err := checkTensor(t, seen); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		end := begin + int64(len(t.Data))
		writeKey(h, t.Name)
		fmt.Fprintf(h, `{"dtype":"%s","shape":%s,"data_offsets":[%d,%d]}`, t.DType, shapeText(t.Shape), begin, end)
		begin = end
	}
	return nil
}

func checkTensor(t Tensor, seen map[string]bool) error {
	if !utf8.ValidString(t.Name) {
		return errors.New("the name must be UTF-8")
	}
	if t.Name == metadataKey {
		return errors.New("the format keeps this name for metadata")
	}
	if seen[t.Name] {
		return errors.New("the name comes twice")
	}
	seen[t.Name] = true
	want, err := byteSize(t.DType, t.Shape)
	if err != nil {
		return err
	}
	if got := int64(len(t.Data)); got != want {
		return fmt.Errorf("%d bytes of data, but %s of shape %v needs %d", got, t.DType, t.Shape, want)
	}
	return nil
}

// writeKey writes a JSON key, after a comma if it is not its object's first.
func writeKey(h *bytes.Buffer, key string) {
	if b := h.Bytes(); b[len(b)-1] != '{' {
		h.WriteByte(',')
	}
	writeString(h, key)
	h.WriteByte(':')
}

func writeString(h *bytes.Buffer, s string) {
	enc := json.NewEncoder(h)
	enc.SetEscapeHTML(false) // <, > and & are plain text here
	_ = enc.Encode(s)        // neither a string nor a Buffer fails
	h.Truncate(h.Len() - 1)  // Encode ends with a newline
}

func shapeText(shape []int) string {
	return strings.ReplaceAll(fmt.Sprint(shape), " ", ",")
}
