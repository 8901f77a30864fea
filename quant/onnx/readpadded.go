package onnx

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/libresnext/libresnext/quant/match"
)

// The axes of an image [N,channels,height,width].
const (
	channelAxis = 1
	mapRank     = 4
)

// slice is a subsampling if it takes every second pixel, or other such, to the end of rows or columns. Exporters write
// one operator for each direction. Of the image it chooses channels.
func (b *builder) slice(n *readNode) (view, error) {
	x, err := b.at(n, 0)
	if err != nil {
		return view{}, err
	}
	made := x.then(match.Subsample, n)
	starts, ends := n.attributes["starts"].ints, n.attributes["ends"].ints
	axes, steps := n.attributes["axes"].ints, []int64(nil)
	for i, list := range []*[]int64{&starts, &ends, &axes, &steps} {
		if i+1 < len(n.in) && n.in[i+1] != "" {
			if *list, err = b.whole(n, i+1, []string{"starts", "ends", "axes", "steps"}[i]); err != nil {
				return view{}, err
			}
		}
	}
	bad := func(format string, args ...any) (view, error) {
		made.Problem = fmt.Sprintf(format, args...) + "; expected every second pixel in both directions from the first to the end, in a shortcut"
		return made, nil
	}
	by := map[byte]int{'H': 1, 'W': 1}
	for i, start := range starts {
		number, step := int64(i), int64(1)
		if len(axes) > i {
			number = axes[i]
		}
		if len(steps) > i {
			step = steps[i]
		}
		axis := x.axis(number)
		if x.isChannels(number) && len(starts) == 1 && len(ends) == 1 {
			if chosen, ok := x.chosen(n, channelsFrom(start, ends[0], step)); ok {
				return chosen, nil
			}
		}
		if axis == 0 || len(ends) != len(starts) || start != 0 || ends[i] < math.MaxInt32 || step < 1 || step > math.MaxInt16 {
			return bad("takes from %v to %v of the axes %v by %v", starts, ends, axes, steps)
		}
		if step != 1 && by[axis] == 0 {
			return bad("takes some of the images or channels")
		}
		by[axis] *= int(step)
	}
	rows, columns := by['H'], by['W']
	if rows == 1 && columns == 1 {
		return x, nil
	}
	if before, ok := b.subsampled[x.Node]; ok && (before[0] == 1 || rows == 1) && (before[1] == 1 || columns == 1) {
		rows, columns, made.In = rows*before[0], columns*before[1], x.In
	}
	b.subsampled[made.Node] = [2]int{rows, columns}
	made.Kernel, made.Stride = 1, rows
	if rows != columns {
		return bad("takes every row of %d and every column of %d", rows, columns)
	}
	return made, nil
}

// channelsFrom are the numbers from start to before end by step that the channels of an image have.
func channelsFrom(start, end, step int64) (list []int64) {
	clamp := func(at, least, most int64) int64 {
		if at < 0 && at >= -imageChannels {
			at += imageChannels
		}
		return min(max(at, least), most)
	}
	switch {
	case step > 0:
		for at, last := clamp(start, 0, imageChannels), clamp(end, 0, imageChannels); at < last; at += min(step, imageChannels) {
			list = append(list, at)
		}
	case step < 0:
		for at, last := clamp(start, -1, imageChannels-1), clamp(end, -1, imageChannels-1); at > last; at += max(step, -imageChannels) {
			list = append(list, at)
		}
	}
	return list
}

// concat adds channels of zeros if all but one of its parts are zeros: constants, or the map itself times 0. It also
// joins channels of the image.
func (b *builder) concat(n *readNode) (view, error) {
	at, others := -1, []view(nil)
	for i, name := range n.in {
		if b.isConstant(name) || b.isZeroed(name) {
			continue
		}
		x, err := b.at(n, i)
		if err != nil {
			return view{}, err
		}
		at, others = i, append(others, x)
	}
	if made, ok := b.joined(n, others); ok {
		return made, nil
	}
	if len(others) != 1 || others[0].axis(n.attributes["axis"].i) != 'C' {
		return b.other(n)
	}
	made := others[0].then(match.Pad, n)
	for i := range n.in {
		if i == at {
			continue
		}
		zeros, err := b.zeros(n, i, n.in[at])
		if err != nil {
			return view{}, err
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
	c, err := b.weights(n, i, "zeros")
	if err != nil || !c.isWeight(mapRank) || slices.ContainsFunc(c.list, func(v float32) bool { return v != 0 }) {
		return 0, err
	}
	x, err := b.value(beside)
	return c.dims[strings.IndexByte(x.axes, 'C')], err
}

// isZeroed reports whether a value is a map times 0.
func (b *builder) isZeroed(name string) bool {
	p := b.producers[name]
	if p == nil || p.op != "Mul" || !isStandard(p.domain) || len(p.in) != 2 {
		return false
	}
	for i, in := range p.in {
		if t := b.tensor(in); t != nil && len(t.dims) < 2 {
			list, err := b.vector(p, i, 1, "factor")
			return err == nil && list[0] == 0
		}
	}
	return false
}
