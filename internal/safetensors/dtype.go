package safetensors

import (
	"fmt"
	"math"
)

// dtypeSizes gives the bytes per element of every dtype whose elements fill
// whole bytes. The packed 4 and 6 bit floats of newer writers are not read.
var dtypeSizes = map[string]int64{
	"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1,
	"I16": 2, "U16": 2, "F16": 2, "BF16": 2,
	"I32": 4, "U32": 4, "F32": 4,
	"I64": 8, "U64": 8, "F64": 8, "C64": 8,
}

// byteSize returns the bytes that a tensor takes, or an error if the dtype is
// unknown, a dimension is negative or the size overflows.
func byteSize(dtype string, shape []int) (int64, error) {
	size, ok := dtypeSizes[dtype]
	if !ok {
		return 0, fmt.Errorf("dtype %q is not known; want F64, F32, F16, BF16, I8, U8, I16, I32, I64 or another of whole bytes", dtype)
	}
	empty := false
	for _, dim := range shape {
		if dim < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
		empty = empty || dim == 0
	}
	if empty {
		return 0, nil
	}
	for _, dim := range shape {
		if size > math.MaxInt64/int64(dim) {
			return 0, fmt.Errorf("shape %v of %s overflows 63 bits", shape, dtype)
		}
		size *= int64(dim)
	}
	return size, nil
}
