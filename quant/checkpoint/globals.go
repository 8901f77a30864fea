package checkpoint

import (
	"errors"
	"fmt"
	"strings"
)

// advice ends the errors about pickles that hold more than tensors.
const advice = "only tensors are read. Save a state_dict: torch.save(model.state_dict(), path)"

// maxRank is the most dimensions that PyTorch gives a tensor.
const maxRank = 64

// storageTypes are the classes that PyTorch names in a storage's persistent id.
var storageTypes = map[global]dtype{
	"torch.DoubleStorage":   float64Type,
	"torch.FloatStorage":    float32Type,
	"torch.HalfStorage":     float16Type,
	"torch.BFloat16Storage": bfloat16Type,
	"torch.LongStorage":     {name: "int64", size: 8},
	"torch.IntStorage":      {name: "int32", size: 4},
	"torch.ShortStorage":    {name: "int16", size: 2},
	"torch.CharStorage":     {name: "int8", size: 1},
	"torch.ByteStorage":     {name: "uint8", size: 1},
	"torch.BoolStorage":     {name: "bool", size: 1},
}

// callables are the functions and classes that a pickle may apply to
// arguments, each replaced by one of ours.
var callables = map[global]func(*unpickler, tuple) (any, error){
	"collections.OrderedDict":                    newOrderedDict,
	"torch.Size":                                 newSize,
	"torch._utils._rebuild_tensor":               rebuildTensor,
	"torch._utils._rebuild_tensor_v2":            rebuildTensor,
	"torch._utils._rebuild_parameter":            rebuildParameter,
	"torch._utils._rebuild_parameter_with_state": rebuildParameter,
	"torch._tensor._rebuild_from_type_v2":        rebuildSubclass,
}

// dangerous are modules of which no honest checkpoint names anything: what they
// offer runs commands, code or other files. They would not be run here, but a
// file that asks for them is worth a refusal.
var dangerous = setOf("os", "posix", "nt", "subprocess", "commands", "pty", "shutil", "sys", "runpy", "importlib",
	"imp", "ctypes", "socket", "webbrowser", "code", "codeop", "pdb", "timeit", "pickle", "_pickle", "marshal")

// running are the builtins that do the same.
var running = setOf("eval", "exec", "execfile", "compile", "open", "file", "__import__", "apply", "input")

// plain are classes that checkpoints carry beside the tensors and that nobody
// misses: NumPy scalars, and how Python 3 spells bytes in protocol 2, among them.
var plain = setOf(
	"argparse.Namespace", "collections.defaultdict", "collections.Counter", "torch.device",
	"numpy.dtype", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "_codecs.encode",
	"torch.float64", "torch.float32", "torch.float16", "torch.bfloat16",
	"torch.int64", "torch.int32", "torch.int16", "torch.int8", "torch.uint8", "torch.bool",
)

// builtins are plain Python types, which live in the module
// __builtin__ up to protocol 2 and in builtins after it.
var builtins = setOf("set", "frozenset", "list", "dict", "tuple", "int", "float", "complex", "str", "bool", "bytes", "bytearray")

func setOf(names ...string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// global resolves a name, without importing anything. A name that is not known
// stands for some class of the program that wrote the file: what is made of it
// is opaque.
func (u *unpickler) global(module, name string) (any, error) {
	g := global(module + "." + name)
	top, _, _ := strings.Cut(module, ".")
	if dangerous[top] || isBuiltin(module) && running[name] {
		return nil, refusef("the pickle wants to call %.200q; %s", string(g), advice)
	}
	return g, u.spend(int64(len(g)))
}

func isBuiltin(module string) bool { return module == "__builtin__" || module == "builtins" }

// isPlain reports whether objects of the class never hide anything that is
// wanted.
func isPlain(g global) bool {
	module, name, _ := strings.Cut(string(g), ".")
	return plain[string(g)] || isBuiltin(module) && builtins[name]
}

// newOrderedDict takes no argument, or a list of pairs as Python 2 wrote it.
func newOrderedDict(u *unpickler, args tuple) (any, error) {
	d := &dict{}
	if len(args) == 0 {
		return d, nil
	}
	pairs, ok := args[0].(*list)
	if !ok || len(args) != 1 {
		return nil, errors.New("want no argument, or a list of pairs")
	}
	for _, item := range pairs.items {
		if err := u.spend(costEntry); err != nil {
			return nil, err
		}
		pair, ok := item.(*list)
		if !ok || len(pair.items) != 2 {
			return nil, errors.New("want a list of pairs")
		}
		if err := d.set(pair.items[0], pair.items[1]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func newSize(_ *unpickler, args tuple) (any, error) {
	if len(args) == 1 {
		if size, ok := args[0].(tuple); ok {
			return size, nil
		}
	}
	return nil, errors.New("want one tuple")
}

// rebuildTensor takes storage, offset, shape and strides. What may follow says
// whether the tensor takes part in training.
func rebuildTensor(u *unpickler, args tuple) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("want at least 4 arguments, got %d", len(args))
	}
	if o, is := args[0].(*opaque); is { // a storage of a type that no weight has
		return o, nil
	}
	ref, ok := args[0].(storageRef)
	if !ok {
		return nil, fmt.Errorf("want a storage, got %s", kind(args[0]))
	}
	offset, ok := args[1].(int64)
	if !ok || offset < 0 || offset > ref.numel {
		return nil, fmt.Errorf("offset %v is outside the storage %q of %d elements", args[1], ref.key, ref.numel)
	}
	shape, err := u.dimensions(args[2])
	if err != nil {
		return nil, fmt.Errorf("shape: %w", err)
	}
	stride, err := u.dimensions(args[3])
	if err != nil {
		return nil, fmt.Errorf("strides: %w", err)
	}
	return &view{ref.storage, ref.offset + offset, shape, stride}, nil
}

func (u *unpickler) dimensions(v any) ([]int64, error) {
	dims, ok := v.(tuple)
	if !ok {
		return nil, fmt.Errorf("want a tuple, got %s", kind(v))
	}
	if len(dims) > maxRank {
		return nil, fmt.Errorf("%d dimensions; want at most %d", len(dims), maxRank)
	}
	if err := u.spend(8 * int64(len(dims))); err != nil {
		return nil, err
	}
	list := make([]int64, len(dims))
	for i, dim := range dims {
		if list[i], ok = dim.(int64); !ok {
			return nil, fmt.Errorf("want integers of 64 bits, got %s", kind(dim))
		}
	}
	return list, nil
}

// rebuildSubclass takes a function, a subclass of Tensor, the function's
// arguments and the object's attributes.
func rebuildSubclass(u *unpickler, args tuple) (any, error) {
	if len(args) >= 3 && (args[0] == global("torch._utils._rebuild_tensor_v2") || args[0] == global("torch._utils._rebuild_tensor")) {
		if inner, ok := args[2].(tuple); ok {
			return rebuildTensor(u, inner)
		}
	}
	return &opaque{class: "torch.Tensor, rebuilt"}, nil
}

// rebuildParameter takes a tensor and what training needs to know about it.
func rebuildParameter(_ *unpickler, args tuple) (any, error) {
	if len(args) == 3 || len(args) == 4 {
		if v, ok := args[0].(*view); ok {
			return v, nil
		}
	}
	return nil, errors.New("want a tensor and 2 or 3 more arguments")
}

// persistent replaces the persistent id on top of the stack by its storage.
func (u *unpickler) persistent() error {
	v, err := u.pop()
	if err != nil {
		return err
	}
	id, ok := v.(tuple)
	if !ok {
		return fmt.Errorf("persistent id is %s, not a tuple", kind(v))
	}
	if err := u.spend(2 * costContainer); err != nil {
		return err
	}
	return u.push(u.load(id))
}
