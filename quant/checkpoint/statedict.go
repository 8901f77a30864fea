package checkpoint

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxNesting is how many dicts or objects may be around a tensor. A checkpoint of a training script has up to three
// dicts; modules of networks are some ten deep.
const maxNesting = 64

// maxEntries bounds the tensors and modules of all state dicts of a file. A module that is in many others is named in each,
// which a small file could ask for without end.
const maxEntries = 1 << 17

// An entry is one item of a state dict; view is nil if it is no floating-point tensor. class is that of an object that
// may hide one.
type entry struct {
	name  string
	view  *view
	class string
}

// A stateDict is the tensors of one dict, or of one module with all modules below it.
type stateDict struct {
	path []string // of keys and attributes that lead to it
	list []entry
}

// finder collects the state dicts in what a pickle left.
type finder struct {
	found   []stateDict
	entries int
	seen    map[any]bool // dicts and objects that are done, or under way
}

// stateDicts finds all state dicts, in the file's order.
func stateDicts(root any) ([]stateDict, error) {
	f := finder{seen: map[any]bool{}}
	if err := f.visit(root, nil); err != nil {
		return nil, err
	}
	if len(f.found) > 0 {
		return f.found, nil
	}
	top, ok := root.(*dict)
	if object, is := root.(*opaque); is {
		return nil, fmt.Errorf("the file holds %s, in which no tensor can be found; %s", kind(object), advice)
	}
	if !ok {
		return nil, fmt.Errorf("the file holds %s; want a state_dict: torch.save(model.state_dict(), path)", kind(root))
	}
	if key, object := hiding(top); object != nil {
		return nil, fmt.Errorf("no state dict; under %q is %s, in which no tensor can be found; %s", key, kind(object), advice)
	}
	return nil, fmt.Errorf("no state dict; the keys are %s; want tensors there, or below them", keyList(top))
}

// visit looks for state dicts in a value and below it.
func (f *finder) visit(v any, path []string) error {
	switch v := v.(type) {
	case *dict:
		if len(path) > maxNesting || f.seen[v] {
			return nil
		}
		f.seen[v] = true
		if hasTensors(v) {
			list, err := entries(v)
			if err != nil {
				return err
			}
			if err := f.add(path, list); err != nil {
				return err
			}
		}
		return f.visitAll(v, path)
	case *opaque:
		if len(path) > maxNesting || f.seen[v] {
			return nil
		}
		f.seen[v] = true
		var list []entry
		if err := f.module(v, nil, &list, map[*opaque]bool{}); err != nil || hasView(list) {
			return errors.Join(err, f.add(path, list))
		}
		for _, attributes := range v.attributes() {
			if err := f.visitAll(attributes, path); err != nil {
				return err
			}
		}
	}
	return nil
}

// visitAll visits the values of a dict.
func (f *finder) visitAll(d *dict, path []string) error {
	for i, key := range d.keys {
		if err := f.visit(d.values[i], append(slices.Clip(path), component(key))); err != nil {
			return err
		}
	}
	return nil
}

// component is a key as part of a path.
func component(key any) string {
	switch key := key.(type) {
	case string:
		return strings.ToValidUTF8(key, "?")
	case int64:
		return strconv.FormatInt(key, 10)
	}
	return "?"
}

func (f *finder) add(path []string, list []entry) error {
	f.found = append(f.found, stateDict{path, list})
	return f.count(len(list))
}

func (f *finder) count(n int) error {
	if f.entries += n; f.entries > maxEntries {
		return fmt.Errorf("names more than %d tensors and modules; that is no file of one network", maxEntries)
	}
	return nil
}

// The attributes of a module of torch.nn that hold its tensors and the modules in it. Their own names are not part of
// a tensor's name.
var moduleAttributes = []string{"_parameters", "_buffers", "_modules"}

// module lists the tensors of an object and the objects that it has, by the names that state_dict() would give them: an
// object of a class of torch.nn as pickle describes it, or, from TorchScript, one whose attributes are its tensors and
// modules themselves. Nothing of the class is run or needed. underway are the objects around it.
func (f *finder) module(o *opaque, path []string, list *[]entry, underway map[*opaque]bool) error {
	if len(path) > maxNesting || underway[o] {
		return nil
	}
	if err := f.count(1); err != nil {
		return err
	}
	underway[o] = true
	defer delete(underway, o)
	for _, attributes := range o.attributes() {
		parts := []*dict{attributes}
		if of, ok := attributes.get("_modules").(*dict); ok && of != nil {
			parts = nil
			for _, name := range moduleAttributes {
				if part, ok := attributes.get(name).(*dict); ok {
					parts = append(parts, part)
				}
			}
		}
		for _, part := range parts {
			for i, key := range part.keys {
				name, ok := key.(string)
				if !ok || !utf8.ValidString(name) {
					continue
				}
				switch v := part.values[i].(type) {
				case *view:
					if err := f.count(1); err != nil {
						return err
					}
					e := entry{name: strings.Join(append(slices.Clip(path), name), ".")}
					if v.float() {
						e.view = v
					}
					*list = append(*list, e)
				case *opaque:
					if err := f.module(v, append(slices.Clip(path), name), list, underway); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// attributes are the dicts of what was set in an object: one, or two where its class has slots.
func (o *opaque) attributes() []*dict {
	var all []*dict
	parts, ok := o.state.(tuple)
	if !ok {
		parts = tuple{o.state}
	}
	for _, part := range parts {
		if d, ok := part.(*dict); ok {
			all = append(all, d)
		}
	}
	return all
}

// hiding finds the first object that may have tensors in it.
func hiding(d *dict) (key string, object *opaque) {
	for i, v := range d.values {
		if o, ok := v.(*opaque); ok && !isPlain(global(o.class)) {
			return component(d.keys[i]), o
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

// hasView reports whether there is a floating-point tensor.
func hasView(list []entry) bool {
	return slices.ContainsFunc(list, func(e entry) bool { return e.view != nil })
}

// entries are the items of a dict that have a name, less the dicts among them, which are state dicts of their own or none.
func entries(state *dict) ([]entry, error) {
	var list []entry
	for i, key := range state.keys {
		name, ok := key.(string)
		if _, inner := state.values[i].(*dict); !ok || inner {
			continue
		}
		if !utf8.ValidString(name) {
			return nil, fmt.Errorf("tensor name %q is not UTF-8", name)
		}
		e := entry{name: name}
		if v, ok := state.values[i].(*view); ok && v.float() {
			e.view = v
		}
		if o, ok := state.values[i].(*opaque); ok && !isPlain(global(o.class)) {
			e.class = o.class
		}
		list = append(list, e)
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
