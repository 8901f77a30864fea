package images

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"strings"
)

const (
	// maxDeflate is more than the bytes that one byte of a gzip file can stand for (1032, as zlib documents).
	maxDeflate = 1040
	// maxItems bounds the images; the largest set of this format, MNIST8M, has 8.1 million.
	maxItems  = 10_000_000
	gzipMagic = "\x1F\x8B"
)

// idxFile is an open IDX file of unsigned bytes, the format of MNIST: two zero bytes, the type of the numbers,
// the number of dimensions, each dimension in 4 bytes, and the numbers, the last dimension fastest. All
// integers are big-endian.
type idxFile struct {
	path string
	dims []int // the first counts the items
	item int   // bytes of one item
	data io.ReaderAt
	file io.Closer // nil where the data are in memory
	// unpacked are the data where they are in memory.
	unpacked []byte
}

// openIDX opens a file, gzipped or not. A gzipped one is unpacked into memory, a byte each; of the other only
// the header is read.
func openIDX(path string) (*idxFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, named(path, cause(err))
	}
	x := &idxFile{path: path, file: f}
	if err := x.read(f); err != nil {
		f.Close()
		return nil, named(path, err)
	}
	if x.file == nil {
		f.Close()
	}
	return x, nil
}

// Close closes the file.
func (x *idxFile) Close() error {
	if x.file == nil {
		return nil
	}
	return x.file.Close()
}

func (x *idxFile) read(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return cause(err)
	}
	buffered := bufio.NewReader(f)
	magic, err := buffered.Peek(2)
	if err != nil {
		return fmt.Errorf("the file has %d bytes, which is no IDX file", info.Size())
	}
	if string(magic) == gzipMagic {
		return x.unpack(buffered, info.Size())
	}
	header, err := x.readHeader(buffered)
	if err != nil {
		return err
	}
	want := header + x.size()
	if info.Size() < want {
		return fmt.Errorf("the file is truncated: it has %d bytes, its header announces %d: copy it again", info.Size(), want)
	}
	if info.Size() > want {
		return fmt.Errorf("the file has %d bytes, its header announces only %d: it is damaged, copy it again", info.Size(), want)
	}
	x.data = io.NewSectionReader(f, header, x.size())
	return nil
}

// unpack reads a gzip stream of a file of so many bytes.
func (x *idxFile) unpack(r io.Reader, fileSize int64) error {
	x.file = nil
	unzipped, err := gzip.NewReader(r)
	if err != nil {
		return unpackError(err)
	}
	if _, err := x.readHeader(unzipped); err != nil {
		return err
	}
	switch n := x.size(); {
	case n > memory.limit:
		return fmt.Errorf("its header announces %s, more than the %s that are unpacked in memory: gunzip it first",
			megabytes(n), megabytes(memory.limit))
	case n/maxDeflate > fileSize:
		return fmt.Errorf("the gzip file is truncated: its %d bytes cannot hold the %d that its header announces: copy it again", fileSize, n)
	}
	data := make([]byte, x.size())
	if _, err := io.ReadFull(unzipped, data); err != nil {
		return unpackError(err)
	}
	// The end is read too, because gzip's checksum stands there.
	switch n, err := unzipped.Read(make([]byte, 1)); {
	case n > 0:
		return fmt.Errorf("the file has more than the %d bytes that its header announces: it is damaged, copy it again", len(data))
	case !errors.Is(err, io.EOF):
		return unpackError(err)
	}
	x.data, x.unpacked = bytes.NewReader(data), data
	return nil
}

func unpackError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("the gzip file is truncated: copy it again")
	}
	return fmt.Errorf("the gzip file is damaged (%w): copy it again", err)
}

// readHeader reads up to the data and returns the header's size.
func (x *idxFile) readHeader(r io.Reader) (int64, error) {
	const unsignedByte = 0x08
	var magic [4]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		return 0, errors.New("it is no IDX file: it ends within its first 4 bytes: copy it again")
	}
	dimensions := int(magic[3])
	switch {
	case magic[0] != 0 || magic[1] != 0:
		return 0, fmt.Errorf("it is no IDX file: it begins with %q, expected two zero bytes; of archives of pictures only .zip is read: unpack others first", magic)
	case magic[2] != unsignedByte:
		return 0, fmt.Errorf("it holds numbers of the IDX type 0x%02X; only 0x08, unsigned bytes, is read", magic[2])
	case dimensions != 1 && dimensions != 3 && dimensions != 4:
		return 0, fmt.Errorf("it has %d dimensions, expected 1 (labels), 3 (images, height, width) or 4 (and 3 colours)", dimensions)
	}
	sizes := make([]byte, 4*dimensions)
	if _, err := io.ReadFull(r, sizes); err != nil {
		return 0, errors.New("it ends within its header: copy it again")
	}
	for i := range dimensions {
		// Beyond int32 there is nothing to be had, and sums below cannot overflow.
		v := binary.BigEndian.Uint32(sizes[4*i:])
		if v > 1<<31-1 {
			return 0, fmt.Errorf("its dimension %d is %d, which cannot be", i+1, v)
		}
		x.dims = append(x.dims, int(v))
	}
	if x.dims[0] > maxItems {
		return 0, fmt.Errorf("its dimension 1 is %d; up to %d images or labels are read", x.dims[0], maxItems)
	}
	if x.dims[0] == 0 {
		return 0, errors.New("it holds nothing: its first dimension is 0")
	}
	return int64(len(magic) + len(sizes)), x.checkItems()
}

// checkItems sets the size of an item and refuses what is no picture.
func (x *idxFile) checkItems() error {
	x.item = 1
	if len(x.dims) == 1 {
		return nil
	}
	if err := checkSize(x.dims[2], x.dims[1]); err != nil {
		return fmt.Errorf("an image of it %w", err)
	}
	x.item = x.dims[1] * x.dims[2]
	if len(x.dims) == 4 {
		if x.dims[3] != 3 {
			return fmt.Errorf("its images have %d colour channels, expected 3 (RGB)", x.dims[3])
		}
		x.item *= 3
	}
	if need := int64(x.item); need > memory.limit {
		return &MemoryError{fmt.Sprintf("an image of it is %dx%d pixels", x.dims[2], x.dims[1]), need, memory.limit}
	}
	return nil
}

// size is the number of bytes that the header announces.
func (x *idxFile) size() int64 { return int64(x.dims[0]) * int64(x.item) }

// bytes reads items [from, to).
func (x *idxFile) bytes(from, to int) ([]byte, error) {
	b := make([]byte, (to-from)*x.item)
	if _, err := x.data.ReadAt(b, int64(from)*int64(x.item)); err != nil {
		return nil, fmt.Errorf("cannot read the file: %w", cause(err))
	}
	return b, nil
}

// image returns item i as a picture, and its hold on the memory for pictures, which is to be given back.
func (x *idxFile) image(i int) (image.Image, *hold, error) {
	held := &hold{budget: memory}
	held.grow(int64(x.item))
	var b []byte
	if x.unpacked != nil {
		b = x.unpacked[i*x.item:][:x.item:x.item]
	} else {
		var err error
		if b, err = x.bytes(i, i+1); err != nil {
			return nil, held, err
		}
	}
	w, h := x.dims[2], x.dims[1]
	if len(x.dims) == 3 {
		return &image.Gray{Pix: b, Stride: w, Rect: image.Rect(0, 0, w, h)}, held, nil
	}
	return newRGBImage(b, w, h), held, nil
}

// isIDX reports whether a file is to be opened as IDX: by its first bytes or its name.
func isIDX(path string) bool {
	if idxName.MatchString(path) || strings.HasSuffix(strings.ToLower(path), ".gz") {
		return true
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var head [4]byte
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return false
	}
	typed := head[2] == 0x08 || head[2] == 0x09 || head[2] >= 0x0B && head[2] <= 0x0E
	return string(head[:2]) == gzipMagic || head[0] == 0 && head[1] == 0 && typed && head[3] >= 1 && head[3] <= 4
}
