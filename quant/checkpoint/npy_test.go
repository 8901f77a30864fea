package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// npy is an array file of NumPy's format 1.
func npy(dict, data string) string {
	header := dict + strings.Repeat(" ", 63-(10+len(dict))%64) + "\n"
	return npyMagic + "\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(header)))) + header + data
}

func npyDict(descr, order, shape string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr, order, shape)
}

// arrays is a folder of files.
func arrays(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	return dir
}

func TestNPYFolder(t *testing.T) {
	doubles, halves, swapped := "", "", ""
	for i := range 6 {
		doubles += string(binary.LittleEndian.AppendUint64(nil, math.Float64bits(float64(i+1))))
		swapped += string(binary.BigEndian.AppendUint32(nil, math.Float32bits(float32(i+1))))
	}
	for _, h := range []uint16{0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600} { // 1 to 6
		halves += string(binary.LittleEndian.AppendUint16(nil, h))
	}
	c, err := Open(arrays(t, map[string]string{
		"a.weight.npy":                npy(npyDict("<f4", "False", "(2, 3)"), floats(6)),
		"b/weight.npy":                npy(npyDict("<f8", "False", "(2, 3)"), doubles),
		"c.npy":                       npy(npyDict("<f2", "True", "(2, 3)"), halves),
		"d.npy":                       npy(npyDict(">f4", "False", "(6,)"), swapped),
		"e.npy":                       npy(npyDict("<f4", "False", "()"), floats(1)),
		"f__g.npy":                    npy(npyDict("<f4", "False", "(0, 3)"), ""),
		"n.num_batches_tracked.npy":   npy(npyDict("<i8", "False", "()"), "12345678"),
		"python2.npy":                 npy("{'descr': '<f4', 'fortran_order': False, 'shape': (6L,), }", floats(6)),
		"readme.txt":                  "not an array",
		"version2.npy":                strings.Replace(npy(npyDict("<f4", "False", "(6,)"), floats(6)), "\x01\x00v\x00", "\x02\x00v\x00\x00\x00", 1),
		"deep/er/than/usual/bias.npy": npy(npyDict("|b1", "False", "(1,)"), "\x01"),
	}))
	require.NoError(t, err)
	require.Equal(t, FormatNPYFolder, c.Format)
	require.Equal(t, []string{"n.num_batches_tracked", "deep.er.than.usual.bias"}, []string{c.Ignored[1], c.Ignored[0]})
	six := []float32{1, 2, 3, 4, 5, 6}
	for name, want := range map[string]Tensor{
		"a.weight": {Shape: []int{2, 3}, DType: "float32", Data: six},
		"b.weight": {Shape: []int{2, 3}, DType: "float64", Data: six},
		"c":        {Shape: []int{2, 3}, DType: "float16", Data: []float32{1, 3, 5, 2, 4, 6}},
		"d":        {Shape: []int{6}, DType: "float32", Data: six},
		"e":        {Shape: []int{}, DType: "float32", Data: six[:1]},
		"f__g":     {Shape: []int{0, 3}, DType: "float32", Data: []float32{}},
		"python2":  {Shape: []int{6}, DType: "float32", Data: six},
		"version2": {Shape: []int{6}, DType: "float32", Data: six},
	} {
		want.Name = name
		require.Equal(t, &want, c.Tensors[name])
	}
	require.Len(t, c.Tensors, 8)
}

// Without a dot anywhere two underscores are one.
func TestNPYNames(t *testing.T) {
	require.Equal(t, []string{"layer1.0.conv1.weight", "fc.bias"}, npyNames([]string{"layer1__0__conv1__weight.npy", "fc__bias.npy"}))
	require.Equal(t, []string{"a__b", "fc.bias"}, npyNames([]string{"a__b.npy", "fc.bias.npy"}))
	require.Equal(t, []string{"layer1.0.conv1.weight"}, npyNames([]string{"layer1/0/conv1/weight.npy"}))
	_, err := Open(arrays(t, map[string]string{
		"a/b.npy": npy(npyDict("<f4", "False", "(1,)"), floats(1)),
		"a.b.npy": npy(npyDict("<f4", "False", "(1,)"), floats(1)),
	}))
	require.ErrorContains(t, err, `two tensors are called "a.b"`)
}

func TestNPYRefuses(t *testing.T) {
	good := npyDict("<f4", "False", "(2,)")
	for name, c := range map[string]struct{ file, want string }{
		"empty":               {"", "is not a NumPy array"},
		"something else":      {strings.Repeat("x", 99), "is not a NumPy array"},
		"cut in the header":   {npy(good, "")[:40], "cut short inside its header"},
		"cut in the length":   {npyMagic + "\x02\x00\x00\x00", "cut short inside its header"},
		"enormous header":     {npyMagic + "\x02\x00\xff\xff\xff\xff" + good, "a header of 4294967295 bytes"},
		"version 9":           {npyMagic + "\x09\x00\x10\x00\x00\x00" + good, "NumPy's format 9"},
		"too few elements":    {npy(good, floats(1)), "needs 8 bytes, the file has 4"},
		"too many elements":   {npy(good, floats(3)), "needs 8 bytes, the file has 12"},
		"absurd shape":        {npy(npyDict("<f4", "False", "(9223372036854775807, 9)"), floats(1)), "is more than the file has"},
		"shape overflows":     {npy(npyDict("<f4", "False", "(99999999999999999999,)"), floats(1)), "its shape (99999999999999999999,) is none"},
		"too many dimensions": {npy(npyDict("<f4", "False", "("+strings.Repeat("1, ", 99)+")"), floats(1)), "is none"},
		"Python objects":      {npy(npyDict("|O", "False", "(2,)"), floats(2)), "does not name one element type"},
		"complex":             {npy(npyDict("<c8", "False", "(1,)"), floats(2)), "of type c8"},
		"structured":          {npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", floats(2)), "does not name one element type"},
		"no dict":             {npy("import os", floats(2)), "does not name one element type"},
		"integers alone":      {npy(npyDict("<i4", "False", "(2,)"), floats(2)), "no floating-point tensor"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := arrays(t, map[string]string{"w.npy": c.file})
			_, err := Open(dir)
			require.ErrorContains(t, err, dir+": ")
			require.ErrorContains(t, err, c.want)
		})
	}
	path := filepath.Join(arrays(t, map[string]string{"w.npy": npy(good, floats(2))}), "w.npy")
	_, err := Open(path)
	require.ErrorContains(t, err, "is one NumPy array; give the folder")
}

func TestNPZ(t *testing.T) {
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		c, err := parse(npz(t, method, map[string]string{"a.weight.npy": npy(npyDict("<f4", "False", "(2, 3)"), floats(6))}))
		require.NoError(t, err)
		require.Equal(t, FormatNPZ, c.Format)
		require.Equal(t, []float32{1, 2, 3, 4, 5, 6}, c.Tensors["a.weight"].Data)
	}
	good := npy(npyDict("<f4", "False", "(1,)"), floats(1))
	zeros := npy(npyDict("<f4", "False", "(4194304,)"), strings.Repeat("\x00", 16<<20))
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"other entries": {zipOf(t, "a.npy", good, "b.txt", "x"), `zip entry "b.txt" is no .npy file`},
		"twice":         {zipOf(t, "a.npy", good, "a.npy", good), "comes twice"},
		"no array":      {zipOf(t, "a.npy", "x"), "a.npy is not a NumPy array"},
		"bomb":          {npz(t, zip.Deflate, map[string]string{"a.npy": zeros}), "claims to unpack to more than 64 times its size"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(c.file)
			require.ErrorContains(t, err, c.want)
		})
	}
	damaged := npz(t, zip.Store, map[string]string{"a.npy": good})
	at := bytes.Index(damaged, []byte(floats(1)))
	damaged[at+2] ^= 1
	_, err := parse(damaged)
	require.ErrorContains(t, err, "checksum")
}

func npz(t *testing.T, method uint16, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range files {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		require.NoError(t, err)
		_, err = f.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// TestNPYTree: a tree that is no folder of weights ends soon.
func TestNPYTree(t *testing.T) {
	tree := fstest.MapFS{}
	for i := range maxWalked {
		tree[fmt.Sprintf("%d/%d", i/256, i)] = &fstest.MapFile{}
	}
	_, err := npyFiles(tree)
	require.ErrorContains(t, err, "more than 65536 files and folders in it; give the folder of one network")
}
