package weights

import (
	"fmt"
	"slices"
	"strings"

	"github.com/libresnext/libresnext/quant/checkpoint"
)

// leftOver names tensors that a network has no use for: those that are wrong where they are, because something that does
// not run here may work with them, and those that may be set aside. Outside of the model that has the network nothing
// matters; inside of it what only training needs, and numbers that no layer has.
func (x *candidate) leftOver(used map[string]bool, root string, embedding bool) (wrong, aside []string) {
	for _, name := range x.c.Order {
		if used[name] || strings.HasSuffix(name, ".num_batches_tracked") {
			continue
		}
		t := x.c.Tensors[name]
		inBody := x.isBody(name) || x.inBlock(name)
		switch rest := name[min(len(root), len(name)):]; {
		case !strings.HasPrefix(name, root), forTraining.MatchString(rest), embedding && !inBody && len(t.Shape) < 3, !inBody && isNumber(name, t):
			aside = append(aside, name)
		default:
			wrong = append(wrong, name)
		}
	}
	return wrong, aside
}

// part is the outermost module that has a tensor and is not around the network.
func (x *candidate) part(name string) string {
	root := x.prefix
	for !strings.HasPrefix(name, root) {
		root = parent(root)
	}
	top, _, _ := strings.Cut(name[len(root):], ".")
	return root + top
}

// isNumber reports whether a tensor is a single number that is no parameter of a layer.
func isNumber(name string, t *checkpoint.Tensor) bool {
	size := 1
	for _, n := range t.Shape {
		size *= n
	}
	return size == 1 && !strings.HasSuffix(name, ".weight") && !strings.HasSuffix(name, ".bias")
}

// maxAside is how many parts of a file a note names.
const maxAside = 8

// asideText names what was set aside by its parts: of a part with many tensors their number. Single numbers of other state
// dicts, such as the best accuracy, are not worth a word.
func asideText(chosen *candidate, aside []string, all []*checkpoint.Checkpoint) string {
	var parts []string
	counts, firsts := map[string]int{}, map[string]string{}
	add := func(part, name string) {
		if counts[part] == 0 {
			parts, firsts[part] = append(parts, part), name
		}
		counts[part]++
	}
	for _, name := range aside {
		top := chosen.part(name)
		if strings.HasSuffix(name, ".total_ops") || strings.HasSuffix(name, ".total_params") {
			top = "total_ops"
		}
		add(top, name)
	}
	for _, c := range all {
		top, _, _ := strings.Cut(c.Wrapper, ".")
		for _, name := range c.Order {
			if c == chosen.c || isNumber(name, c.Tensors[name]) {
				continue
			}
			if c.Wrapper == "" {
				add(name, name)
			} else {
				add(top, strings.Trim(c.Wrapper+"."+name, "."))
			}
		}
	}
	if len(parts) == 0 {
		return ""
	}
	var texts []string
	for _, part := range parts[:min(maxAside, len(parts))] {
		text := firsts[part]
		if n := counts[part]; n > 1 {
			text = fmt.Sprintf("%s (%d tensors)", part, n)
		}
		texts = append(texts, fmt.Sprintf("%.100s", text))
	}
	if more := len(parts) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return "set aside, not part of the network: " + strings.Join(slices.Clip(texts), ", ")
}
