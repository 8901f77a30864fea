package safetensors

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sample has every element size, a scalar, an empty tensor and awkward names.
func sample() (map[string]string, []Tensor) {
	metadata := map[string]string{"format": "test", "quote\"\\": "line\nbreak <&> \u2028 é", "empty": ""}
	tensors := []Tensor{
		{"weight", "I8", []int{2, 3}, []byte{1, 2, 3, 0xff, 0x80, 0x7f}},
		{"half", "F16", []int{1}, []byte{0, 0x3c}},
		{"bias", "I32", []int{2}, []byte{1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}},
		{"a \"name\" é", "F32", nil, []byte{0, 0, 0x80, 0x3f}},
		{"wide", "F64", []int{1, 1}, make([]byte, 8)},
		{"none", "F32", []int{0, 7}, nil},
	}
	return metadata, tensors
}

func TestWriteThenRead(t *testing.T) {
	metadata, tensors := sample()
	path := filepath.Join(t.TempDir(), "m.safetensors")
	size, err := Write(path, metadata, tensors)
	require.NoError(t, err)
	stat, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, stat.Size(), size)

	f, err := Open(path)
	require.NoError(t, err)
	defer f.Close()
	require.Equal(t, metadata, f.Metadata())
	require.Len(t, f.Names(), len(tensors))
	for _, want := range tensors {
		info, ok := f.Info(want.Name)
		require.True(t, ok, want.Name)
		require.Equal(t, want.DType, info.DType)
		require.True(t, slices.Equal(want.Shape, info.Shape), want.Name)
		require.Zero(t, info.Begin%dtypeSizes[want.DType], "%s is not aligned", want.Name)
		got, err := f.Read(want.Name, nil)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want.Data, got), want.Name)
	}
}

func TestWriteIsDeterministic(t *testing.T) {
	dir := t.TempDir()
	metadata, tensors := sample()
	var first []byte
	for i := range 8 {
		path := filepath.Join(dir, "m.safetensors")
		_, err := Write(path, metadata, tensors)
		require.NoError(t, err)
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		if i == 0 {
			first = got
		}
		require.Equal(t, first, got)
		tensors = append(tensors[1:], tensors[0])
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "temporary files are left")
}

func TestWriteExactBytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	_, err := Write(path, map[string]string{"k": "v"}, []Tensor{
		{"a", "U8", []int{3}, []byte("xyz")},
		{"b", "I16", nil, []byte("12")},
	})
	require.NoError(t, err)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	header := `{"__metadata__":{"k":"v"},"b":{"dtype":"I16","shape":[],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[3],"data_offsets":[2,5]}}`
	header += strings.Repeat(" ", (8-len(header)%8)%8)
	require.Equal(t, container(header, "12xyz"), got)
}

func TestWriteRefuses(t *testing.T) {
	ok := Tensor{"a", "U8", []int{1}, []byte{1}}
	for _, c := range []struct {
		name     string
		metadata map[string]string
		tensors  []Tensor
		want     string
	}{
		{"duplicate", nil, []Tensor{ok, ok}, `tensor "a": the name comes twice`},
		{"reserved", nil, []Tensor{{metadataKey, "U8", []int{1}, []byte{1}}}, "keeps this name"},
		{"name not UTF-8", nil, []Tensor{{"\xff", "U8", []int{1}, []byte{1}}}, "must be UTF-8"},
		{"dtype", nil, []Tensor{{"a", "int8", []int{1}, []byte{1}}}, `dtype "int8" is not known`},
		{"negative", nil, []Tensor{{"a", "U8", []int{-1}, nil}}, "negative dimension"},
		{"negative beside zero", nil, []Tensor{{"a", "U8", []int{0, -1}, nil}}, "negative dimension"},
		{"too little data", nil, []Tensor{{"a", "F32", []int{2}, make([]byte, 7)}}, "7 bytes of data, but F32 of shape [2] needs 8"},
		{"overflow", nil, []Tensor{{"a", "F32", []int{1 << 30, 1 << 30, 1 << 30}, nil}}, "overflows"},
		{"metadata key", map[string]string{"\xff": ""}, nil, "must be UTF-8"},
		{"metadata value", map[string]string{"k": "\xff"}, nil, `metadata "k"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "m.safetensors")
			_, err := Write(path, c.metadata, c.tensors)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, path)
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Empty(t, entries)
		})
	}
}

func TestWriteToImpossiblePlaces(t *testing.T) {
	dir := t.TempDir()
	_, err := Write(dir, nil, nil)
	require.ErrorContains(t, err, "not a regular file")
	_, err = Write(filepath.Join(dir, "no", "such", "m.safetensors"), nil, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Write(filepath.Join(dir, strings.Repeat("n", 300)), nil, nil)
	require.Error(t, err)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries, "temporary files are left")
}
