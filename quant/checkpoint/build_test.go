package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// The parts of hand-made pickles, as strings of opcodes.

func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func integers(list ...int64) string {
	b := []byte("(")
	for _, n := range list {
		b = binary.LittleEndian.AppendUint64(append(b, "\x8a\x08"...), uint64(n))
	}
	return string(append(b, 't'))
}

func number(n int64) string { return integers(n)[1:11] }

// storageOf is a persistent id and its resolution.
func storageOf(key string, numel int64, class string) string {
	return "(" + text("storage") + "ctorch\n" + class + "\n" + text(key) + text("cpu") + number(numel) + "tQ"
}

// tensorOf is a float32 tensor over a storage of numel elements.
func tensorOf(key string, numel, offset int64, shape, stride []int64) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n(" + storageOf(key, numel, "FloatStorage") +
		number(offset) + integers(shape...) + integers(stride...) + "\x89}tR"
}

// vector is a contiguous float32 tensor that has the whole storage key.
func vector(key string, numel int64) string {
	return tensorOf(key, numel, 0, []int64{numel}, []int64{1})
}

// dictOf is a dict; pairs alternate string keys and values.
func dictOf(pairs ...string) string {
	s := "}("
	for i, part := range pairs {
		if i%2 == 0 {
			part = text(part)
		}
		s += part
	}
	return s + "u"
}

func pickled(program string) string { return "\x80\x02" + program + "." }

// floats are n float32 values, 1, 2, 3 ... in little-endian bytes.
func floats(n int) string {
	var b []byte
	for i := range n {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(i+1)))
	}
	return string(b)
}

// zipOf stores entries, which alternate names and contents, in a zip archive.
func zipOf(t testing.TB, entries ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		data := []byte(entries[i+1])
		addRaw(t, w, zip.FileHeader{
			Name: entries[i], Method: zip.Store, CRC32: crc32.ChecksumIEEE(data),
			CompressedSize64: uint64(len(data)), UncompressedSize64: uint64(len(data)),
		}, data)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// addRaw adds an entry that claims what header says.
func addRaw(t testing.TB, w *zip.Writer, header zip.FileHeader, data []byte) {
	e, err := w.CreateRaw(&header)
	require.NoError(t, err)
	_, err = e.Write(data)
	require.NoError(t, err)
}

// torchOf is a zip checkpoint of the program's value, and storages, which
// alternate keys and contents.
func torchOf(t testing.TB, program string, storages ...string) []byte {
	entries := []string{"a/data.pkl", pickled(program)}
	for i, part := range storages {
		if i%2 == 0 {
			part = "a/data/" + part
		}
		entries = append(entries, part)
	}
	return zipOf(t, append(entries, "a/version", "3\n")...)
}

// legacyOf is a checkpoint in the older format: the value of object, the
// list of keys, and what follows the pickles.
func legacyOf(object, keys, tail string) []byte {
	magic := "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
	return []byte(pickled(magic) + pickled(number(legacyVersion)) + pickled("}") +
		pickled(object) + pickled(keys) + tail)
}

// record is a storage in the older format.
func record(numel int64, data string) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(numel))) + data
}
