package weights

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/libresnext/libresnext/quant/checkpoint"
)

// headNames are what a classifier that is one linear layer is called, behind the names of the modules around it.
var headNames = regexp.MustCompile(`^(?:(?:fc|linear|classifier|last_linear|head|head\.fc|cls|cls_head|logits|output|out)(?:\.\d+)?|\d+(?:\.\d+)?)$`)

// head is the classifier of a network: the module, empty where there is none, and the prefix of the model that has both
// the classifier and the network.
type head struct{ module, root string }

// findHead finds the classifier that takes a network's features: a linear layer, or a 1x1 convolution in place of one, in the
// innermost model around the network that has any.
func (x *candidate) findHead(features int) (head, error) {
	for root := x.prefix; ; root = parent(root) {
		if linear := x.linear(root); len(linear) > 0 {
			module, err := x.classifier(root, linear, features)
			return head{module, root}, err
		}
		for _, name := range x.c.Order { // whose weight is missing
			if module, ok := strings.CutSuffix(name, ".bias"); ok && strings.HasPrefix(name, root) && headNames.MatchString(module[len(root):]) && x.free(name) {
				return head{module, root}, nil
			}
		}
		if root == "" {
			return head{"", x.prefix}, nil
		}
	}
}

// parent is the prefix of the module around the one with a prefix: "a." of "a.b.".
func parent(prefix string) string {
	return prefix[:strings.LastIndexByte(strings.TrimSuffix(prefix, "."), '.')+1]
}

// linear lists the weights below a prefix that may be those of a linear layer and are not the network's, nor another
// network's, nor made for training alone.
func (x *candidate) linear(root string) []string {
	var all []string
	for _, name := range x.c.Order {
		if strings.HasPrefix(name, root) && strings.HasSuffix(strings.TrimSuffix(name, "_orig"), ".weight") && isLinear(x.c.Tensors[name]) &&
			x.free(name) && !forTraining.MatchString(name[len(root):]) {
			all = append(all, name)
		}
	}
	return all
}

// isLinear reports whether a tensor may be the weights of a linear layer.
func isLinear(t *checkpoint.Tensor) bool {
	s := t.Shape
	return len(s) == 2 || len(s) == 4 && s[2] == 1 && s[3] == 1
}

// free reports whether a tensor belongs to no network of the file.
func (x *candidate) free(name string) bool {
	return x.taken[name] == nil && !slices.ContainsFunc(x.siblings, func(y *candidate) bool {
		return !strings.HasPrefix(x.prefix, y.prefix) && strings.HasPrefix(name, y.prefix)
	})
}

// classifier chooses among the linear layers of a model.
func (x *candidate) classifier(root string, linear []string, features int) (string, error) {
	module := func(name string) string { return strings.TrimSuffix(strings.TrimSuffix(name, "_orig"), ".weight") }
	part := func(name string) string { top, _, _ := strings.Cut(name[len(root):], "."); return top }
	fits := func(name string) bool { return x.c.Tensors[name].Shape[1] == features }
	list := slices.DeleteFunc(slices.Clone(linear), func(name string) bool { return !headNames.MatchString(module(name)[len(root):]) })
	if len(list) == 0 {
		list = slices.DeleteFunc(slices.Clone(linear), func(name string) bool { return !fits(name) })
	}
	if len(list) == 0 {
		list = linear
	}
	beside := slices.DeleteFunc(slices.Clone(linear), func(name string) bool { return part(name) != part(list[0]) })
	const leave = "--head embedding leaves it out and gives the features before it"
	switch {
	case len(beside) > 1:
		return "", fmt.Errorf("%s: the head has several linear layers, which does not run here; expected one, from %d features to the classes; %s",
			strings.Join(beside[:min(4, len(beside))], ", "), features, leave)
	case len(list) > 1:
		return "", fmt.Errorf("%s: any may be the classifier; expected one linear layer from %d features; %s",
			strings.Join(list[:min(4, len(list))], ", "), features, leave)
	case !fits(list[0]):
		return "", fmt.Errorf("%s: shape is %v, and the network gives %d features: something is between them that does not run here, or this is no classifier; %s",
			list[0], x.c.Tensors[list[0]].Shape, features, leave)
	}
	return module(list[0]), nil
}

// forTraining are parts of a model that only training needs, by their names: losses and metrics, auxiliary and projection
// heads, queues, and what profilers count.
var forTraining = regexp.MustCompile(`(?:^|[._])(?:criterion|loss|losses|loss_fn|metrics?|auroc|accuracy|f1|confmat|queue|queue_ptr|total_ops|total_params|aux|auxiliary|auxlayer|projector|predictor|projection|proj_head|optimizer|n_averaged|teacher)(?:[._]|$)|^(?:train|val|valid|test|online)_`)
