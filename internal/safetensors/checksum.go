package safetensors

import (
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strings"
)

// ChecksumKey is the metadata entry under which a file's checksum is kept. It
// is the one entry that the checksum does not cover.
const ChecksumKey = "checksum"

// chunk is the size in bytes of the buffer that tensors stream through.
const chunk = 32 << 10

// Checksum computes the checksum of the whole content of f: "crc32c:" and the
// eight hexadecimal digits of a CRC-32C (Castagnoli). It covers the name,
// dtype, shape and bytes of each tensor in ascending order of name, then each
// metadata entry but ChecksumKey in ascending order of key. Strings, shapes and
// tensors are preceded by their lengths, so different contents never feed the
// same bytes to the CRC. The order of tensors in the file does not matter.
//
// It detects damage, every flipped bit included; it does not stop a forger.
func Checksum(f *File) (string, error) {
	d := newDigest()
	buf := make([]byte, chunk)
	d.length(len(f.names))
	for _, name := range f.names {
		info := f.tensors[name]
		d.tensor(name, info.DType, info.Shape, info.End-info.Begin)
		if n, err := d.stream(f.r, info, buf); err != nil {
			return "", f.shortRead(name, info, n, err)
		}
	}
	d.metadata(f.metadata)
	return d.sum(), nil
}

// ChecksumOf computes what Checksum returns for a file that Write makes from
// the same arguments.
func ChecksumOf(metadata map[string]string, tensors []Tensor) string {
	byName := slices.SortedFunc(slices.Values(tensors), func(a, b Tensor) int {
		return strings.Compare(a.Name, b.Name)
	})
	d := newDigest()
	d.length(len(byName))
	for _, t := range byName {
		d.tensor(t.Name, t.DType, t.Shape, int64(len(t.Data)))
		d.crc.Write(t.Data)
	}
	d.metadata(metadata)
	return d.sum()
}

// A digest feeds a CRC with an encoding of a container that can be told apart.
type digest struct{ crc hash.Hash32 }

func newDigest() digest {
	return digest{crc32.New(crc32.MakeTable(crc32.Castagnoli))}
}

func (d digest) uint64(n uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	d.crc.Write(b[:])
}

func (d digest) length(n int) { d.uint64(uint64(n)) }

func (d digest) text(s string) {
	d.length(len(s))
	d.crc.Write([]byte(s))
}

// tensor adds what precedes a tensor's bytes.
func (d digest) tensor(name, dtype string, shape []int, bytes int64) {
	d.text(name)
	d.text(dtype)
	d.length(len(shape))
	for _, dim := range shape {
		d.length(dim)
	}
	d.uint64(uint64(bytes))
}

// stream adds a tensor's bytes and returns how many it could read.
func (d digest) stream(r io.ReaderAt, info Info, buf []byte) (int64, error) {
	want := info.End - info.Begin
	n, err := io.CopyBuffer(d.crc, io.NewSectionReader(r, info.Begin, want), buf)
	if err == nil && n < want {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (d digest) metadata(m map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if key != ChecksumKey {
			d.text(key)
			d.text(m[key])
		}
	}
}

func (d digest) sum() string { return fmt.Sprintf("crc32c:%08x", d.crc.Sum32()) }
