// Package safetensors reads and writes the safetensors container: named
// tensors as raw little-endian bytes behind a JSON header.
//
// The layout is that of the format document of the safetensors project:
//
//	8 bytes            N, the header's length, little-endian, at most 100 000 000
//	N bytes            JSON object, starts with '{', may end in spaces
//	the rest           the tensors' bytes, back to back, row-major
//
// The header maps each tensor name to dtype, shape and data_offsets (relative
// to the end of the header), and "__metadata__" to a map from string to string.
//
// The reader checks the whole header before it hands out anything: duplicate
// and unknown fields, overflowing shapes, offsets that do not equal dtype times
// shape, overlaps, holes and a length that differs from the file's are errors
// that name the file and the tensor. What it does not check is the bytes of the
// tensors; Checksum is for that.
//
// Only the header is held in memory, so a small device can load a model one
// tensor at a time.
package safetensors

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
)

const (
	// maxHeader is the format's limit on the length of the JSON header, in bytes.
	maxHeader = 100_000_000
	// prefixSize is the length of the field that holds the header's length.
	prefixSize = 8
	// metadataKey is the header key that is not a tensor.
	metadataKey = "__metadata__"
)

// Info describes one tensor of a File.
type Info struct {
	// DType is the format's name of the element type: F32, I8, BF16, ...
	DType string
	// Shape lists the dimensions, outermost first; empty for a scalar.
	Shape []int
	// Begin and End bound the tensor's bytes, as offsets from the start of the
	// file: End-Begin is the element size times the product of Shape.
	Begin, End int64
}

// A File is an open container whose header has been read and checked. It is
// never changed after that, so any number of goroutines may use one File.
type File struct {
	name     string
	r        io.ReaderAt
	closer   io.Closer
	metadata map[string]string
	tensors  map[string]Info
	names    []string // sorted
}

// Open reads and checks the header of the file at path. The file stays open
// for Read until Close.
func Open(path string) (*File, error) {
	// Before opening it, because opening a pipe waits for whoever writes to it.
	if stat, err := os.Stat(path); err == nil && !stat.Mode().IsRegular() {
		return nil, notRegular(path)
	}
	fd, err := os.Open(path)
	if err != nil {
		return nil, err // *PathError: names the path
	}
	f, err := openFile(fd, path)
	if err != nil {
		fd.Close()
		return nil, err
	}
	return f, nil
}

func openFile(fd *os.File, path string) (*File, error) {
	stat, err := fd.Stat()
	if err != nil {
		return nil, err
	}
	if !stat.Mode().IsRegular() {
		return nil, notRegular(path)
	}
	f, err := Parse(fd, stat.Size(), path)
	if err != nil {
		return nil, err
	}
	f.closer = fd
	return f, nil
}

func notRegular(path string) error {
	return &os.PathError{Op: "open", Path: path, Err: errors.New("not a regular file; give the path of a .safetensors file")}
}

// Parse reads and checks the header of a container of size bytes. name stands
// for the file in errors. r must stay readable for as long as Read is called.
func Parse(r io.ReaderAt, size int64, name string) (*File, error) {
	f := &File{name: name, r: r}
	if err := f.readHeader(size); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f.names = slices.Sorted(maps.Keys(f.tensors))
	return f, nil
}

// Close closes the file that Open opened. It does nothing after Parse, whose
// caller owns the reader.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// Metadata returns a copy of the entries under "__metadata__"; empty, not nil,
// if the file has none.
func (f *File) Metadata() map[string]string {
	m := make(map[string]string, len(f.metadata))
	maps.Copy(m, f.metadata)
	return m
}

// Names returns the names of the tensors in ascending byte order.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Info describes the tensor called name, and reports whether there is one.
func (f *File) Info(name string) (Info, bool) {
	info, ok := f.tensors[name]
	info.Shape = slices.Clone(info.Shape)
	return info, ok
}

// Read returns the raw little-endian bytes of the tensor called name. It
// stores them in dst's array if the capacity is enough, else in a new one.
func (f *File) Read(name string, dst []byte) ([]byte, error) {
	info, ok := f.tensors[name]
	if !ok {
		return nil, fmt.Errorf("%s: no tensor %q", f.name, name)
	}
	n := info.End - info.Begin
	if n > math.MaxInt {
		return nil, fmt.Errorf("%s: tensor %q: %d bytes do not fit this machine's memory", f.name, name, n)
	}
	dst = slices.Grow(dst[:0], int(n))[:n]
	if got, err := f.r.ReadAt(dst, info.Begin); got < len(dst) {
		return nil, f.shortRead(name, info, int64(got), err)
	}
	return dst, nil
}

// shortRead is the error for a tensor whose bytes could not all be read,
// although the file was long enough when its header was checked.
func (f *File) shortRead(name string, info Info, got int64, err error) error {
	return fmt.Errorf("%s: tensor %q: read %d of %d bytes: %w", f.name, name, got, info.End-info.Begin, noEOF(err))
}

// noEOF turns the end of a file where more was due into an error that says so.
func noEOF(err error) error {
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
