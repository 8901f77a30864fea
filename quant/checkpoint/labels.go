package checkpoint

import (
	"math"
	"strconv"
)

// maxLabels bounds the classes that a file may name; ImageNet-21k has 21,843.
const maxLabels = 1 << 16

// labels finds the names of the classes in what a pickle left: a dict of names by number (id2label), of numbers by name
// (class_to_idx, label2id) or a list (classes, CLASSES), as Hugging Face, torchvision's scripts, Lightning and mmengine
// keep them beside the weights; nil where there is none, or several that differ in length.
func labels(root any) []string {
	f := labelFinder{seen: map[*dict]bool{}}
	f.visit(root, 0)
	for _, other := range f.found {
		if len(other) != len(f.found[0]) {
			return nil
		}
	}
	if len(f.found) == 0 {
		return nil
	}
	return f.found[0]
}

type labelFinder struct {
	found [][]string
	seen  map[*dict]bool
}

// mostNested is how deep labels are looked for: dataset_meta and hyper_parameters are one dict, meta's a second.
const mostNested = 4

func (f *labelFinder) visit(v any, depth int) {
	d, ok := v.(*dict)
	if o, is := v.(*opaque); is {
		for _, attributes := range o.attributes() {
			f.visit(attributes, depth+1)
		}
	}
	if !ok || depth > mostNested || f.seen[d] {
		return
	}
	f.seen[d] = true
	for i, key := range d.keys {
		var names []string
		switch key {
		case "class_to_idx", "label2id":
			names = byName(d.values[i])
		case "id2label", "idx_to_class":
			names = byNumber(d.values[i])
		case "classes", "CLASSES", "class_names", "labels":
			names = inOrder(d.values[i])
		}
		if names != nil {
			f.found = append(f.found, names)
			continue
		}
		f.visit(d.values[i], depth+1)
	}
}

// byName are the keys of a dict by the numbers that they have; nil unless these are 0, 1, 2 ...
func byName(v any) []string {
	d, ok := v.(*dict)
	if !ok {
		return nil
	}
	return arranged(d, func(i int) (name string, number int, ok bool) {
		name, ok = d.keys[i].(string)
		n, is := d.values[i].(int64)
		return name, int(min(max(n, -1), math.MaxInt32)), ok && is
	})
}

// byNumber are the values of a dict by their keys, whole numbers or their decimals.
func byNumber(v any) []string {
	d, ok := v.(*dict)
	if !ok {
		return nil
	}
	return arranged(d, func(i int) (name string, number int, ok bool) {
		name, ok = d.values[i].(string)
		switch key := d.keys[i].(type) {
		case int64:
			return name, int(min(max(key, -1), math.MaxInt32)), ok
		case string:
			n, err := strconv.Atoi(key)
			return name, n, ok && err == nil
		}
		return "", 0, false
	})
}

// arranged puts names in the order of their numbers; nil unless these are 0, 1, 2 ...
func arranged(d *dict, at func(i int) (name string, number int, ok bool)) []string {
	if len(d.keys) == 0 || len(d.keys) > maxLabels {
		return nil
	}
	names, seen := make([]string, len(d.keys)), make([]bool, len(d.keys))
	for i := range d.keys {
		name, n, ok := at(i)
		if !ok || n < 0 || n >= len(names) || seen[n] {
			return nil
		}
		names[n], seen[n] = name, true
	}
	return names
}

// inOrder are the strings of a list.
func inOrder(v any) []string {
	items, ok := v.(tuple)
	if l, is := v.(*list); is {
		items, ok = l.items, true
	}
	if !ok || len(items) == 0 || len(items) > maxLabels {
		return nil
	}
	var names []string
	for _, item := range items {
		name, ok := item.(string)
		if !ok {
			return nil
		}
		names = append(names, name)
	}
	return names
}
