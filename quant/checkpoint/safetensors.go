package checkpoint

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/libresnext/libresnext/internal/safetensors"
)

// safetensorsTypes are the dtypes that a checkpoint may have.
var safetensorsTypes = map[string]dtype{
	"F64": float64Type, "F32": float32Type, "F16": float16Type, "BF16": bfloat16Type,
	"I64": {name: "int64", size: 8}, "U64": {name: "uint64", size: 8},
	"I32": {name: "int32", size: 4}, "U32": {name: "uint32", size: 4},
	"I16": {name: "int16", size: 2}, "U16": {name: "uint16", size: 2},
	"I8": {name: "int8", size: 1}, "U8": {name: "uint8", size: 1}, "BOOL": {name: "bool", size: 1},
}

func readSafetensors(r io.ReaderAt, size int64) (*contents, error) {
	f, err := safetensors.Parse(r, size, "safetensors")
	if err != nil {
		return nil, err
	}
	list, err := safetensorsEntries(f)
	return &contents{dicts: []stateDict{{list: list}}, size: size, read: func(s *storage, buf []byte) ([]byte, error) {
		return f.Read(s.key, buf)
	}}, err
}

// safetensorsEntries lists the tensors in the order of their bytes, which is
// the order in which they were saved.
func safetensorsEntries(f *safetensors.File) ([]entry, error) {
	names := f.Names()
	begin := map[string]int64{}
	list := make([]entry, 0, len(names))
	for _, name := range names {
		info, _ := f.Info(name)
		begin[name] = info.Begin
		d, ok := safetensorsTypes[info.DType]
		if !ok {
			return nil, fmt.Errorf("tensor %q: dtype %s is not read; save it as float32", name, info.DType)
		}
		e := entry{name: name}
		if d.float() {
			e.view = denseView(&storage{name, d, (info.End - info.Begin) / d.size}, info.Shape)
		}
		list = append(list, e)
	}
	slices.SortStableFunc(list, func(a, b entry) int { return cmp.Compare(begin[a.name], begin[b.name]) })
	return list, nil
}

// denseView is the row-major view of a whole storage.
func denseView(s *storage, shape []int) *view {
	v := &view{storage: s, shape: make([]int64, len(shape)), stride: make([]int64, len(shape))}
	step := int64(1)
	for k := len(shape) - 1; k >= 0; k-- {
		v.shape[k], v.stride[k] = int64(shape[k]), step
		step *= int64(shape[k])
	}
	return v
}
