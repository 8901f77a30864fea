package onnx

import (
	"fmt"
	"math"
	"slices"

	"github.com/libresnext/libresnext/quant/match"
)

// The axes of a map [N,channels,height,width].
const (
	channelAxis = 1
	mapRank     = 4
)

// slice is a subsampling if it takes every second pixel, or other such, to the end of rows or columns. Exporters write
// one operator for each direction.
func (b *builder) slice(n *readNode) (*match.Node, error) {
	made, err := b.simple(match.Subsample, n)
	if err != nil {
		return nil, err
	}
	x := made.In[0]
	starts, ends := n.attributes["starts"].ints, n.attributes["ends"].ints
	axes, steps := n.attributes["axes"].ints, []int64(nil)
	for i, list := range []*[]int64{&starts, &ends, &axes, &steps} {
		if i+1 < len(n.in) && n.in[i+1] != "" {
			if *list, err = b.whole(n, i+1, []string{"starts", "ends", "axes", "steps"}[i]); err != nil {
				return nil, err
			}
		}
	}
	bad := func(format string, args ...any) (*match.Node, error) {
		made.Problem = fmt.Sprintf(format, args...) + "; expected every second pixel in both directions from the first to the end, in a shortcut"
		return made, nil
	}
	by := [mapRank]int{1, 1, 1, 1}
	for i, start := range starts {
		axis, step := int64(i), int64(1)
		if len(axes) > i {
			axis = axes[i]
		}
		if axis < 0 {
			axis += mapRank
		}
		if len(steps) > i {
			step = steps[i]
		}
		if axis < 0 || axis >= mapRank || len(ends) != len(starts) || start != 0 || ends[i] < math.MaxInt32 || step < 1 || step > math.MaxInt16 {
			return bad("takes from %v to %v of the axes %v by %v", starts, ends, axes, steps)
		}
		by[axis] *= int(step)
	}
	if by[0] != 1 || by[channelAxis] != 1 {
		return bad("takes some of the images or channels")
	}
	rows, columns := by[2], by[3]
	if rows == 1 && columns == 1 {
		return x, nil
	}
	if before, ok := b.subsampled[x]; ok && (before[0] == 1 || rows == 1) && (before[1] == 1 || columns == 1) {
		rows, columns, made.In = rows*before[0], columns*before[1], x.In
	}
	b.subsampled[made] = [2]int{rows, columns}
	made.Kernel, made.Stride = 1, rows
	if rows != columns {
		return bad("takes every row of %d and every column of %d", rows, columns)
	}
	return made, nil
}

// pad adds channels of zeros.
func (b *builder) pad(n *readNode) (*match.Node, error) {
	made, err := b.simple(match.Pad, n)
	if err != nil {
		return nil, err
	}
	amounts, value, axes := n.attributes["pads"].ints, n.attributes["value"].f, []int64{0, 1, 2, 3}
	for i, list := range []*[]int64{nil, &amounts, nil, &axes} {
		if list != nil && i < len(n.in) && n.in[i] != "" {
			if *list, err = b.whole(n, i, []string{1: "amounts", 3: "axes"}[i]); err != nil {
				return nil, err
			}
		}
	}
	if len(n.in) > 2 && n.in[2] != "" {
		list, err := b.vector(n, 2, 1, "value")
		if err != nil {
			return nil, err
		}
		value = list[0]
	}
	mode := n.attributes["mode"].s
	zeros := value == 0 && (mode == "" || mode == "constant") && len(amounts) == 2*len(axes)
	for i, axis := range axes {
		if !zeros {
			break
		}
		before, after := amounts[i], amounts[len(axes)+i]
		switch {
		case axis == channelAxis || axis == channelAxis-mapRank:
			zeros = before >= 0 && after >= 0 && before <= math.MaxInt16 && after <= math.MaxInt16
			made.Before, made.After = int(before), int(after)
		default:
			zeros = before == 0 && after == 0
		}
	}
	if !zeros {
		made.Problem = fmt.Sprintf("pads the axes %v by %v with %v (%s); expected channels of zeros in a shortcut, and the padding of convolutions and poolings as their own", axes, amounts, value, mode)
	}
	return made, nil
}

// concat adds channels of zeros if all but one of its parts are zeros: constants, or the map itself times 0.
func (b *builder) concat(n *readNode) (*match.Node, error) {
	axis := n.attributes["axis"].i
	if axis != channelAxis && axis != channelAxis-mapRank {
		return b.other(n)
	}
	made := &match.Node{Op: match.Pad, Title: n.title()}
	at := slices.IndexFunc(n.in, func(name string) bool { return b.constant(name) == nil && !b.isZeroed(name) })
	if at < 0 {
		return b.other(n)
	}
	x, err := b.at(n, at)
	if err != nil {
		return nil, err
	}
	made.In = []*match.Node{x}
	for i := range n.in {
		if i == at {
			continue
		}
		zeros, err := b.zeros(n, i, n.in[at])
		if err != nil {
			return nil, err
		}
		count := &made.Before
		if i > at {
			count = &made.After
		}
		if zeros == 0 || *count != 0 { // no zeros, or in several parts
			return b.other(n)
		}
		*count = zeros
	}
	return made, nil
}

// zeros is how many channels of zeros input i is beside the map of a name; 0 where it is none.
func (b *builder) zeros(n *readNode, i int, beside string) (int, error) {
	if b.isZeroed(n.in[i]) {
		if slices.Contains(b.producers[n.in[i]].in, beside) {
			return match.AsMany, nil
		}
		return 0, nil
	}
	c := b.constant(n.in[i])
	if c == nil || c.reshaped || c.repeated || c.transposed || len(c.dims) != mapRank {
		return 0, nil
	}
	_, list, err := b.weights(n, i, "zeros")
	if err != nil || len(list) == 0 || slices.ContainsFunc(list, func(v float32) bool { return v != 0 }) {
		return 0, err
	}
	return int(c.dims[channelAxis]), nil
}

// isZeroed reports whether a value is a map times 0.
func (b *builder) isZeroed(name string) bool {
	p := b.producers[name]
	if p == nil || p.op != "Mul" || !isStandard(p.domain) || len(p.in) != 2 {
		return false
	}
	for i, in := range p.in {
		if c := b.constant(in); c != nil && len(c.dims) < 2 {
			list, err := b.vector(p, i, 1, "factor")
			return err == nil && list[0] == 0
		}
	}
	return false
}
