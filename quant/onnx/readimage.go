package onnx

import (
	"fmt"
	"slices"

	"github.com/libresnext/libresnext/quant/match"
)

// What a file does to its image before the stem is kept in the input's node: see match.Image. Each operator of it gives
// another such node.

// imageChannels are those of an image.
const imageChannels = 3

// input is the image, [N,3,height,width] or [N,height,width,3].
func (b *builder) input(v readValue) (view, error) {
	n := &match.Node{Op: match.Input, Title: fmt.Sprintf("the input %.200q", v.name)}
	n.Image = &match.Image{Of: n, Bytes: v.elem == uint8Type}
	for i := range imageChannels {
		n.Image.Planes = append(n.Image.Planes, match.Plane{Channel: i, Factor: 1})
	}
	x := view{Node: n, axes: mapAxes}
	if v.elem != 0 && floatNames[v.elem] == "" {
		problem := fmt.Sprintf("is of type number %d; expected float32 (1), or bytes (2) that a Cast brings to it", v.elem)
		if !n.Image.Bytes {
			return view{}, fmt.Errorf("%s %s: export the network without its preprocessing", n.Title, problem)
		}
		n.Problem = problem
	}
	if v.dims == nil {
		return x, nil
	}
	if len(v.dims) != mapRank {
		return view{}, fmt.Errorf("%s has %d dimensions; expected an image [N,3,height,width]", n.Title, len(v.dims))
	}
	height, width := v.dims[2], v.dims[3]
	if v.dims[channelAxis] != imageChannels && v.dims[3] == imageChannels {
		x.axes, height, width = "NHWC", v.dims[1], v.dims[2]
	}
	if height > 0 && width > 0 {
		const most = 1 << 16 // the exact limit is the configuration's
		if height > most || width > most {
			return view{}, fmt.Errorf("%s is %v; that is no size of an image", n.Title, v.dims)
		}
		b.height, b.width = int(height), int(width)
	}
	return x, nil
}

// prepared is the image x with other planes.
func prepared(title string, x *match.Node, planes []match.Plane) *match.Node {
	image := *x.Image
	image.Planes = planes
	return &match.Node{Op: match.Input, Title: title, Problem: x.Problem, Image: &image}
}

// cast leaves out a change of type between floating-point ones; that of the image may begin with bytes.
func (b *builder) cast(n *readNode) (view, error) {
	x, err := b.at(n, 0)
	if err != nil {
		return view{}, err
	}
	to := dataType(n.attributes["to"].i)
	switch {
	case x.Op == match.ArgMax:
	case floatNames[to] == "":
		return b.other(n)
	case x.Op == match.Input && x.Problem != "":
		x.Node = prepared(x.Title, x.Node, x.Image.Planes)
		x.Problem = ""
	}
	return x, nil
}

// chosen is the image with those of its channels that have the numbers of list, in that order; false for numbers that
// it has not.
func (x view) chosen(n *readNode, list []int64) (view, bool) {
	var planes []match.Plane
	for _, i := range list {
		if i < 0 {
			i += int64(len(x.Image.Planes))
		}
		if i < 0 || i >= int64(len(x.Image.Planes)) {
			return view{}, false
		}
		planes = append(planes, x.Image.Planes[i])
	}
	x.Node = prepared(n.title(), x.Node, planes)
	return x, len(planes) > 0
}

// isChannels reports whether an axis of x is that of the image's channels.
func (x view) isChannels(axis int64) bool { return x.Op == match.Input && x.axis(axis) == 'C' }

// gather chooses channels of the image, or leaves out a choice of all of what is one number a channel, in order:
// as_strided, as PyTorch writes a flattening.
func (b *builder) gather(n *readNode) (view, error) {
	x, err := b.at(n, 0)
	if err != nil {
		return view{}, err
	}
	axis := n.attributes["axis"].i // GatherND takes the first
	image := x.isChannels(axis)
	if !image && (!x.single() || axis != 0 || n.op != "Gather") || len(n.in) < 2 {
		return b.other(n)
	}
	t := b.tensor(n.in[1])
	if t == nil {
		return b.other(n)
	}
	const mostFeatures = 1 << 15
	at, err := t.integers(b.m.wire, mostFeatures)
	if err != nil {
		return view{}, fmt.Errorf("%s: its indices: %w", n.title(), err)
	}
	if image {
		rows := n.op == "GatherND" && len(t.dims) == 2 && t.dims[1] == 1 && n.attributes["batch_dims"].i == 0
		if made, ok := x.chosen(n, at); ok && (rows || n.op == "Gather" && len(t.dims) == 1) && len(at) <= imageChannels {
			return made, nil
		}
		return b.other(n)
	}
	for i, v := range at {
		if v != int64(i) {
			return b.other(n)
		}
	}
	return x, nil
}

// split gives the channels of the image in parts, of which name is one.
func (b *builder) split(n *readNode, name string) (view, error) {
	x, err := b.at(n, 0)
	if err != nil {
		return view{}, err
	}
	if !x.isChannels(n.attributes["axis"].i) {
		return b.other(n)
	}
	sizes := n.attributes["split"].ints
	if len(n.in) > 1 && n.in[1] != "" {
		if sizes, err = b.whole(n, 1, "sizes"); err != nil {
			return view{}, err
		}
	}
	if len(sizes) == 0 {
		sizes = slices.Repeat([]int64{1}, len(x.Image.Planes))
	}
	from := int64(0)
	for i, size := range sizes {
		if size < 0 || size > imageChannels || i >= len(n.out) {
			break
		}
		if n.out[i] == name {
			var list []int64
			for at := range size {
				list = append(list, from+at)
			}
			if made, ok := x.chosen(n, list); ok && len(sizes) == len(n.out) {
				return made, nil
			}
			break
		}
		from += size
	}
	return b.other(n)
}

// joined puts channels of the image together; ok is false if something else is joined.
func (b *builder) joined(n *readNode, parts []view) (made view, ok bool) {
	var planes []match.Plane
	for _, x := range parts {
		if !x.isChannels(n.attributes["axis"].i) || x.axes != parts[0].axes || x.Image.Of != parts[0].Image.Of {
			return view{}, false
		}
		planes = append(planes, x.Image.Planes...)
	}
	if len(planes) == 0 || len(planes) > imageChannels {
		return view{}, false
	}
	made = parts[0]
	made.Node = prepared(n.title(), made.Node, planes)
	return made, true
}
