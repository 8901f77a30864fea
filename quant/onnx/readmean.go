package onnx

import (
	"fmt"
	"slices"

	"github.com/libresnext/libresnext/quant/match"
)

func (b *builder) averagePool(n *readNode) (view, error) {
	x, err := b.at(n, 0)
	if err != nil {
		return view{}, err
	}
	made := b.mapped(match.Average, n, x)
	n.poolGeometry(made.Node, edges{})
	if made.Pad != 0 && made.Problem == "" {
		made.Problem = fmt.Sprintf("has a padding of %d; expected none", made.Pad)
	}
	made.Ceil = n.attributes["ceil_mode"].i != 0
	if made.Kernel > 2 { // smaller ones may halve maps, larger ones must be over the whole map
		made.axes = ""
	}
	return made, nil
}

func (b *builder) globalAverage(n *readNode) (view, error) {
	x, err := b.at(n, 0)
	if err != nil {
		return view{}, err
	}
	made := b.mapped(match.Average, n, x)
	made.axes = ""
	return made, nil
}

// reduceMean is an average over the map if it is over height and width, at once or one after the other.
func (b *builder) reduceMean(n *readNode) (view, error) {
	x, err := b.at(n, 0)
	if err != nil {
		return view{}, err
	}
	list := n.attributes["axes"].ints
	if len(n.in) > 1 && n.in[1] != "" {
		if list, err = b.whole(n, 1, "axes"); err != nil {
			return view{}, err
		}
	}
	keep, given := n.attributes["keepdims"]
	kept := !given || keep.i != 0
	var over, left []byte
	for i := range x.axes {
		switch axis := x.axes[i]; {
		case !slices.Contains(list, int64(i)) && !slices.Contains(list, int64(i-len(x.axes))):
			left = append(left, axis)
		case kept:
			over, left = append(over, axis), append(left, '1')
		default:
			over = append(over, axis)
		}
	}
	whole := x
	if x.row != nil {
		whole.Node = x.row
	}
	made := whole.then(match.Average, n)
	switch axes := string(over); {
	case len(list) != len(over) || x.border != nil:
	case axes == "HW" || axes == "WH" || x.row != nil && (axes == "H" || axes == "W"):
		made.axes = ""
		return made, nil
	case axes == "H" || axes == "W":
		made.axes, made.row = string(left), whole.Node
	}
	made.Problem = fmt.Sprintf("averages over the axes %v; expected height and width, [2 3]", list)
	return made, nil
}
