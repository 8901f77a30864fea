package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/libresnext/libresnext/internal/safetensors"
)

const (
	// maxIndex bounds the index of a sharded checkpoint, in bytes; it names each tensor in about 80.
	maxIndex = 16 << 20
	// maxShards bounds the files that it names.
	maxShards = 1 << 10
)

// readSharded reads a checkpoint that is cut into several safetensors files, by the index that says which
// tensor is in which file: {"weight_map": {"name": "model-00001-of-00002.safetensors", ...}}. The files lie
// beside the index.
func readSharded(index *File) (*contents, error) {
	where, shards, err := readIndex(index, index.size)
	if err != nil {
		return nil, err
	}
	files := map[*storage]*safetensors.File{}
	var list []entry
	total := int64(0)
	for _, name := range shards {
		path := filepath.Join(filepath.Dir(index.Path), name)
		index.files = append(index.files, path)
		f, err := safetensors.Open(path)
		if err != nil {
			return nil, fmt.Errorf("the shard %q: %w", name, err)
		}
		index.also = append(index.also, f)
		entries, err := safetensorsEntries(f)
		if err != nil {
			return nil, fmt.Errorf("the shard %q: %w", name, err)
		}
		for _, e := range entries {
			if where[e.name] != name {
				return nil, fmt.Errorf("the shard %q has the tensor %q, which the index does not expect there; the files are of different models", name, e.name)
			}
			delete(where, e.name)
			if e.view != nil {
				files[e.view.storage] = f
				total += e.view.storage.bytes()
			}
		}
		list = append(list, entries...)
	}
	for name, shard := range where {
		return nil, fmt.Errorf("the tensor %q is not in the shard %q, where the index expects it; download that file again", name, shard)
	}
	return &contents{dicts: []stateDict{{list: list}}, size: total, read: func(s *storage, buf []byte) ([]byte, error) {
		return files[s].Read(s.key, buf)
	}}, nil
}

// readIndex gives the shard of each tensor, and the shards, sorted.
func readIndex(r io.ReaderAt, size int64) (where map[string]string, shards []string, err error) {
	if size > maxIndex {
		return nil, nil, fmt.Errorf("is JSON of %d bytes; the index of a sharded checkpoint has at most %d", size, maxIndex)
	}
	text := make([]byte, size)
	if n, err := r.ReadAt(text, 0); n < len(text) {
		return nil, nil, err
	}
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(text, &index); err != nil || len(index.WeightMap) == 0 {
		return nil, nil, errors.New(`is JSON, and not the index of a sharded checkpoint, which has a "weight_map"; give the .safetensors file`)
	}
	for _, shard := range index.WeightMap {
		if !slices.Contains(shards, shard) {
			if len(shards) == maxShards {
				return nil, nil, fmt.Errorf("names more than %d shards; that is no network of this family", maxShards)
			}
			shards = append(shards, shard)
		}
		if filepath.Base(shard) != shard || !filepath.IsLocal(shard) {
			return nil, nil, fmt.Errorf("names the shard %.200q; expected the name of a file beside the index", shard)
		}
	}
	slices.Sort(shards)
	return index.WeightMap, shards, nil
}
