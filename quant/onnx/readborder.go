package onnx

import (
	"fmt"
	"math"

	"github.com/libresnext/libresnext/quant/match"
)

// edges are pixels above, left of, below and right of a map.
type edges [4]int

// border is a map with pixels of one value around it.
type border struct {
	inner *match.Node
	edges edges
	value float32
}

// bordered gives an operator's map, and the pixels of zeros around it that can be part of its own padding.
func (b *builder) bordered(n *readNode, op match.Op) (view, edges, error) {
	x, err := b.at(n, 0)
	if err != nil || x.border == nil {
		return x, edges{}, err
	}
	// The largest of numbers that are not negative is the same with zeros among them, or with less.
	if f := x.border; f.value == 0 && op == match.Conv || f.value <= 0 && op == match.MaxPool && f.inner.Op == match.ReLU {
		return view{Node: f.inner, axes: x.axes}, f.edges, nil
	}
	return x, edges{}, nil
}

// pad adds channels of zeros, or pixels around the map.
func (b *builder) pad(n *readNode) (view, error) {
	x, err := b.at(n, 0)
	if err != nil {
		return view{}, err
	}
	made := x.then(match.Pad, n)
	amounts, value, axes := n.attributes["pads"].ints, n.attributes["value"].f, []int64(nil)
	for i := range x.axes {
		axes = append(axes, int64(i))
	}
	for i, list := range []*[]int64{nil, &amounts, nil, &axes} {
		if list != nil && i < len(n.in) && n.in[i] != "" {
			if *list, err = b.whole(n, i, []string{1: "amounts", 3: "axes"}[i]); err != nil {
				return view{}, err
			}
		}
	}
	if len(n.in) > 2 && n.in[2] != "" {
		list, err := b.vector(n, 2, 1, "value")
		if err != nil {
			return view{}, err
		}
		value = list[0]
	}
	mode := n.attributes["mode"].s
	constant := (mode == "" || mode == "constant") && len(amounts) == 2*len(axes)
	around := edges{}
	for i, axis := range axes {
		if !constant {
			break
		}
		before, after := amounts[i], amounts[len(axes)+i]
		small := before >= 0 && after >= 0 && before <= math.MaxInt16 && after <= math.MaxInt16
		switch x.axis(axis) {
		case 'C':
			constant = small
			made.Before, made.After = int(before), int(after)
		case 'H':
			constant = small
			around[0], around[2] = int(before), int(after)
		case 'W':
			constant = small
			around[1], around[3] = int(before), int(after)
		default:
			constant = before == 0 && after == 0
		}
	}
	channels := made.Before != 0 || made.After != 0
	switch {
	case constant && !channels && around == edges{}:
		return x, nil
	case constant && channels && value == 0 && around == edges{}:
		return made, nil
	case constant && !channels && x.border == nil:
		made.border = &border{x.Node, around, value}
	}
	made.Problem = fmt.Sprintf("pads the axes %v by %v with %v (%s); expected channels of zeros in a shortcut, zeros around the map of a convolution, or of a max pooling behind a ReLU",
		axes, amounts, value, mode)
	return made, nil
}
