// Package torch7 reads networks in the binary form of Torch7 (.t7): the models of fb.resnet.torch and of the
// ResNeXt paper's own code, built of the modules of nn and cudnn in nn.Sequential and nn.ConcatTable.
//
// Lua functions in a file are passed over, never run or even looked at. Every size is checked against the
// file's before memory is taken. The modules become the operators of package wiring, which finds the network.
package torch7

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/libresnext/libresnext/quant/checkpoint"
	"github.com/libresnext/libresnext/quant/match"
)

// Read reads the network in a file of size bytes. Errors begin with path, which is where the file is.
func Read(r io.ReaderAt, size int64, path string) (*match.Network, error) {
	n, err := newDecoder(r, size).network()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}

func (d *decoder) network() (*match.Network, error) {
	v, err := d.value(0)
	if err != nil {
		return nil, err
	}
	root, ok := v.(*object)
	if t, is := v.(*table); is { // what training scripts save: the model among other things
		root, ok = t.fields["model"].(*object)
	}
	if !ok {
		return nil, errors.New("holds no network; expected an nn.Sequential, or a table with one under \"model\"")
	}
	b := builder{d: d, left: d.size, floats: make(map[*tensor][]float32)}
	out, err := b.forward(root, []*match.Node{{Op: match.Input, Title: "the image"}}, "model")
	if err != nil {
		return nil, err
	}
	if len(out) != 1 {
		return nil, fmt.Errorf("the network has %d outputs; expected one, the logits", len(out))
	}
	return match.Match(out[0], 0, 0)
}

// builder turns modules into operators.
type builder struct {
	d       *decoder
	left    int64 // bytes of tensors that may still be read: the file's size in all
	modules int
	floats  map[*tensor][]float32
}

// number gives a numeric field, or missing.
func (o *object) number(name string, missing float64) float64 {
	if v, ok := o.fields[name].(float64); ok {
		return v
	}
	return missing
}

// tensor reads a field that is a tensor of floats; nil if there is none.
func (b *builder) tensor(o *object, title, name string) (*match.Tensor, error) {
	t, ok := o.fields[name].(*tensor)
	if !ok || t.storage == nil {
		return nil, nil
	}
	fail := func(format string, args ...any) (*match.Tensor, error) {
		return nil, fmt.Errorf("%s: its %s %s", title, name, fmt.Sprintf(format, args...))
	}
	count := int64(1)
	shape := make([]int, len(t.size))
	for i := len(t.size) - 1; i >= 0; i-- {
		n := t.size[i]
		if n != 1 && t.stride[i] != count {
			return fail("has the strides %v; expected a contiguous tensor: save the model after :contiguous()", t.stride)
		}
		if n < 1 || n > t.storage.count || count > t.storage.count/n {
			return fail("is %v, and its storage has %d elements; the file is damaged", t.size, t.storage.count)
		}
		count *= n
		shape[i] = int(n)
	}
	if t.offset < 0 || t.offset > t.storage.count-count || t.storage.dtype == "" {
		return fail("is no part of a storage of floats; the file is damaged")
	}
	list, ok := b.floats[t]
	if !ok {
		size, _ := checkpoint.ElementSize(t.storage.dtype)
		if count*size > b.left {
			return fail("and others share their numbers; expected tensors of its own for each layer")
		}
		b.left -= count * size
		var err error
		if list, err = checkpoint.ReadFloats(b.d.file, t.storage.at+t.offset*size, count, t.storage.dtype); err != nil {
			return fail("cannot be read: %v", err)
		}
		b.floats[t] = list
	}
	return &match.Tensor{Shape: shape, Data: list}, nil
}

// vector reads a field of count numbers; nil if there is none.
func (b *builder) vector(o *object, title, name string, count int) ([]float32, error) {
	t, err := b.tensor(o, title, name)
	if t == nil || err != nil {
		return nil, err
	}
	if len(t.Data) != count {
		return nil, fmt.Errorf("%s: its %s has %d numbers; expected %d", title, name, len(t.Data), count)
	}
	return t.Data, nil
}

// children lists the modules in a container.
func (o *object) children() ([]*object, error) {
	t, ok := o.fields["modules"].(*table)
	if !ok {
		return nil, errors.New("has no modules; the file is damaged")
	}
	var list []*object
	for i := 1; ; i++ {
		v, ok := t.list[i]
		if !ok {
			break
		}
		child, ok := v.(*object)
		if !ok || child.table == nil {
			return nil, fmt.Errorf("its module %d is none; the file is damaged", i)
		}
		if len(list) == maxModules {
			return nil, fmt.Errorf("has more than %d modules; that is no network of this family", maxModules)
		}
		list = append(list, child)
	}
	return slices.Clip(list), nil
}
