package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// array is the content of a NumPy file of bytes or of float32.
type array struct {
	shape  []int
	floats []float32
	bytes  []byte
}

var npyHeader = regexp.MustCompile(`'descr': '([<|][fu]\d)', 'fortran_order': False, 'shape': \(([\d, ]*)\)`)

// parseNPY reads the two kinds of NumPy file that the tests use: version 1, C order, <f4 or |u1.
func parseNPY(t *testing.T, data []byte) array {
	t.Helper()
	require.True(t, bytes.HasPrefix(data, []byte("\x93NUMPY\x01\x00")))
	end := 10 + int(binary.LittleEndian.Uint16(data[8:]))
	m := npyHeader.FindSubmatch(data[:end])
	require.NotNil(t, m, "header %q", data[10:end])
	a := array{}
	size := 1
	for _, field := range strings.FieldsFunc(string(m[2]), func(r rune) bool { return r == ',' || r == ' ' }) {
		n, err := strconv.Atoi(field)
		require.NoError(t, err)
		a.shape = append(a.shape, n)
		size *= n
	}
	switch string(m[1]) {
	case "|u1":
		a.bytes = data[end:]
		require.Len(t, a.bytes, size)
	case "<f4":
		a.floats = make([]float32, size)
		require.NoError(t, binary.Read(bytes.NewReader(data[end:]), binary.LittleEndian, a.floats))
	default:
		require.Fail(t, "type", "%s", m[1])
	}
	return a
}

// readNPZ reads all arrays of a NumPy archive by name.
func readNPZ(t *testing.T, path string) map[string]array {
	t.Helper()
	all := make(map[string]array)
	for name, data := range readZip(t, path) {
		all[strings.TrimSuffix(name, ".npy")] = parseNPY(t, data)
	}
	return all
}

// readZip reads a whole archive.
func readZip(t *testing.T, path string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader(path)
	require.NoError(t, err)
	defer z.Close()
	files := make(map[string][]byte)
	for _, f := range z.File {
		r, err := f.Open()
		require.NoError(t, err)
		data, err := io.ReadAll(r)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		files[f.Name] = data
	}
	return files
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data
}
