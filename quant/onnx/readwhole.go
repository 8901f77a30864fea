package onnx

import (
	"fmt"
	"slices"
)

// whole reads the whole numbers at an operator's input i, which may be computed: PyTorch's exporter turns the order of a
// padding's amounts round in the graph.
func (b *builder) whole(n *readNode, i int, what string) ([]int64, error) {
	v, err := b.fold(n.in[i], 0)
	if err != nil {
		return nil, fmt.Errorf("%s: its %s, %.200q: %w", n.title(), what, n.in[i], err)
	}
	return v.list, nil
}

// wholes is a small tensor of whole numbers in rows of equal length; one row unless it has two dimensions.
type wholes struct {
	list []int64
	row  int
}

// Bounds of what is computed: how deep operators follow one another, and how many are run in all.
const (
	maxFoldDepth = 64
	maxFolds     = 1 << 16
)

// fold evaluates a value that depends on constants alone.
func (b *builder) fold(name string, depth int) (v wholes, err error) {
	if b.folding++; depth > maxFoldDepth || b.folding > maxFolds {
		return v, fmt.Errorf("is computed by too many operators; export with constant folding")
	}
	if t := b.m.constants[name]; t != nil {
		return b.row(t)
	}
	n := b.producers[name]
	if n == nil || !isStandard(n.domain) {
		return v, fmt.Errorf("is no constant; export with constant folding")
	}
	if n.op == "Constant" {
		t := n.constant()
		if t == nil {
			return v, fmt.Errorf("%s holds no whole numbers", n.title())
		}
		return b.row(t)
	}
	if n.op == "Shape" && len(n.in) == 1 { // of a constant: how many numbers it has
		x, err := b.fold(n.in[0], depth+1)
		return wholes{[]int64{int64(len(x.list))}, 1}, err
	}
	evaluate := folds[n.op]
	if evaluate == nil {
		return v, fmt.Errorf("%s is no constant; export with constant folding", n.title())
	}
	var in []wholes
	for _, name := range n.in {
		x, err := b.fold(name, depth+1)
		if err != nil {
			return v, err
		}
		in = append(in, x)
	}
	v, ok := evaluate(b, n, in)
	if !ok || len(v.list) > maxShapeInts {
		return v, fmt.Errorf("%s is no arithmetic of a padding; export with constant folding", n.title())
	}
	return v, nil
}

func (b *builder) row(t *readTensor) (wholes, error) {
	list, err := t.ints(b.m.wire)
	return wholes{list, max(1, len(list))}, err
}

// folds are the operators on whole numbers that exporters leave between constants and a padding or slicing.
var folds = map[string]func(b *builder, n *readNode, in []wholes) (wholes, bool){
	"Cast": foldSame, "Identity": foldSame, "Unsqueeze": foldSame, "Squeeze": foldSame,
	"Concat": func(_ *builder, _ *readNode, in []wholes) (v wholes, ok bool) {
		for _, x := range in {
			v.list = append(v.list, x.list...)
		}
		v.row = max(1, len(v.list))
		return v, true
	},
	"ConstantOfShape": func(b *builder, n *readNode, in []wholes) (wholes, bool) {
		if len(in) != 1 || len(in[0].list) != 1 || in[0].list[0] < 0 || in[0].list[0] > maxShapeInts {
			return wholes{}, false
		}
		fill := []int64{0}
		if t := n.attributes["value"].tensor; t != nil {
			var err error
			if fill, err = t.ints(b.m.wire); err != nil || len(fill) != 1 {
				return wholes{}, false
			}
		}
		count := int(in[0].list[0])
		return wholes{slices.Repeat(fill, count), max(1, count)}, true
	},
	"Reshape": func(_ *builder, _ *readNode, in []wholes) (wholes, bool) {
		if len(in) != 2 || len(in[1].list) == 0 {
			return wholes{}, false
		}
		v, last := in[0], in[1].list[len(in[1].list)-1]
		switch {
		case len(in[1].list) == 1:
			v.row = max(1, len(v.list))
		case len(in[1].list) == 2 && last > 0 && last <= maxShapeInts && len(v.list)%int(last) == 0:
			v.row = int(last)
		default:
			return wholes{}, false
		}
		return v, true
	},
	"Transpose": func(_ *builder, _ *readNode, in []wholes) (v wholes, ok bool) {
		if len(in) != 1 {
			return v, false
		}
		x := in[0]
		v.row = max(1, len(x.list)/x.row)
		for c := range x.row {
			for r := range len(x.list) / x.row {
				v.list = append(v.list, x.list[r*x.row+c])
			}
		}
		return v, true
	},
	// The rows, or the numbers of one row, in reverse.
	"Slice": func(_ *builder, _ *readNode, in []wholes) (v wholes, ok bool) {
		if len(in) != 5 || !is(in[1], -1) || len(in[2].list) != 1 || in[2].list[0] > -maxShapeInts || !is(in[3], 0) || !is(in[4], -1) {
			return v, false
		}
		x := in[0]
		v.row = x.row
		if x.row == len(x.list) {
			v.list = slices.Clone(x.list)
			slices.Reverse(v.list)
			return v, true
		}
		for r := len(x.list)/x.row - 1; r >= 0; r-- {
			v.list = append(v.list, x.list[r*x.row:][:x.row]...)
		}
		return v, true
	},
	"Gather": func(_ *builder, _ *readNode, in []wholes) (wholes, bool) {
		if len(in) != 2 || len(in[1].list) != 1 || in[1].list[0] < 0 || in[1].list[0] >= int64(len(in[0].list)) {
			return wholes{}, false
		}
		return wholes{in[0].list[in[1].list[0]:][:1], 1}, true
	},
	"Mul": foldPair(func(a, b int64) int64 { return a * b }),
	"Sub": foldPair(func(a, b int64) int64 { return a - b }),
	"Add": foldPair(func(a, b int64) int64 { return a + b }),
}

// is reports whether v is one number.
func is(v wholes, number int64) bool { return len(v.list) == 1 && v.list[0] == number }

func foldSame(_ *builder, _ *readNode, in []wholes) (wholes, bool) {
	if len(in) == 0 {
		return wholes{}, false
	}
	return in[0], true
}

func foldPair(f func(a, b int64) int64) func(*builder, *readNode, []wholes) (wholes, bool) {
	return func(_ *builder, _ *readNode, in []wholes) (wholes, bool) {
		if len(in) != 2 || len(in[0].list) != 1 || len(in[1].list) != 1 {
			return wholes{}, false
		}
		return wholes{[]int64{f(in[0].list[0], in[1].list[0])}, 1}, true
	}
}
