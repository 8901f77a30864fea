package checkpoint

import (
	"fmt"
	"math"
	"slices"
)

// A storage is a run of elements in the file that tensors are views of.
type storage struct {
	key   string // its name in the file
	dtype dtype
	numel int64 // elements
}

// A view is a tensor as PyTorch describes it: the element at index i is at
// offset + sum(i[k] * stride[k]) of its storage, all counted in elements.
type view struct {
	storage *storage
	offset  int64
	shape   []int64
	stride  []int64
}

// elements checks that the view lies inside its storage, and returns how many
// elements it has. It may have more than the storage, if a stride is 0.
func (v *view) elements() (int64, error) {
	if err := v.checkSigns(); err != nil {
		return 0, err
	}
	if slices.Contains(v.shape, 0) {
		return 0, nil // no element to be out of place
	}
	count, last := int64(1), v.offset
	for k, dim := range v.shape {
		if count > math.MaxInt64/dim || dim > 1 && v.stride[k] > (math.MaxInt64-last)/(dim-1) {
			return 0, fmt.Errorf("shape %v with strides %v is too large", v.shape, v.stride)
		}
		count *= dim
		last += (dim - 1) * v.stride[k]
	}
	if last >= v.storage.numel {
		return 0, fmt.Errorf("shape %v with strides %v at offset %d reaches element %d, but its storage %q has only %d elements",
			v.shape, v.stride, v.offset, last, v.storage.key, v.storage.numel)
	}
	return count, nil
}

func (v *view) checkSigns() error {
	if len(v.shape) != len(v.stride) {
		return fmt.Errorf("shape %v and strides %v differ in length", v.shape, v.stride)
	}
	if v.offset < 0 {
		return fmt.Errorf("offset %d is negative", v.offset)
	}
	for k, dim := range v.shape {
		if dim < 0 || v.stride[k] < 0 {
			return fmt.Errorf("shape %v with strides %v: want none below 0", v.shape, v.stride)
		}
		if dim > math.MaxInt32 {
			return fmt.Errorf("shape %v is too large", v.shape)
		}
	}
	return nil
}

// gather copies the view's elements, row-major, from the little-endian bytes
// of its storage. The view has been checked, and dst has its number of
// elements.
func (v *view) gather(dst []float32, raw []byte) {
	if len(dst) == 0 {
		return
	}
	shape, stride := v.collapse()
	inner := len(shape) - 1
	index := make([]int64, inner)
	size, at := v.storage.dtype.size, v.storage.dtype.at
	row := v.offset
	for {
		from, step := row*size, stride[inner]*size
		for i := range shape[inner] {
			dst[i] = at(raw[from+i*step:])
		}
		dst = dst[shape[inner]:]
		if len(dst) == 0 {
			return
		}
		// Step to the next row as an odometer does; there is one, so k stays
		// above -1.
		for k := inner - 1; ; k-- {
			index[k]++
			row += stride[k]
			if index[k] < shape[k] {
				break
			}
			row -= index[k] * stride[k]
			index[k] = 0
		}
	}
}

// collapse returns the shape and strides without dimensions of 1 and with
// neighbours that are contiguous merged: one dimension for a dense tensor. At
// least one dimension is left.
func (v *view) collapse() (shape, stride []int64) {
	shape, stride = []int64{1}, []int64{0}
	for k, dim := range v.shape {
		last := len(shape) - 1
		switch {
		case dim == 1:
		case shape[last] == 1:
			shape[last], stride[last] = dim, v.stride[k]
		case stride[last] == dim*v.stride[k]:
			shape[last], stride[last] = shape[last]*dim, v.stride[k]
		default:
			shape, stride = append(shape, dim), append(stride, v.stride[k])
		}
	}
	return shape, stride
}

// ints returns the view's shape as Tensor.Shape.
func (v *view) ints() []int {
	shape := make([]int, len(v.shape))
	for i, dim := range v.shape {
		shape[i] = int(dim)
	}
	return shape
}

// float reports whether the elements are of a floating-point type.
func (v *view) float() bool { return v.storage.dtype.float() }
