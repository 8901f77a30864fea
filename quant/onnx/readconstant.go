package onnx

import (
	"fmt"
	"math"
	"slices"

	"github.com/libresnext/libresnext/quant/match"
)

// constant is a tensor that follows from those of the file alone.
type constant struct {
	name string
	dims []int
	list []float32
	// repeated reports whether it is one number that stands for as many as are wanted.
	repeated bool
}

// maxConstantSteps bounds the operators between a tensor and its use; exporters write up to four.
const maxConstantSteps = 32

// Bounds of what is made of the file's numbers: that many times them, and what single ones are repeated to besides. The
// channels of ResNet-152 are 150,000 together.
const (
	maxCopies   = 4
	maxRepeated = 1 << 22
)

// spend counts numbers that are made of others.
func (b *builder) spend(n *readNode, count int) error {
	if count > math.MaxInt32 || b.made+count > maxRepeated+maxCopies*b.read {
		return fmt.Errorf("%s: the numbers of the file are repeated and copied to more than %d; that is no network of this family", n.title(), maxRepeated+maxCopies*b.read)
	}
	b.made += count
	return nil
}

// computations make a constant of others.
var computations map[string]func(b *builder, n *readNode, in []*constant) (*constant, error)

func init() { // not in the declaration, which would refer to itself
	computations = map[string]func(b *builder, n *readNode, in []*constant) (*constant, error){
		"Identity": sameNumbers, "Cast": sameNumbers, "CastLike": sameNumbers,
		"Reshape": (*builder).reshaped, "Squeeze": (*builder).reshaped, "Unsqueeze": (*builder).reshaped, "Flatten": (*builder).reshaped,
		"Expand": (*builder).expanded, "Transpose": (*builder).permuted,
		"Add":        pairwise(func(a, b float64) float64 { return a + b }),
		"Sub":        pairwise(func(a, b float64) float64 { return a - b }),
		"Mul":        pairwise(func(a, b float64) float64 { return a * b }),
		"Div":        pairwise(func(a, b float64) float64 { return a / b }),
		"Sqrt":       pointwise(math.Sqrt),
		"Reciprocal": pointwise(func(v float64) float64 { return 1 / v }),
		"Neg":        pointwise(func(v float64) float64 { return -v }),
	}
}

// operands are the inputs that a constant's numbers come from: both of arithmetic, elsewhere the first.
func (n *readNode) operands() []string {
	count := 1
	switch n.op {
	case "Add", "Sub", "Mul", "Div":
		count = 2
	}
	return n.in[:min(count, len(n.in))]
}

// isConstant reports whether a name stands for numbers that follow from those of the file alone.
func (b *builder) isConstant(name string) bool { return b.stepsTo(name) < maxConstantSteps }

// stepsTo counts the operators between a name and the file's tensors; maxConstantSteps for too many, and for what is no
// constant.
func (b *builder) stepsTo(name string) int {
	if steps, ok := b.steps[name]; ok {
		return steps
	}
	b.steps[name] = maxConstantSteps // in a circle
	steps := maxConstantSteps
	n := b.producers[name]
	switch {
	case b.m.constants[name] != nil:
		steps = 0
	case n == nil || !isStandard(n.domain):
	case n.op == "Constant":
		steps = 0
	case computations[n.op] != nil && len(n.operands()) > 0:
		steps = 1
		for _, in := range n.operands() {
			steps = max(steps, min(1+b.stepsTo(in), maxConstantSteps))
		}
	}
	b.steps[name] = steps
	return steps
}

// tensor is the tensor of the file that has a name, or whose numbers come to it unchanged; nil if there is none.
func (b *builder) tensor(name string) *readTensor {
	for range maxConstantSteps {
		n := b.producers[name]
		switch {
		case n == nil || !isStandard(n.domain):
			return b.m.constants[name]
		case n.op == "Constant":
			return n.constant()
		case len(n.in) == 0 || !slices.Contains([]string{"Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten"}, n.op):
			return nil
		}
		name = n.in[0]
	}
	return nil
}

// constant is the tensor of a Constant node, which has one of several forms; nil for another one.
func (n *readNode) constant() *readTensor {
	if t := n.attributes["value"].tensor; t != nil {
		return t
	}
	t := &readTensor{name: n.title(), kind: int64Type, field: tensorInt64Data}
	if list, ok := n.attributes["value_ints"]; ok {
		t.dims = []int64{int64(len(list.ints))}
		for _, v := range list.ints {
			t.loose = append(t.loose, uint64(v))
		}
		return t
	}
	if v, ok := n.attributes["value_int"]; ok {
		t.loose = []uint64{uint64(v.i)}
		return t
	}
	if v, ok := n.attributes["value_float"]; ok {
		t.kind, t.field, t.loose = float32Type, tensorFloatData, []uint64{float32Bits(v.f)}
		return t
	}
	return nil
}

// evaluate computes a constant.
func (b *builder) evaluate(name string) (*constant, error) {
	if c := b.constants[name]; c != nil {
		return c, nil
	}
	n := b.producers[name]
	if n == nil || n.op == "Constant" {
		c, err := b.fromFile(name)
		if err != nil {
			return nil, err
		}
		b.constants[name] = c
		return c, nil
	}
	var in []*constant
	for _, operand := range n.operands() {
		c, err := b.evaluate(operand)
		if err != nil {
			return nil, err
		}
		in = append(in, c)
	}
	c, err := computations[n.op](b, n, in)
	if err != nil {
		return nil, err
	}
	b.constants[name] = c
	return c, nil
}

// fromFile reads a tensor of the file.
func (b *builder) fromFile(name string) (*constant, error) {
	t := b.tensor(name)
	if t == nil {
		return nil, fmt.Errorf("%s holds no numbers", b.producers[name].title())
	}
	list, ok := b.floats[t]
	if !ok {
		var err error
		if list, err = t.floats(b.m, b.files); err != nil {
			return nil, fmt.Errorf("tensor %.200q: %w", t.name, err)
		}
		b.floats[t] = list
		b.read += len(list)
	}
	return &constant{name: t.name, dims: toInts(t.dims), list: list}, nil
}

func sameNumbers(_ *builder, n *readNode, in []*constant) (*constant, error) {
	if to := dataType(n.attributes["to"].i); n.op == "Cast" && floatNames[to] == "" {
		return nil, fmt.Errorf("%s rounds its numbers; expected floating-point ones", n.title())
	}
	return in[0], nil
}

// reshaped is a constant in another shape: the one that is given, or without or with axes of 1.
func (b *builder) reshaped(n *readNode, in []*constant) (*constant, error) {
	c := *in[0]
	if c.repeated {
		return &c, nil
	}
	list := n.attributes["axes"].ints
	if len(n.in) > 1 && n.in[1] != "" {
		var err error
		if list, err = b.whole(n, 1, "shape or axes"); err != nil {
			return nil, err
		}
	}
	var ok bool
	if c.dims, ok = newShape(n, c.dims, list); !ok {
		return nil, fmt.Errorf("%s cannot bring the shape %v to %v; the file is damaged", n.title(), in[0].dims, list)
	}
	return &c, nil
}

// newShape is what becomes of dims by a Reshape, Squeeze, Unsqueeze or Flatten.
func newShape(n *readNode, dims []int, list []int64) (shape []int, ok bool) {
	rank := int64(len(dims))
	size := product(dims)
	switch n.op {
	case "Reshape":
		open := -1
		for i, d := range list {
			switch {
			case d == 0 && i < len(dims) && n.attributes["allowzero"].i == 0:
				d = int64(dims[i])
			case d == -1 && open < 0:
				open, d = i, 1
			case d < 0 || d > int64(size):
				return nil, false
			}
			shape = append(shape, int(d))
		}
		if known := product(shape); open >= 0 && known > 0 {
			shape[open] = size / known
		}
	case "Flatten":
		axis := int64(1)
		if a, ok := n.attributes["axis"]; ok {
			axis = a.i
		}
		if axis < 0 {
			axis += rank
		}
		if axis < 0 || axis > rank {
			return nil, false
		}
		shape = []int{product(dims[:axis]), product(dims[axis:])}
	case "Squeeze":
		for i, d := range dims {
			named := slices.Contains(list, int64(i)) || slices.Contains(list, int64(i)-rank)
			if d != 1 || len(list) > 0 && !named {
				shape = append(shape, d)
			}
		}
	case "Unsqueeze":
		left, rank := dims, rank+int64(len(list))
		if rank > maxRank {
			return nil, false
		}
		for i := range rank {
			switch {
			case slices.Contains(list, i) || slices.Contains(list, i-rank):
				shape = append(shape, 1)
			case len(left) > 0:
				shape, left = append(shape, left[0]), left[1:]
			}
		}
	}
	return shape, len(shape) <= maxRank && product(shape) == size
}

// product is how many numbers a shape has; those of one that was read fit.
func product(dims []int) int {
	size := 1
	for _, d := range dims {
		if d > 0 && size > math.MaxInt/d {
			return -1
		}
		size *= d
	}
	return size
}

// expanded is a constant that is repeated: one number to whatever is wanted. A shape of another rank or size is left to
// who takes it.
func (b *builder) expanded(n *readNode, in []*constant) (*constant, error) {
	c := *in[0]
	if len(c.list) != 1 {
		return nil, fmt.Errorf("%s repeats %d numbers; expected one", n.title(), len(c.list))
	}
	c.repeated = true
	return &c, nil
}

// permuted is a constant whose axes are in another order.
func (b *builder) permuted(n *readNode, in []*constant) (*constant, error) {
	c := in[0]
	perm, ok := n.permutation(len(c.dims))
	if !ok {
		return nil, fmt.Errorf("%s orders the axes of the shape %v by %v; the file is damaged", n.title(), c.dims, n.attributes["perm"].ints)
	}
	if err := b.spend(n, len(c.list)); err != nil {
		return nil, err
	}
	out := &constant{name: c.name, repeated: c.repeated, list: make([]float32, 0, len(c.list))}
	strides := stridesOf(c.dims, c.dims)
	var moved []int
	for _, axis := range perm {
		out.dims, moved = append(out.dims, c.dims[axis]), append(moved, strides[axis])
	}
	visit(out.dims, moved, moved, func(at, _ int) { out.list = append(out.list, c.list[at]) })
	return out, nil
}

// permutation is the order of a Transpose of that many axes, the reverse one if it gives none.
func (n *readNode) permutation(rank int) (perm []int, ok bool) {
	given := n.attributes["perm"].ints
	for i := range rank {
		axis := rank - 1 - i
		if len(given) > 0 {
			if len(given) != rank || given[i] < 0 || given[i] >= int64(rank) {
				return nil, false
			}
			axis = int(given[i])
		}
		if slices.Contains(perm, axis) {
			return nil, false
		}
		perm = append(perm, axis)
	}
	return perm, true
}

// stridesOf are the steps through a tensor of dims that is repeated over shape; 0 along what is repeated.
func stridesOf(dims, shape []int) []int {
	strides := make([]int, len(shape))
	step := 1
	for i := len(dims) - 1; i >= 0; i-- {
		if dims[i] != 1 {
			strides[len(shape)-len(dims)+i] = step
		}
		step *= dims[i]
	}
	return strides
}

// visit walks two tensors in the order of a shape.
func visit(shape, a, b []int, f func(a, b int)) {
	index := make([]int, len(shape))
	x, y := 0, 0
	for range product(shape) {
		f(x, y)
		for i := len(shape) - 1; i >= 0; i-- {
			index[i], x, y = index[i]+1, x+a[i], y+b[i]
			if index[i] < shape[i] {
				break
			}
			index[i], x, y = 0, x-a[i]*shape[i], y-b[i]*shape[i]
		}
	}
}

// pairwise is an operator on two constants, of which either is repeated along axes of 1.
func pairwise(f func(a, b float64) float64) func(b *builder, n *readNode, in []*constant) (*constant, error) {
	return func(builder *builder, n *readNode, in []*constant) (*constant, error) {
		if len(in) != 2 {
			return nil, fmt.Errorf("%s: one of its inputs is missing; the file is damaged", n.title())
		}
		a, b := in[0], in[1]
		shape := make([]int, max(len(a.dims), len(b.dims)))
		for i := range shape {
			shape[i] = 1
			for _, dims := range [][]int{a.dims, b.dims} {
				at := i - len(shape) + len(dims)
				if at < 0 || dims[at] == 1 {
					continue
				}
				if shape[i] != 1 && shape[i] != dims[at] {
					return nil, fmt.Errorf("%s: the shapes %v and %v do not go together; the file is damaged", n.title(), a.dims, b.dims)
				}
				shape[i] = dims[at]
			}
		}
		size := product(shape)
		if size < 0 {
			size = math.MaxInt
		}
		if err := builder.spend(n, size); err != nil {
			return nil, err
		}
		out := &constant{name: n.title(), dims: shape, list: make([]float32, 0, size), repeated: a.repeated && b.repeated}
		visit(shape, stridesOf(a.dims, shape), stridesOf(b.dims, shape), func(i, j int) {
			out.list = append(out.list, float32(f(float64(a.list[i]), float64(b.list[j]))))
		})
		return out, nil
	}
}

// pointwise is an operator on each number of a constant.
func pointwise(f func(v float64) float64) func(b *builder, n *readNode, in []*constant) (*constant, error) {
	return func(b *builder, n *readNode, in []*constant) (*constant, error) {
		if err := b.spend(n, len(in[0].list)); err != nil {
			return nil, err
		}
		out := *in[0]
		out.list = make([]float32, len(in[0].list))
		for i, v := range in[0].list {
			out.list[i] = float32(f(float64(v)))
		}
		return &out, nil
	}
}

// weights gives the constant at an operator's input i.
func (b *builder) weights(n *readNode, i int, what string) (*constant, error) {
	if i >= len(n.in) || n.in[i] == "" {
		return nil, fmt.Errorf("%s: its %s are missing; expected them as input %d", n.title(), what, i)
	}
	if !b.isConstant(n.in[i]) {
		return nil, fmt.Errorf("%s: its %s, %.200q, are no constant; expected numbers in the file: export with the parameters (export_params=True) and constant folding", n.title(), what, n.in[i])
	}
	c, err := b.evaluate(n.in[i])
	if err != nil {
		return nil, fmt.Errorf("%s: its %s, %w", n.title(), what, err)
	}
	return c, nil
}

// vector gives the constant at input i as one number for each of count channels.
func (b *builder) vector(n *readNode, i, count int, what string) ([]float32, error) {
	c, err := b.weights(n, i, what)
	if err != nil {
		return nil, err
	}
	if len(c.list) == 1 && count != 1 && (c.repeated || len(c.dims) == 0) {
		if err := b.spend(n, count); err != nil {
			return nil, err
		}
		return slices.Repeat(c.list, count), nil
	}
	if len(c.list) != count {
		return nil, fmt.Errorf("%s: its %s, tensor %.200q, are %d numbers; expected %d%s", n.title(), what, c.name, len(c.list), count, b.sharedHint(n, i))
	}
	return c.list, nil
}

// isWeight reports whether a constant has as many axes as an operator's weights must have.
func (c *constant) isWeight(rank int) bool {
	return len(c.dims) == rank && !c.repeated && len(c.list) > 0
}

// weight is a constant as a node has it.
func (c *constant) weight() *match.Tensor { return &match.Tensor{Shape: c.dims, Data: c.list} }
