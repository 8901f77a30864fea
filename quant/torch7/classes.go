package torch7

import "fmt"

// elements are the storage classes: their elements' size in bytes and, for floats, their type.
var elements = map[string]struct {
	size  int64
	dtype string
}{
	"torch.FloatStorage": {4, "float32"}, "torch.CudaStorage": {4, "float32"},
	"torch.DoubleStorage": {8, "float64"}, "torch.CudaDoubleStorage": {8, "float64"},
	"torch.HalfStorage": {2, "float16"}, "torch.CudaHalfStorage": {2, "float16"},
	"torch.LongStorage": {8, ""}, "torch.CudaLongStorage": {8, ""}, "torch.IntStorage": {4, ""}, "torch.CudaIntStorage": {4, ""},
	"torch.ShortStorage": {2, ""}, "torch.ByteStorage": {1, ""}, "torch.CharStorage": {1, ""}, "torch.CudaByteStorage": {1, ""},
}

func (d *decoder) class(number int32, depth int) (any, error) {
	name, err := d.text()
	if err == nil && len(name) > 2 && name[:2] == "V " { // before the name, but in the oldest files
		name, err = d.text()
	}
	if err != nil {
		return nil, err
	}
	if _, ok := elements[name]; ok {
		return d.storage(number, name)
	}
	if len(name) > 12 && name[:6] == "torch." && name[len(name)-6:] == "Tensor" {
		return d.tensor(number, depth)
	}
	o := &object{class: name}
	d.memo[number] = o
	v, err := d.value(depth + 1)
	if err != nil {
		return nil, err
	}
	t, ok := v.(*table)
	if !ok {
		return nil, fmt.Errorf("an object of class %.100q is not stored as a table; only networks of Torch's nn and cudnn are read", name)
	}
	o.table = t
	return o, nil
}

func (d *decoder) storage(number int32, class string) (any, error) {
	n, err := d.int64s(1)
	if err != nil {
		return nil, err
	}
	e := elements[class]
	if n[0] < 0 || n[0] > (d.size-d.pos)/e.size {
		return nil, errCut
	}
	s := &storage{e.dtype, d.pos, n[0]}
	d.memo[number] = s
	return s, d.skip(n[0] * e.size)
}

// tensor reads a number of dimensions, their sizes and strides, an offset that counts from 1 and a storage.
func (d *decoder) tensor(number int32, depth int) (any, error) {
	const maxRank = 16
	rank, err := d.int32()
	if err != nil {
		return nil, err
	}
	if rank < 0 || rank > maxRank {
		return nil, fmt.Errorf("a tensor of %d dimensions; the file is damaged", rank)
	}
	t := &tensor{}
	d.memo[number] = t
	numbers, err := d.int64s(2*rank + 1)
	if err != nil {
		return nil, err
	}
	t.size, t.stride, t.offset = numbers[:rank], numbers[rank:2*rank], numbers[2*rank]-1
	v, err := d.value(depth + 1)
	t.storage, _ = v.(*storage)
	return t, err
}
