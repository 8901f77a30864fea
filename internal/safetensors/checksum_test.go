package safetensors

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// sealed returns the bytes of a small file that carries its own checksum.
func sealed(t testing.TB) []byte {
	metadata, tensors := sample()
	metadata[ChecksumKey] = ChecksumOf(metadata, tensors)
	path := filepath.Join(t.TempDir(), "m.safetensors")
	_, err := Write(path, metadata, tensors)
	require.NoError(t, err)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// intact reports whether b parses and its content agrees with its checksum.
func intact(t testing.TB, b []byte) bool {
	f, err := parseBytes(b)
	if err != nil {
		return false
	}
	sum, err := Checksum(f)
	require.NoError(t, err)
	return sum == f.Metadata()[ChecksumKey]
}

func TestChecksumBeforeAndAfterWriting(t *testing.T) {
	require.True(t, intact(t, sealed(t)))
}

// The value of one fixed content, so that files stay valid across versions.
// It was computed by a separate implementation of the encoding.
func TestChecksumIsStable(t *testing.T) {
	require.Equal(t, "crc32c:0e75a976", ChecksumOf(
		map[string]string{"b": "2", "a": "1", ChecksumKey: "ignored"},
		[]Tensor{{"w", "I8", []int{2, 2}, []byte{1, 2, 3, 4}}, {"b", "I32", nil, []byte{5, 0, 0, 0}}}))
}

// Contents that a plain concatenation would confuse.
func TestChecksumTellsContentsApart(t *testing.T) {
	one := func(name, dtype string, shape []int, data string) []Tensor {
		return []Tensor{{name, dtype, shape, []byte(data)}}
	}
	sums := map[string]int{}
	for i, c := range []struct {
		metadata map[string]string
		tensors  []Tensor
	}{
		{nil, nil},
		{map[string]string{"": ""}, nil},
		{map[string]string{"ab": "c"}, nil},
		{map[string]string{"a": "bc"}, nil},
		{map[string]string{"a": "b", "c": ""}, nil},
		{nil, one("a", "U8", []int{2}, "bc")},
		{nil, one("a", "I8", []int{2}, "bc")},
		{nil, one("a", "U8", []int{2, 1}, "bc")},
		{nil, one("a", "U8", []int{1, 2}, "bc")},
		{nil, one("ab", "U8", []int{1}, "c")},
		{nil, append(one("a", "U8", []int{1}, "b"), one("b", "U8", []int{1}, "c")...)},
		{nil, append(one("a", "U8", []int{1}, "c"), one("b", "U8", []int{1}, "b")...)},
		{nil, one("a", "U8", []int{0, 1}, "")},
		{nil, one("a", "U8", []int{0, 2}, "")},
	} {
		sum := ChecksumOf(c.metadata, c.tensors)
		before, dup := sums[sum]
		require.False(t, dup, "cases %d and %d", before, i)
		sums[sum] = i
	}
}

func TestChecksumIgnoresOrderAndItself(t *testing.T) {
	metadata, tensors := sample()
	want := ChecksumOf(metadata, tensors)
	tensors[0], tensors[3] = tensors[3], tensors[0]
	metadata = maps.Clone(metadata)
	metadata[ChecksumKey] = "anything"
	require.Equal(t, want, ChecksumOf(metadata, tensors))
}

// A tensor longer than the streaming buffer.
func TestChecksumStreams(t *testing.T) {
	data := bytes.Repeat([]byte{7, 1, 200}, chunk)
	tensors := []Tensor{{"a", "U8", []int{3, chunk}, data}}
	path := filepath.Join(t.TempDir(), "m.safetensors")
	_, err := Write(path, nil, tensors)
	require.NoError(t, err)
	f, err := Open(path)
	require.NoError(t, err)
	defer f.Close()
	sum, err := Checksum(f)
	require.NoError(t, err)
	require.Equal(t, ChecksumOf(nil, tensors), sum)
}

// No single flipped bit, in the header or the data, passes for the original.
func TestEveryFlippedBitIsDetected(t *testing.T) {
	b := sealed(t)
	for i := range b {
		for bit := range 8 {
			b[i] ^= 1 << bit
			require.False(t, intact(t, b), "byte %d, bit %d", i, bit)
			b[i] ^= 1 << bit
		}
	}
	require.True(t, intact(t, b))
}

func TestEveryTruncationIsDetected(t *testing.T) {
	b := sealed(t)
	for n := range b {
		_, err := parseBytes(b[:n])
		require.ErrorContains(t, err, "missing", "%d of %d bytes", n, len(b))
	}
	_, err := parseBytes(append(b, 0))
	require.ErrorContains(t, err, "1 bytes after the last tensor")
}

func FuzzParse(f *testing.F) {
	f.Add(sealed(f))
	f.Add(container(`{}`, ""))
	f.Add(container(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "abcd"))
	f.Add(container(`{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}`, ""))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := parseBytes(b)
		if err != nil {
			return
		}
		// What parses can be read whole, written again and read back the same.
		var tensors []Tensor
		for _, name := range file.Names() {
			info, _ := file.Info(name)
			data, err := file.Read(name, nil)
			require.NoError(t, err)
			tensors = append(tensors, Tensor{name, info.DType, info.Shape, data})
		}
		want, err := Checksum(file)
		require.NoError(t, err)
		require.Equal(t, want, ChecksumOf(file.Metadata(), tensors))
		path := filepath.Join(t.TempDir(), "again.safetensors")
		_, err = Write(path, file.Metadata(), tensors)
		require.NoError(t, err)
		again, err := Open(path)
		require.NoError(t, err)
		defer again.Close()
		got, err := Checksum(again)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}
