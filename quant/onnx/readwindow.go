package onnx

import (
	"fmt"
	"math"
	"slices"

	"github.com/libresnext/libresnext/quant/match"
)

// poolGeometry is geometry for a pooling, whose window is an attribute.
func (n *readNode) poolGeometry(made *match.Node, around edges) {
	k := n.attributes["kernel_shape"].ints
	if len(k) != 2 || k[0] != k[1] || k[0] < 1 || k[0] > math.MaxInt16 {
		made.Problem = fmt.Sprintf("has the kernel %v; expected two equal numbers", k)
		return
	}
	made.Kernel = int(k[0])
	n.geometry(made, 2, around)
}

// geometry reads how a window of made.Kernel moves, alike in all directions, which are two over a map. around is what
// an operator before it has added to the map's edges.
func (n *readNode) geometry(made *match.Node, directions int, around edges) {
	same := func(name string, list []int64, count int, missing int64) int {
		if len(list) == 0 {
			return int(missing)
		}
		for _, v := range list {
			if len(list) != count || v != list[0] || v < 0 || v > math.MaxInt16 {
				made.Problem = fmt.Sprintf("has the %s %v; expected %d equal numbers: export with symmetric, explicit padding", name, list, count)
				return 0
			}
		}
		return int(list[0])
	}
	attribute := func(name string, count int) int { return same(name, n.attributes[name].ints, count, 1) }
	made.Stride = attribute("strides", directions)
	made.Pad = same("pads", n.pads(made.Kernel, 2*directions, around), 2*directions, 0)
	if d := attribute("dilations", directions); d != 1 && made.Problem == "" {
		made.Problem = fmt.Sprintf("has dilations of %d; expected 1: dilated networks do not run here", d)
	}
	other := func(side int64) bool { return side != int64(made.Kernel) }
	if k := n.attributes["kernel_shape"].ints; len(k) > 0 && (len(k) != directions || slices.ContainsFunc(k, other)) {
		made.Problem = fmt.Sprintf("has the kernel_shape %v and weights of %dx%d; the file is damaged", k, made.Kernel, made.Kernel)
	}
	switch mode := n.attributes["auto_pad"].s; {
	case mode == "" || mode == "NOTSET" || mode == "VALID" || made.Kernel == 1:
	case made.Kernel%2 == 0 || made.Stride != 1:
		made.Problem = fmt.Sprintf("has the automatic padding %s with a kernel of %d and stride %d, which is not the same on all sides; expected explicit padding of %d on every side",
			mode, made.Kernel, made.Stride, made.Kernel/2)
	}
}

// pads are the amounts of padding of a window: the attribute's, or what its automatic mode comes to at stride 1, and what
// is around the map besides.
func (n *readNode) pads(kernel, count int, around edges) []int64 {
	own := n.attributes["pads"].ints
	switch n.attributes["auto_pad"].s {
	case "", "NOTSET":
	case "VALID":
		own = nil
	default:
		own = slices.Repeat([]int64{int64(kernel / 2)}, count)
	}
	if around == (edges{}) {
		return own
	}
	all := make([]int64, len(around))
	for i, v := range around {
		if all[i] = int64(v); len(own) == len(all) {
			all[i] += own[i]
		}
	}
	return all
}
