package checkpoint

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shard is a safetensors file of float32 tensors of two elements.
func shard(names ...string) string {
	var fields []string
	for i, name := range names {
		fields = append(fields, fmt.Sprintf(`%q:{"dtype":"F32","shape":[2],"data_offsets":[%d,%d]}`, name, 8*i, 8*i+8))
	}
	header := "{" + strings.Join(fields, ",") + "}"
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header + floats(2*len(names))
}

func TestShardedSafetensors(t *testing.T) {
	index := `{"metadata": {"total_size": 24}, "weight_map": {"model.a": "1.safetensors", "model.b": "2.safetensors", "model.c": "2.safetensors"}}`
	files := map[string]string{"m.index.json": index, "1.safetensors": shard("model.a"), "2.safetensors": shard("model.b", "model.c")}
	c, err := Open(filepath.Join(arrays(t, files), "m.index.json"))
	require.NoError(t, err)
	require.Equal(t, FormatSharded, c.Format)
	require.Equal(t, []string{"model.a", "model.b", "model.c"}, c.Order)
	require.Equal(t, []float32{3, 4}, c.Tensors["model.c"].Data)
	dir := filepath.Dir(c.Path)
	require.Equal(t, []string{c.Path, filepath.Join(dir, "1.safetensors"), filepath.Join(dir, "2.safetensors")}, c.Files)

	for name, change := range map[string]struct{ file, content, want string }{
		"shard missing":       {"2.safetensors", "", `the shard "2.safetensors"`},
		"shard damaged":       {"2.safetensors", shard("model.b")[:20], "cut short"},
		"tensor missing":      {"2.safetensors", shard("model.b"), `the tensor "model.c" is not in the shard "2.safetensors"`},
		"tensor too much":     {"1.safetensors", shard("model.a", "x"), `has the tensor "x", which the index does not expect`},
		"path out":            {"m.index.json", `{"weight_map": {"a": "../1.safetensors"}}`, "expected the name of a file beside the index"},
		"path down":           {"m.index.json", `{"weight_map": {"a": "x/1.safetensors"}}`, "expected the name of a file beside"},
		"absolute":            {"m.index.json", `{"weight_map": {"a": "/etc/passwd"}}`, "expected the name of a file beside"},
		"no name":             {"m.index.json", `{"weight_map": {"a": ""}}`, "expected the name of a file beside"},
		"the folder above":    {"m.index.json", `{"weight_map": {"a": ".."}}`, "expected the name of a file beside"},
		"no map":              {"m.index.json", `{"architectures": ["x"]}`, "not the index of a sharded checkpoint"},
		"not JSON":            {"m.index.json", `{"weight_map": {`, "not the index of a sharded checkpoint"},
		"map of other things": {"m.index.json", `{"weight_map": {"a": 7}}`, "not the index of a sharded checkpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := arrays(t, files)
			path := filepath.Join(dir, change.file)
			require.NoError(t, os.WriteFile(path, []byte(change.content), 0o600))
			if change.content == "" {
				require.NoError(t, os.Remove(path))
			}
			_, err := Open(filepath.Join(dir, "m.index.json"))
			require.ErrorContains(t, err, "m.index.json: ")
			require.ErrorContains(t, err, change.want)
		})
	}
}

// A folder is that of a model if it has its weights in it under the usual name.
func TestLocate(t *testing.T) {
	dir := arrays(t, map[string]string{"model.safetensors": shard("a"), "x.npy": npy(npyDict("<f4", "False", "(1,)"), floats(1))})
	f, err := Locate(dir)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Equal(t, filepath.Join(dir, "model.safetensors"), f.Path)
	require.Equal(t, FormatSafetensors, f.Format)
	for content, want := range map[string]string{
		"\x08\x07\x12\x07pytorch":               FormatONNX,
		"\x04\x00\x00\x00\x01\x00\x00\x00\x03V": FormatTorch7,
		"{}":                                    FormatSharded,
	} {
		path := filepath.Join(arrays(t, map[string]string{"w": content}), "w")
		f, err := Locate(path)
		require.NoError(t, err)
		require.Equal(t, want, f.Format)
		_, err = Read(f)
		require.ErrorContains(t, err, path+": ")
		require.NoError(t, f.Close())
	}
	_, err = Locate(t.TempDir())
	require.ErrorContains(t, err, "is a folder with neither .npy files")
	_, err = Locate(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestRecognisedOnce: what Locate opened and recognised is what Read reads, whatever becomes of the path.
func TestRecognisedOnce(t *testing.T) {
	dir := arrays(t, map[string]string{"w": shard("a"), "other": "none of the formats"})
	path := filepath.Join(dir, "w")
	f, err := Locate(path)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, os.Rename(filepath.Join(dir, "other"), path))
	all, err := Read(f)
	require.NoError(t, err)
	c, err := last(all)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, c.Order)
	require.Equal(t, FormatSafetensors, c.Format)

	// With the format known, nothing looks at the first bytes again.
	r := &countingReader{ReaderAt: strings.NewReader(shard("a"))}
	f, err = recognise(r, int64(len(shard("a"))), path)
	require.NoError(t, err)
	require.Equal(t, 1, r.heads)
	_, err = Read(f)
	require.NoError(t, err)
	require.Equal(t, 2, r.heads, "the header of safetensors")
}

// countingReader counts the reads from the start of a file.
type countingReader struct {
	io.ReaderAt
	heads int
}

func (r *countingReader) ReadAt(b []byte, at int64) (int, error) {
	if at == 0 {
		r.heads++
	}
	return r.ReaderAt.ReadAt(b, at)
}
