package onnx

import (
	"fmt"
	"math"
	"slices"

	"github.com/libresnext/libresnext/quant/match"
)

// poolGeometry is geometry for a pooling, whose window is an attribute.
func (n *readNode) poolGeometry(made *match.Node) {
	k := n.attributes["kernel_shape"].ints
	if len(k) != 2 || k[0] != k[1] || k[0] < 1 || k[0] > math.MaxInt16 {
		made.Problem = fmt.Sprintf("has the kernel %v; expected two equal numbers", k)
		return
	}
	made.Kernel = int(k[0])
	n.geometry(made, 2)
}

// geometry reads how a window of made.Kernel moves, alike in all directions, which are two over a map.
func (n *readNode) geometry(made *match.Node, directions int) {
	same := func(name string, count int, missing int64) int {
		list := n.attributes[name].ints
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
	made.Stride, made.Pad = same("strides", directions, 1), same("pads", 2*directions, 0)
	if d := same("dilations", directions, 1); d != 1 && made.Problem == "" {
		made.Problem = fmt.Sprintf("has dilations of %d; expected 1: dilated networks do not run here", d)
	}
	other := func(side int64) bool { return side != int64(made.Kernel) }
	if k := n.attributes["kernel_shape"].ints; len(k) > 0 && (len(k) != directions || slices.ContainsFunc(k, other)) {
		made.Problem = fmt.Sprintf("has the kernel_shape %v and weights of %dx%d; the file is damaged", k, made.Kernel, made.Kernel)
	}
	switch mode := n.attributes["auto_pad"].s; {
	case mode == "" || mode == "NOTSET":
	case mode == "VALID":
		made.Pad = 0
	case made.Stride == 1 || made.Kernel == 1:
		made.Pad = made.Kernel / 2
	default:
		made.Problem = fmt.Sprintf("has the automatic padding %s with stride %d; expected explicit padding of %d on every side", mode, made.Stride, made.Kernel/2)
	}
}
