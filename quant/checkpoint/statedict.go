package checkpoint

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// wrappers are the keys under which training scripts keep a state dict, in
// order of preference where a file has several.
var wrappers = []string{
	"state_dict", "model", "model_state_dict", "net", "ema",
	"state_dict_ema", "module", "params", "weights", "network",
}

// maxWrappers is how many wrappers may be around a state dict.
const maxWrappers = 2

// prefixes are put before all names by the modules that wrap a network.
var prefixes = []string{
	"module.", "model.", "net.", "network.", "backbone.", "encoder.", "_orig_mod.", "state_dict.",
}

// An entry is one item of a state dict; view is nil if it is no
// floating-point tensor. class is that of an object that may hide one.
type entry struct {
	name  string
	view  *view
	class string
}

// adopt takes the state dict out of what a pickle left.
func (c *Checkpoint) adopt(root any) ([]entry, error) {
	top, ok := root.(*dict)
	if object, is := root.(*opaque); is {
		return nil, fmt.Errorf("the file holds %s, which only its own program can build; %s", kind(object), advice)
	}
	if !ok {
		return nil, fmt.Errorf("the file holds %s; want a state_dict: torch.save(model.state_dict(), path)", kind(root))
	}
	state, path := findState(top, maxWrappers)
	if state == nil {
		if key, object := hiding(top); object != nil {
			return nil, fmt.Errorf("no state dict; under %q is %s, which only its own program can build; %s", key, kind(object), advice)
		}
		return nil, fmt.Errorf("no state dict; the keys are %s; want tensors there, or a dict of them under one of %s",
			keyList(top), strings.Join(wrappers, ", "))
	}
	c.Wrapper = strings.Join(path, ".")
	return entries(state)
}

// findState returns the state dict and the keys that lead to it, nil if there
// is none. Wrappers come first: what surrounds them may well be a tensor, such
// as the best accuracy.
func findState(d *dict, depth int) (state *dict, path []string) {
	for _, key := range wrappers {
		inner, ok := d.get(key).(*dict)
		if !ok || depth == 0 {
			continue
		}
		if state, path := findState(inner, depth-1); state != nil {
			return state, append([]string{key}, path...)
		}
	}
	if hasTensors(d) {
		return d, nil
	}
	return nil, nil
}

// hiding finds the first object that may have the tensors in it, under one of
// the usual keys if there is one.
func hiding(d *dict) (key string, object *opaque) {
	for _, key := range wrappers {
		if o, ok := d.get(key).(*opaque); ok && !isPlain(global(o.class)) {
			return key, o
		}
	}
	for i, v := range d.values {
		key, _ := d.keys[i].(string)
		if o, ok := v.(*opaque); ok && !isPlain(global(o.class)) {
			return key, o
		}
	}
	return "", nil
}

// hasTensors reports whether any value is a floating-point tensor.
func hasTensors(d *dict) bool {
	return slices.ContainsFunc(d.values, func(v any) bool {
		t, ok := v.(*view)
		return ok && t.float()
	})
}

func entries(state *dict) ([]entry, error) {
	list := make([]entry, len(state.keys))
	for i, key := range state.keys {
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("the state dict has %s among its keys; want strings", kind(key))
		}
		if !utf8.ValidString(name) {
			return nil, fmt.Errorf("tensor name %q is not UTF-8", name)
		}
		if inner, ok := state.values[i].(*dict); ok && hasTensors(inner) {
			return nil, fmt.Errorf("%q is a dict of tensors beside other tensors; save one state_dict, or put it under one of %s",
				name, strings.Join(wrappers, ", "))
		}
		list[i].name = name
		if v, ok := state.values[i].(*view); ok && v.float() {
			list[i].view = v
		}
		if o, ok := state.values[i].(*opaque); ok && !isPlain(global(o.class)) {
			list[i].class = o.class
		}
	}
	return list, nil
}

// keyList names the keys of a dict for an error.
func keyList(d *dict) string {
	const most = 12
	var names []string
	for _, key := range d.keys {
		if s, ok := key.(string); ok {
			names = append(names, fmt.Sprintf("%.40s", strings.ToValidUTF8(s, "?")))
		} else {
			names = append(names, kind(key))
		}
	}
	slices.Sort(names)
	switch {
	case len(names) == 0:
		return "none at all"
	case len(names) > most:
		return strings.Join(names[:most], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}

// stripPrefix takes off what the names of all tensors begin with, as long as
// it is a known prefix. Ignored entries lose it where they have it. The list
// must have a tensor.
func (c *Checkpoint) stripPrefix(list []entry) {
	for {
		i := slices.IndexFunc(prefixes, func(p string) bool { return allBegin(list, p) })
		if i < 0 {
			return
		}
		c.Prefix += prefixes[i]
		for k := range list {
			list[k].name = strings.TrimPrefix(list[k].name, prefixes[i])
		}
	}
}

func allBegin(list []entry, prefix string) bool {
	return !slices.ContainsFunc(list, func(e entry) bool {
		return e.view != nil && !strings.HasPrefix(e.name, prefix)
	})
}

// checkPresent wants a tensor.
func checkPresent(list []entry) error {
	if !slices.ContainsFunc(list, func(e entry) bool { return e.view != nil }) {
		return errors.New("no floating-point tensor; want the float32, float16, bfloat16 or float64 weights of a network")
	}
	return nil
}

// checkNames wants no name twice, which stripping can cause.
func checkNames(list []entry) error {
	sorted := slices.SortedFunc(slices.Values(list), func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	for i := 1; i < len(sorted); i++ {
		if sorted[i].name == sorted[i-1].name {
			return fmt.Errorf("two tensors are called %q once the common prefix is off", sorted[i].name)
		}
	}
	return nil
}
