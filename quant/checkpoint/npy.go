package checkpoint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// npyMagic is what a NumPy array file begins with.
const npyMagic = "\x93NUMPY"

// maxNPYHeader bounds the text that describes an array, in bytes. NumPy pads it to 64 or 128.
const maxNPYHeader = 1 << 16

// npyTypes are the element types that a tensor may have, without the byte order.
var npyTypes = map[string]dtype{
	"f8": float64Type, "f4": float32Type, "f2": float16Type,
	"i8": {name: "int64", size: 8}, "u8": {name: "uint64", size: 8},
	"i4": {name: "int32", size: 4}, "u4": {name: "uint32", size: 4},
	"i2": {name: "int16", size: 2}, "u2": {name: "uint16", size: 2},
	"i1": {name: "int8", size: 1}, "u1": {name: "uint8", size: 1}, "b1": {name: "bool", size: 1},
}

// An npyHeader is what an array file says of itself:
//
//	"\x93NUMPY", version        6 and 2 bytes
//	length of the text          2 bytes, little-endian; 4 from version 2 on
//	text                        a Python dict: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
//	elements                    to the end of the file
type npyHeader struct {
	dtype   dtype
	big     bool // big-endian
	fortran bool // the first index is the one that runs fastest
	shape   []int64
	data    int64 // offset of the elements
}

var (
	npyDescr   = regexp.MustCompile(`['"]descr['"]\s*:\s*['"]([<>|=]?)([A-Za-z]\d{1,3})['"]`)
	npyFortran = regexp.MustCompile(`['"]fortran_order['"]\s*:\s*(True|False)`)
	npyShape   = regexp.MustCompile(`['"]shape['"]\s*:\s*\(([\d\s,L]*)\)`)
)

// readNPYHeader reads up to the elements.
func readNPYHeader(r io.Reader) (*npyHeader, error) {
	text, data, err := readNPYText(r)
	if err != nil {
		return nil, err
	}
	h := &npyHeader{data: data}
	descr, fortran, shape := npyDescr.FindSubmatch(text), npyFortran.FindSubmatch(text), npyShape.FindSubmatch(text)
	if descr == nil || fortran == nil || shape == nil {
		return nil, fmt.Errorf("its header %.120q does not name one element type, order and shape; save a plain array: numpy.save(name, array.astype('<f4'))", text)
	}
	known := false
	if h.dtype, known = npyTypes[string(descr[2])]; !known {
		return nil, fmt.Errorf("its elements are of type %s; expected numbers such as <f4: numpy.save(name, array.astype('<f4'))", descr[2])
	}
	h.big, h.fortran = string(descr[1]) == ">", string(fortran[1]) == "True"
	for _, number := range strings.FieldsFunc(string(shape[1]), func(c rune) bool { return c == ',' || c == ' ' || c == '\n' || c == '\t' }) {
		n, err := strconv.ParseInt(strings.TrimSuffix(number, "L"), 10, 64)
		if err != nil || len(h.shape) == maxRank {
			return nil, fmt.Errorf("its shape (%.80s) is none", shape[1])
		}
		h.shape = append(h.shape, n)
	}
	return h, nil
}

// readNPYText reads the text of the header, and says where it ends.
func readNPYText(r io.Reader) (text []byte, end int64, err error) {
	var start [12]byte
	if _, err := io.ReadFull(r, start[:10]); err != nil || string(start[:6]) != npyMagic {
		return nil, 0, fmt.Errorf("is not a NumPy array: it does not begin with %q", npyMagic)
	}
	length, end := int64(binary.LittleEndian.Uint16(start[8:])), int64(10)
	if start[6] >= 2 {
		if _, err := io.ReadFull(r, start[10:]); err != nil {
			return nil, 0, errNPYCut
		}
		length, end = int64(binary.LittleEndian.Uint32(start[8:])), 12
	}
	if start[6] < 1 || start[6] > 3 || length > maxNPYHeader {
		return nil, 0, fmt.Errorf("is of NumPy's format %d with a header of %d bytes; expected 1 to 3 and at most %d", start[6], length, maxNPYHeader)
	}
	text = make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, 0, errNPYCut
	}
	return bytes.TrimSpace(text), end + length, nil
}

var errNPYCut = fmt.Errorf("is cut short inside its header; copy it again")

// entry is the array of a file of size bytes as an item of a state dict; key is its name in messages.
func (h *npyHeader) entry(name, key string, size int64) (entry, error) {
	e := entry{name: name}
	if !h.dtype.float() {
		return e, nil
	}
	left := size - h.data
	count := int64(1)
	for _, n := range h.shape {
		if n > math.MaxInt32 || n > 0 && count > left/n {
			return e, fmt.Errorf("%s: its shape %v is more than the file has: %d bytes; it is cut short", key, h.shape, left)
		}
		count *= n
	}
	if count*h.dtype.size != left {
		return e, fmt.Errorf("%s: its shape %v of %s needs %d bytes, the file has %d; it is cut short or damaged", key, h.shape, h.dtype.name, count*h.dtype.size, left)
	}
	v := &view{storage: &storage{key, h.dtype, count}, shape: h.shape, stride: make([]int64, len(h.shape))}
	step := int64(1)
	for i := range h.shape {
		k := i
		if !h.fortran {
			k = len(h.shape) - 1 - i
		}
		v.stride[k] = step
		step *= h.shape[k]
	}
	e.view = v
	return e, nil
}

// npyNames turns the paths of array files into the names of tensors: the path without its ending, folders
// and, where nothing has a dot, double underscores read as dots. a/b.npy, a__b.npy and a.b.npy are a.b.
func npyNames(paths []string) []string {
	names := make([]string, len(paths))
	dotted := false
	for i, p := range paths {
		names[i] = strings.ReplaceAll(strings.TrimSuffix(p, npyEnding), "/", ".")
		dotted = dotted || strings.Contains(names[i], ".")
	}
	for i := range names {
		if !dotted {
			names[i] = strings.ReplaceAll(names[i], "__", ".")
		}
	}
	return names
}

const npyEnding = ".npy"
