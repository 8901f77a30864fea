package torch7

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// The tags of Torch7's binary form, all integers little-endian:
//
//	tag int32, then by tag
//	nil        nothing
//	number     float64
//	text       length int32, bytes
//	boolean    int32
//	table      number of the object int32; the first time: entries int32, and as many keys and values
//	class      number of the object int32; the first time: version and name as texts without tags, content
//	function   (number of the object int32,) length int32, Lua byte code, a table
//
// The content of a class is that of its tensors and storages, see below, and for every other a table.
const (
	tagNil = iota
	tagNumber
	tagText
	tagTable
	tagClass
	tagBoolean
	tagFunction
	tagFunctionOld
	tagFunctionNew
)

// Bounds that keep a hostile file from taking memory or stack: ResNet-152 has 20,000 values, nested 20 deep.
const (
	maxDepth  = 200
	maxValues = 1 << 21
	maxText   = 1 << 24
)

// Values are nil, float64, string, bool, *table, *object, *tensor and *storage. A function is nil: it is
// passed over, never looked at.
type (
	table struct {
		fields map[string]any
		list   map[int]any // by integer keys, from 1 on
	}
	object struct {
		class string
		*table
	}
	// A tensor is a view of a storage; offset counts from 0.
	tensor struct {
		size, stride []int64
		offset       int64
		storage      *storage
	}
	// A storage is count elements from at on in the file; dtype is empty where they are no floats.
	storage struct {
		dtype     string
		at, count int64
	}
)

// decoder reads one file of values.
type decoder struct {
	file   io.ReaderAt
	r      *bufio.Reader
	pos    int64
	size   int64
	memo   map[int32]any
	values int
}

func newDecoder(r io.ReaderAt, size int64) *decoder {
	return &decoder{file: r, r: bufio.NewReader(io.NewSectionReader(r, 0, size)), size: size, memo: make(map[int32]any)}
}

var errCut = errors.New("the file is cut short or damaged; copy or download it again")

func (d *decoder) take(n int64) ([]byte, error) {
	if n < 0 || n > maxText || n > d.size-d.pos {
		return nil, errCut
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(d.r, b); err != nil {
		return nil, errCut
	}
	d.pos += n
	return b, nil
}

// skip passes over bytes without reading them.
func (d *decoder) skip(n int64) error {
	if n < 0 || n > d.size-d.pos {
		return errCut
	}
	d.pos += n
	d.r.Reset(io.NewSectionReader(d.file, d.pos, d.size-d.pos))
	return nil
}

func (d *decoder) int32() (int32, error) {
	b, err := d.take(4)
	if err != nil {
		return 0, err
	}
	return int32(binary.LittleEndian.Uint32(b)), nil
}

func (d *decoder) int64s(n int32) ([]int64, error) {
	b, err := d.take(8 * int64(n))
	if err != nil {
		return nil, err
	}
	list := make([]int64, n)
	for i := range list {
		list[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return list, nil
}

func (d *decoder) text() (string, error) {
	n, err := d.int32()
	if err != nil {
		return "", err
	}
	b, err := d.take(int64(n))
	return string(b), err
}

// value reads one value.
func (d *decoder) value(depth int) (any, error) {
	if d.values++; d.values > maxValues || depth > maxDepth {
		return nil, fmt.Errorf("the file has more than %d values or nests them more than %d deep; that is no network of this family", maxValues, maxDepth)
	}
	tag, err := d.int32()
	if err != nil {
		return nil, err
	}
	switch tag {
	case tagNil:
		return nil, nil
	case tagNumber:
		b, err := d.int64s(1)
		if err != nil {
			return nil, err
		}
		return math.Float64frombits(uint64(b[0])), nil
	case tagText:
		return d.text()
	case tagBoolean:
		v, err := d.int32()
		return v != 0, err
	case tagFunction:
		return nil, d.function(depth)
	case tagTable, tagClass, tagFunctionOld, tagFunctionNew:
		return d.numbered(tag, depth)
	}
	return nil, fmt.Errorf("the file is damaged, or not of Torch7's binary form: tag %d at byte %d", tag, d.pos-4)
}

// numbered reads what is stored once and referred to by its number after that.
func (d *decoder) numbered(tag int32, depth int) (any, error) {
	number, err := d.int32()
	if err != nil {
		return nil, err
	}
	if v, ok := d.memo[number]; ok {
		return v, nil
	}
	d.memo[number] = nil
	switch tag {
	case tagTable:
		t := &table{}
		d.memo[number] = t
		return t, d.table(t, depth)
	case tagClass:
		return d.class(number, depth)
	}
	return nil, d.function(depth)
}

func (d *decoder) function(depth int) error {
	n, err := d.int32()
	if err == nil {
		err = d.skip(int64(n))
	}
	if err == nil {
		_, err = d.value(depth + 1)
	}
	return err
}

func (d *decoder) table(t *table, depth int) error {
	t.fields, t.list = make(map[string]any), make(map[int]any)
	n, err := d.int32()
	for ; n > 0 && err == nil; n-- {
		var k, v any
		if k, err = d.value(depth + 1); err != nil {
			break
		}
		if v, err = d.value(depth + 1); err != nil {
			break
		}
		switch k := k.(type) {
		case string:
			t.fields[k] = v
		case float64:
			if i := int(k); float64(i) == k {
				t.list[i] = v
			}
		}
	}
	return err
}
