package safetensors

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// container puts a length field before a header and data after it.
func container(header, data string) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

func parseBytes(b []byte) (*File, error) {
	return Parse(bytes.NewReader(b), int64(len(b)), "x.safetensors")
}

func TestParseReadsWhatTheFormatAllows(t *testing.T) {
	header := `{"__metadata__":{"format":"pt","":""},` +
		`"b":{"data_offsets":[4,8],"shape":[2,1],"dtype":"F16"},` +
		`"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},` +
		`"none":{"dtype":"I64","shape":[3,0],"data_offsets":[4,4]}}   `
	f, err := parseBytes(container(header, "\x01\x02\x03\x04wxyz"))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "none"}, f.Names())
	require.Equal(t, map[string]string{"format": "pt", "": ""}, f.Metadata())

	data := int64(prefixSize + len(header))
	info, ok := f.Info("b")
	require.True(t, ok)
	require.Equal(t, Info{DType: "F16", Shape: []int{2, 1}, Begin: data + 4, End: data + 8}, info)
	_, ok = f.Info("c")
	require.False(t, ok)

	got, err := f.Read("a", nil)
	require.NoError(t, err)
	require.Equal(t, []byte{1, 2, 3, 4}, got)
	got, err = f.Read("none", got)
	require.NoError(t, err)
	require.Empty(t, got)
	require.NoError(t, f.Close())
}

func TestEmptyContainers(t *testing.T) {
	for _, header := range []string{`{}`, `{"__metadata__":{}}`, `{"e":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`} {
		f, err := parseBytes(container(header, ""))
		require.NoError(t, err, header)
		require.Empty(t, f.Metadata())
	}
}

func TestReadReusesCapacity(t *testing.T) {
	f, err := parseBytes(container(`{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}`, "abc"))
	require.NoError(t, err)
	buf := make([]byte, 1, 8)
	got, err := f.Read("a", buf)
	require.NoError(t, err)
	require.Equal(t, "abc", string(got))
	require.Same(t, &buf[0], &got[0])
	require.Zero(t, testing.AllocsPerRun(10, func() { got, _ = f.Read("a", got) }))

	_, err = f.Read("b", nil)
	require.EqualError(t, err, `x.safetensors: no tensor "b"`)
}

// A File hands out copies: what a caller does to them must not reach it.
func TestFileIsImmutable(t *testing.T) {
	f, err := parseBytes(container(`{"__metadata__":{"k":"v"},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "a"))
	require.NoError(t, err)
	f.Metadata()["k"] = "w"
	f.Names()[0] = "z"
	info, _ := f.Info("a")
	info.Shape[0] = 9
	again, _ := f.Info("a")
	require.Equal(t, []int{1}, again.Shape)
	require.Equal(t, []string{"a"}, f.Names())
	require.Equal(t, "v", f.Metadata()["k"])
}

func TestParseRefuses(t *testing.T) {
	one := func(entry string) string { return `{"a":` + entry + `}` }
	for _, c := range []struct{ name, header, data, want string }{
		{"not an object", `[]`, "", "does not start with '{'"},
		{"space first", ` {}`, "", "does not start with '{'"},
		{"empty header", ``, "", "does not start with '{'"},
		{"not UTF-8", "{\"a\xff\":1}", "", "not UTF-8"},
		{"not JSON", `{"a"}`, "", "not JSON"},
		{"cut JSON", `{"a":{"dtype":"U8"`, "", "unexpected EOF"},
		{"trailing comma", `{"a":{"dtype":"U8","shape":[1,],"data_offsets":[0,1]}}`, "a", "not JSON"},
		{"text after", `{}{}`, "", "text follows"},
		{"NUL padding", "{}\x00", "", "text follows"},
		{"tensor twice", `{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, "", `key "a" comes twice`},
		{"tensor twice, escaped", `{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, "", `key "a" comes twice`},
		{"metadata twice", `{"__metadata__":{},"__metadata__":{}}`, "", "comes twice"},
		{"metadata key twice", `{"__metadata__":{"k":"1","k":"2"}}`, "", `__metadata__: the key "k" comes twice`},
		{"metadata not text", `{"__metadata__":{"k":1}}`, "", `__metadata__: "k": want a string, got 1`},
		{"metadata null", `{"__metadata__":null}`, "", "__metadata__: want '{'"},
		{"field twice", one(`{"dtype":"U8","dtype":"U8","shape":[0]}`), "", `tensor "a": the key "dtype" comes twice`},
		{"field missing", one(`{"dtype":"U8","shape":[0]}`), "", `tensor "a": want the fields`},
		{"field unknown", one(`{"dtype":"U8","shape":[0],"data_offsets":[0,0],"z":1}`), "", `field "z" is not known`},
		{"field in capitals", one(`{"DTYPE":"U8","shape":[0],"data_offsets":[0,0]}`), "", `field "DTYPE" is not known`},
		{"dtype unknown", one(`{"dtype":"F31","shape":[1],"data_offsets":[0,4]}`), "abcd", `tensor "a": dtype "F31" is not known`},
		{"dtype lower case", one(`{"dtype":"u8","shape":[1],"data_offsets":[0,1]}`), "a", `dtype "u8" is not known`},
		{"dimension negative", one(`{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}`), "a", `shape: -1 is not an integer`},
		{"dimension fractional", one(`{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}`), "a", `shape: 1.0 is not an integer`},
		{"dimension exponent", one(`{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}`), "a", `shape: 1e0 is not an integer`},
		{"dimension text", one(`{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}`), "a", `shape: want an integer, got 1`},
		{"dimension nested", one(`{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}`), "a", `shape: want an integer`},
		{"dimension 2^63", one(`{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]}`), "a", `not an integer from 0`},
		{"product overflows", one(`{"dtype":"U8","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,0]}`), "", `overflows 63 bits`},
		{"product wraps to small", one(`{"dtype":"I64","shape":[65536,65536,65536,8192],"data_offsets":[0,0]}`), "", `overflows 63 bits`},
		{"three offsets", one(`{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}`), "a", "want 2 numbers, got 3"},
		{"offsets descend", one(`{"dtype":"U8","shape":[1],"data_offsets":[1,0]}`), "a", "not an ascending pair"},
		{"offsets too many bytes", one(`{"dtype":"F32","shape":[2],"data_offsets":[0,9]}`), "abcdefghi", "hold 9 bytes, but F32 of shape [2] needs 8"},
		{"end overflows", one(`{"dtype":"U8","shape":[7,7,73,127,337,92737,649657],"data_offsets":[0,9223372036854775807]}`), "", "end offset 9223372036854775807 overflows 63 bits"},
		{"hole at the start", one(`{"dtype":"U8","shape":[1],"data_offsets":[2,3]}`), "abc", `tensor "a": 2 bytes before it belong to no tensor`},
		{"overlap", `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, "abc", `tensor "b": its bytes overlap 1 bytes`},
		{"same bytes", `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, "ab", `tensor "b": its bytes overlap 2 bytes`},
		{"hole", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}`, "abc", `tensor "b": 1 bytes before it`},
		{"data after", one(`{"dtype":"U8","shape":[1],"data_offsets":[0,1]}`), "abc", "2 bytes after the last tensor"},
		{"data missing", one(`{"dtype":"U8","shape":[5],"data_offsets":[0,5]}`), "ab", "cut short: 3 bytes are missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseBytes(container(c.header, c.data))
			require.ErrorContains(t, err, c.want)
			require.True(t, strings.HasPrefix(err.Error(), "x.safetensors: "), err)
		})
	}
}

func TestHeaderLength(t *testing.T) {
	for _, c := range []struct {
		file []byte
		want string
	}{
		{nil, "8 bytes are missing from its length field"},
		{[]byte{1, 2, 3}, "5 bytes are missing from its length field"},
		{binary.LittleEndian.AppendUint64(nil, 100_000_001), "over the format's limit"},
		{binary.LittleEndian.AppendUint64(nil, 1<<63), "over the format's limit"},
		{binary.LittleEndian.AppendUint64(nil, 100_000_000), "100000000 bytes are missing from the header"},
	} {
		_, err := parseBytes(c.file)
		require.ErrorContains(t, err, c.want)
	}
}

func TestOpenErrors(t *testing.T) {
	_, err := Open(t.TempDir())
	require.ErrorContains(t, err, "not a regular file")
	_, err = Open("missing.safetensors")
	require.ErrorIs(t, err, os.ErrNotExist)

	path := filepath.Join(t.TempDir(), "empty.safetensors")
	require.NoError(t, os.WriteFile(path, nil, 0o666))
	_, err = Open(path)
	require.ErrorContains(t, err, path)
}

// A file that shrinks under an open File gives an error, not zeros.
func TestReadAfterTruncation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	size, err := Write(path, nil, []Tensor{{"a", "U8", []int{4}, []byte("abcd")}})
	require.NoError(t, err)
	f, err := Open(path)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, os.Truncate(path, size-1))

	_, err = f.Read("a", nil)
	require.ErrorContains(t, err, `tensor "a": read 3 of 4 bytes`)
	_, err = Checksum(f)
	require.ErrorContains(t, err, `tensor "a": read 3 of 4 bytes`)
}

// The reference network was written by the safetensors project's own library.
func TestReferenceFile(t *testing.T) {
	f, err := Open(filepath.Join("..", "..", "testdata", "fashion", "resnext20_8x4d.safetensors"))
	require.NoError(t, err)
	defer f.Close()
	require.Equal(t, map[string]string{"format": "pt"}, f.Metadata())
	require.True(t, slices.IsSorted(f.Names()))
	info, ok := f.Info("conv_1_3x3.weight")
	require.True(t, ok)
	require.Equal(t, "F32", info.DType)
	require.Equal(t, []int{64, 3, 3, 3}, info.Shape)

	parameters := 0
	for _, name := range f.Names() {
		info, _ := f.Info(name)
		if info.DType == "F32" && !strings.Contains(name, "running_") {
			parameters += int(info.End-info.Begin) / 4
		}
	}
	require.Equal(t, 535_626, parameters)
}
