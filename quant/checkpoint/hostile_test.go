package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestViewsStayInsideTheirStorage(t *testing.T) {
	const big = int64(1) << 31
	for _, c := range []struct {
		name          string
		offset        int64
		shape, stride []int64
		want          string // of the error; data if there is none
		data          []float32
	}{
		{"all", 0, []int64{2, 3}, []int64{3, 1}, "", []float32{1, 2, 3, 4, 5, 6}},
		{"transposed", 0, []int64{3, 2}, []int64{1, 3}, "", []float32{1, 4, 2, 5, 3, 6}},
		{"last", 5, []int64{1}, []int64{1}, "", []float32{6}},
		{"last, any stride", 5, []int64{1, 1}, []int64{big, math.MaxInt64}, "", []float32{6}},
		{"scalar", 5, nil, nil, "", []float32{6}},
		{"repeated", 1, []int64{2, 2}, []int64{0, 1}, "", []float32{2, 3, 2, 3}},
		{"overlapping", 0, []int64{3, 2}, []int64{1, 1}, "", []float32{1, 2, 2, 3, 3, 4}},
		{"empty", 6, []int64{0, 5}, []int64{5, 1}, "", []float32{}},
		{"empty at any stride", 6, []int64{5, 0}, []int64{math.MaxInt64, 1}, "", []float32{}},
		{"one past the end", 1, []int64{6}, []int64{1}, "reaches element 6", nil},
		{"offset past the end", 6, nil, nil, "reaches element 6", nil},
		{"offset far past the end", 7, nil, nil, "offset 7 is outside", nil},
		{"negative offset", -1, nil, nil, "offset -1 is outside", nil},
		{"negative dimension", 0, []int64{-2, -3}, []int64{3, 1}, "want none below 0", nil},
		{"negative stride", 5, []int64{6}, []int64{-1}, "want none below 0", nil},
		{"strides missing", 0, []int64{2, 3}, []int64{3}, "differ in length", nil},
		{"stride too long", 0, []int64{2, 3}, []int64{4, 1}, "reaches element 6", nil},
		{"product overflows", 0, []int64{big - 1, big - 1, big - 1}, []int64{0, 0, 0}, "too large", nil},
		{"dimension too large", 0, []int64{big}, []int64{0}, "too large", nil},
		{"stride overflows", 0, []int64{3}, []int64{math.MaxInt64}, "too large", nil},
		{"strides overflow together", 0, []int64{2, 2}, []int64{math.MaxInt64/2 + 1, math.MaxInt64/2 + 1}, "too large", nil},
		{"too many dimensions", 0, make([]int64, 65), make([]int64, 65), "65 dimensions; want at most 64", nil},
		{"more than the file holds", 0, []int64{big - 1}, []int64{0}, "more elements than a file of", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			program := dictOf("w", tensorOf("0", 6, c.offset, c.shape, c.stride))
			got, err := parse(torchOf(t, program, "0", floats(6)))
			if c.want != "" {
				require.ErrorContains(t, err, c.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.data, got.Tensors["w"].Data)
		})
	}
}

func TestZipArchives(t *testing.T) {
	good := dictOf("w", vector("0", 2))
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"storage missing", torchOf(t, good), `tensor "w": zip entry "data/0" is missing`},
		{"storage too short", torchOf(t, good, "0", "abcdefg"), `zip entry "data/0" has 7 bytes; 2 x float32 need 8`},
		{"storage too long", torchOf(t, good, "0", "abcdefghi"), `"data/0" has 9 bytes; want at most 8`},
		{"storage larger than the file", torchOf(t, dictOf("w", tensorOf("0", 1<<40, 0, []int64{2}, []int64{1})), "0", floats(2)), "does not fit in a file"},
		{"storages larger than the file", torchOf(t, dictOf("v", vector("0", 500), "w", vector("1", 1<<20)), "0", floats(500)), `storage "1" of 4194304 bytes does not fit`},
		{"pickle with a tail", zipOf(t, "a/data.pkl", pickled(good)+"N"), "data.pkl: 1 bytes follow"},
		{"pickle empty", zipOf(t, "a/data.pkl", ""), "cut short"},
		{"entry twice", torchOf(t, good, "0", floats(2), "0", floats(2)), `"a/data/0" comes twice`},
		{"two folders", zipOf(t, "a/data.pkl", pickled(good), "b/data/0", floats(2)), `"b/data/0" is outside the folder "a"`},
		{"no pickle", zipOf(t, "a/b/data.pkl", ""), "torch.save did not write it"},
		{"NumPy archive", zipOf(t, "w.npy", ""), `w.npy is not a NumPy array`},
		{"checkpoint inside", zipOf(t, "best/model.pth", ""), `with "best/model.pth" in it; unpack it`},
		{"no entries", zipOf(t), "is an empty zip archive"},
		{"byte order", zipOf(t, "a/data.pkl", pickled(good), "a/byteorder", strings.Repeat("little", 9)), "has 54 bytes; want at most 16"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(c.file)
			require.ErrorContains(t, err, "x.pth: ")
			require.ErrorContains(t, err, c.want)
		})
	}
}

// What an archive claims of an entry against what it holds.
func TestZipEntryClaims(t *testing.T) {
	data := floats(2)
	sum := crc32.ChecksumIEEE([]byte(data))
	honest := zip.FileHeader{Name: "a/data/0", Method: zip.Store, CRC32: sum, CompressedSize64: 8, UncompressedSize64: 8}
	for _, c := range []struct {
		name   string
		change func(*zip.FileHeader)
		want   string
	}{
		{"honest", func(*zip.FileHeader) {}, ""},
		{"no checksum, as PyTorch can be told", func(h *zip.FileHeader) { h.CRC32 = 0 }, ""},
		{"other checksum", func(h *zip.FileHeader) { h.CRC32++ }, `"data/0" is damaged (zip: checksum error)`},
		{"encrypted", func(h *zip.FileHeader) { h.Flags |= 1 }, "is encrypted"},
		{"deflated", func(h *zip.FileHeader) { h.Method = zip.Deflate }, "is compressed"},
		{"unknown method", func(h *zip.FileHeader) { h.Method = 99 }, "is compressed"},
		{"sizes differ", func(h *zip.FileHeader) { h.UncompressedSize64 = 9 }, "claims 9 bytes"},
		{"huge", func(h *zip.FileHeader) { h.UncompressedSize64, h.CompressedSize64 = 1<<62, 1<<62 }, "claims 4611686018427387904 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			w := zip.NewWriter(&b)
			pickle := []byte(pickled(dictOf("w", vector("0", 2))))
			n := uint64(len(pickle))
			addRaw(t, w, zip.FileHeader{Name: "a/data.pkl", CompressedSize64: n, UncompressedSize64: n, CRC32: crc32.ChecksumIEEE(pickle)}, pickle)
			header := honest
			c.change(&header)
			addRaw(t, w, header, []byte(data))
			require.NoError(t, w.Close())
			got, err := parse(b.Bytes())
			if c.want != "" {
				require.ErrorContains(t, err, c.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, []float32{1, 2}, got.Tensors["w"].Data)
		})
	}
}

func TestLegacyFiles(t *testing.T) {
	good, keys := dictOf("w", vector("k", 2)), "]"+text("k")+"a"
	// A view of the elements 1 to 3 of a storage of 4, as before PyTorch 0.4.
	viewed := "(" + text("storage") + "ctorch\nFloatStorage\n" + text("k") + text("cpu") + number(4) +
		"(" + text("v") + number(1) + number(3) + "ttQ"
	viewTensor := "ctorch._utils\n_rebuild_tensor\n(" + viewed + number(1) + integers(2) + integers(1) + "tR"
	badView := strings.Replace(viewTensor, number(3)+"tt", number(4)+"tt", 1)
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"good", legacyOf(good, keys, record(2, floats(2))), ""},
		{"view", legacyOf(dictOf("w", viewTensor), keys, record(4, floats(4))), ""},
		{"view outside", legacyOf(dictOf("w", badView), keys, record(4, floats(4))), `storage "k" of 4 elements has no view of 4 elements from 1 on`},
		{"no list", legacyOf(good, "N", ""), "the list of storages is None"},
		{"empty list", legacyOf(good, "]", ""), `storage "k" is not in the file's list`},
		{"unknown key", legacyOf(good, "]"+text("z")+"a", ""), `names "z", of which no tensor`},
		{"key not text", legacyOf(good, "]Na", ""), `names ""`},
		{"key twice", legacyOf(good, keys+text("k")+"a", record(2, floats(2))+record(2, floats(2))), `names "k" twice`},
		{"count missing", legacyOf(good, keys, "abc"), `storage "k": the file is cut short: 13 bytes are missing`},
		{"other count", legacyOf(good, keys, record(3, floats(3))), "3 elements; its tensors need 2"},
		{"negative count", legacyOf(good, keys, record(-1, "")), "-1 elements; its tensors need 2"},
		{"data missing", legacyOf(good, keys, record(2, "abc")), "5 bytes are missing"},
		{"tail", legacyOf(good, keys, record(2, floats(2))+"abc"), "3 bytes follow the last storage"},
		{"huge", legacyOf(dictOf("w", vector("k", 1<<40)), keys, record(1<<40, "")), "4398046511104 bytes are missing"},
		{"version", []byte(pickled("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") + pickled("K\x01")), "version 1; only 1001"},
		{"plain pickle", []byte(pickled(good)), "is a Python pickle of a dict that torch.save did not write"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parse(c.file)
			if c.want != "" {
				require.ErrorContains(t, err, c.want)
				return
			}
			require.NoError(t, err)
			last := got.Tensors["w"].Data
			require.Len(t, last, 2)
			if c.name == "view" {
				require.Equal(t, []float32{3, 4}, last)
			}
		})
	}
}

func TestForeignFiles(t *testing.T) {
	tar := make([]byte, 1024)
	copy(tar[257:], "ustar")
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "the file is empty (0 bytes)"},
		{"one byte", "P", "starts with 50: not a PyTorch"},
		{"zip without a directory", "PK\x03\x04", "cut short or damaged"},
		{"protocol mark only", "\x80", "starts with 80"},
		{"pickle header only", "\x80\x02", "cut short"},
		{"JPEG", "\xff\xd8\xff\xe0\x00\x10JFIF", "is a JPEG image"},
		{"PNG", "\x89PNG\r\n\x1a\n", "is a PNG image"},
		{"web page", "<!DOCTYPE html><html>", "starts with <!DOCTYPE html"},
		{"web page after blanks", "\r\n <html lang=en>\n<body>", "starts with <html lang=en>: looks like a web page"},
		{"web page with a byte order mark", "\ufeff<!doctype HTML>", "looks like a web page"},
		{"gzip", "\x1f\x8b\x08\x00", "run gunzip"},
		{"Git LFS", "version https://git-lfs.github.com/spec/v1\noid sha256:", "run git lfs pull"},
		{"tar", string(tar), "is a tar archive"},
		{"ONNX", "\x08\x07\x12\x07pytorch\x1a\x051.13", "is of the format onnx, which describes a graph"},
		{"ONNX, new", "\x08\x0a\x3a\x80\x01", "is of the format onnx"},
		{"HDF5", "\x89HDF\r\n\x1a\n", "HDF5"},
		{"text", "hello, world", "starts with 68 65 6c 6c 6f"},
		{"safetensors cut short", "\xff\x00\x00\x00\x00\x00\x00\x00{", "254 bytes are missing from the header"},
		{"zeros", strings.Repeat("\x00", 64), "not a PyTorch, safetensors, ONNX, NumPy or Torch7 file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "w.pth")
			require.NoError(t, os.WriteFile(path, []byte(c.file), 0o666))
			_, err := Open(path)
			require.ErrorContains(t, err, path+": ")
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := Open("testdata")
	require.EqualError(t, err, "testdata: is a folder with neither .npy files nor model.safetensors in it; give the path of a .pth, .pt, .safetensors or .onnx file")
	_, err = Open("missing.pth")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Small files that claim much must fail before they get it.
func TestNoAllocationBeyondTheFile(t *testing.T) {
	for name, file := range map[string][]byte{
		"storage of 2^40":      torchOf(t, dictOf("w", vector("0", 1<<40)), "0", floats(1)),
		"storage of 2^28":      torchOf(t, dictOf("w", vector("0", 1<<28)), "0", floats(1)),
		"expanded to 2^31 - 1": torchOf(t, dictOf("w", tensorOf("0", 1, 0, []int64{1<<31 - 1}, []int64{0})), "0", floats(1)),
		"expanded many times":  torchOf(t, manyExpanded(), "0", floats(1)),
		"legacy of 2^40":       legacyOf(dictOf("w", vector("k", 1<<40)), "]"+text("k")+"a", record(1<<40, "")),
		"string of 2^31":       torchOf(t, "X\xff\xff\xff\x7f"),
		"string in legacy":     legacyOf("X\xff\xff\xff\x7f", "N", ""),
		"rank of 10^5":         torchOf(t, dictOf("w", tensorOf("0", 1, 0, make([]int64, 1e5), make([]int64, 1e5))), "0", floats(1)),
		"safetensors header":   append(binary.LittleEndian.AppendUint64(nil, 100_000_000), '{'),
		"safetensors F16":      append(binary.LittleEndian.AppendUint64(nil, 60), `{"w":{"dtype":"F16","shape":[1073741824],"data_offsets":[0,2147483648]}}`...),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := parse(file)
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(200*len(file)+1<<20))
			require.Error(t, err)
			require.Less(t, len(err.Error()), 2000)
		})
	}
}

// manyExpanded has tensors that fit in the file one by one but not together.
func manyExpanded() string {
	var pairs []string
	for i := range 50 {
		pairs = append(pairs, string(rune('A'+i)), tensorOf("0", 1, 0, []int64{5000}, []int64{0}))
	}
	return dictOf(pairs...)
}
