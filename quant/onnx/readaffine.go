package onnx

import (
	"fmt"
	"math"
	"slices"

	"github.com/libresnext/libresnext/quant/match"
)

// affine is a number times a factor plus a shift: those of each channel, or one of both for all.
type affine struct{ factor, shift []float64 }

// plain reports whether it changes nothing.
func (a affine) plain() bool {
	return !slices.ContainsFunc(a.factor, func(v float64) bool { return v != 1 }) && !slices.ContainsFunc(a.shift, func(v float64) bool { return v != 0 })
}

// of gives factor and shift of a channel.
func (a affine) of(channel int) (factor, shift float64) {
	if len(a.factor) == 1 {
		channel = 0
	}
	return a.factor[channel], a.shift[channel]
}

// affineOf is what a normalisation does, if it does it to every channel alike.
func affineOf(s *match.Stats) affine {
	a := affine{make([]float64, len(s.Gain)), make([]float64, len(s.Gain))}
	for i := range s.Gain {
		a.factor[i] = float64(s.Gain[i]) / math.Sqrt(float64(s.Variance[i])+s.Epsilon)
		a.shift[i] = float64(s.Shift[i]) - float64(s.Mean[i])*a.factor[i]
	}
	return a
}

// arithmetic is an addition, subtraction, multiplication or division of a constant, where it can be part of what comes
// before it: the preparation of the image, or a convolution or linear layer.
func (b *builder) arithmetic(n *readNode) (view, error) {
	at := slices.IndexFunc(n.in, func(name string) bool { return !b.isConstant(name) })
	if at < 0 || len(n.in) != 2 || !b.isConstant(n.in[1-at]) {
		return b.other(n)
	}
	x, err := b.at(n, at)
	if err != nil {
		return view{}, err
	}
	c, err := b.weights(n, 1-at, "numbers")
	if err != nil {
		return view{}, err
	}
	refused := x.then(match.Op(n.op), n)
	does := map[string]string{"Add": "adds", "Sub": "subtracts", "Mul": "multiplies with", "Div": "divides by"}[n.op]
	refused.Problem = fmt.Sprintf("%s a constant of the shape %v; expected one number for each channel (axes %s), and that before the stem or behind a convolution, normalisation or linear layer",
		does, c.dims, axesText(x.axes))
	if !c.perChannel(x.axes) || n.op == "Div" && at != 0 {
		return refused, nil
	}
	a := affine{make([]float64, len(c.list)), make([]float64, len(c.list))}
	for i, v := range c.list {
		a.factor[i] = 1
		switch v := float64(v); {
		case n.op == "Mul":
			a.factor[i] = v
		case n.op == "Div":
			a.factor[i] = 1 / v
		case n.op == "Sub" && at == 0:
			a.shift[i] = -v
		case n.op == "Sub":
			a.factor[i], a.shift[i] = -1, v
		default:
			a.shift[i] = v
		}
	}
	if made, ok, err := b.apply(n, x, a); ok || err != nil {
		return made, err
	}
	return refused, nil
}

// axesText names axes for messages.
func axesText(axes string) string {
	if axes == "" {
		return "N, C"
	}
	return axes
}

// perChannel reports whether a constant has one number for all channels of a tensor with such axes, or one for each.
func (c *constant) perChannel(axes string) bool {
	if len(c.list) == 1 && (c.repeated || len(c.dims) <= max(len(axes), 2)) {
		return true
	}
	if len(c.list) == 0 {
		return false
	}
	if axes == "" { // one number a channel, in whatever shape
		return slices.Max(c.dims) == len(c.list)
	}
	shift := len(axes) - len(c.dims)
	for i, d := range c.dims {
		if d != 1 && (shift+i < 0 || axes[shift+i] != 'C') {
			return false
		}
	}
	return shift >= 0
}

// apply makes a part of what gives x; ok is false if that cannot be.
func (b *builder) apply(n *readNode, x view, a affine) (made view, ok bool, err error) {
	if a.plain() && x.Op != match.Input {
		return x, true, nil
	}
	made = view{axes: x.axes}
	count := len(a.factor)
	fits := func(channels int) bool { return count == 1 || count == channels }
	switch {
	case x.Op == match.Input && x.Problem == "" && fits(len(x.Image.Planes)):
		planes := slices.Clone(x.Image.Planes)
		for i := range planes {
			factor, shift := a.of(i)
			planes[i].Factor, planes[i].Shift = planes[i].Factor*factor, planes[i].Shift*factor+shift
		}
		made.Node = prepared(n.title(), x.Node, planes)
	case x.Op == match.Norm && fits(len(x.Stats.Gain)):
		if made.Node, err = b.composed(n, x.In[0], affineOf(x.Stats), a, len(x.Stats.Gain)); err == nil {
			made.Problem = x.Problem
		}
	case x.Op == match.Conv && !x.single() && fits(x.Weight.Shape[0]):
		made.Node, err = b.composed(n, x.Node, affine{[]float64{1}, []float64{0}}, a, x.Weight.Shape[0])
	case (x.Op == match.Linear || x.Op == match.Conv) && x.single() && fits(x.Weight.Shape[0]):
		made.Node, err = b.folded(n, x.Node, a)
	default:
		return view{}, false, nil
	}
	return made, err == nil, err
}

// composed is the normalisation of x's channels that does both, one after the other.
func (b *builder) composed(n *readNode, x *match.Node, first, second affine, channels int) (*match.Node, error) {
	if err := b.spend(n, 4*channels); err != nil {
		return nil, err
	}
	s := &match.Stats{
		Title: n.title(), Gain: make([]float32, channels), Shift: make([]float32, channels),
		Mean: make([]float32, channels), Variance: slices.Repeat([]float32{1}, channels),
	}
	for i := range channels {
		f, t := first.of(i)
		g, u := second.of(i)
		s.Gain[i], s.Shift[i] = float32(f*g), float32(t*g+u)
	}
	return &match.Node{Op: match.Norm, Title: n.title(), In: []*match.Node{x}, Stats: s}, nil
}

// folded is a layer whose outputs are changed: with other weights and biases.
func (b *builder) folded(n *readNode, x *match.Node, a affine) (*match.Node, error) {
	made := *x
	out := x.Weight.Shape[0]
	if err := b.spend(n, out); err != nil {
		return nil, err
	}
	made.Bias = make([]float32, out)
	copy(made.Bias, x.Bias)
	for i, v := range made.Bias {
		factor, shift := a.of(i)
		made.Bias[i] = float32(float64(v)*factor + shift)
	}
	if !slices.ContainsFunc(a.factor, func(v float64) bool { return v != 1 }) {
		return &made, nil
	}
	if err := b.spend(n, len(x.Weight.Data)); err != nil {
		return nil, err
	}
	w := &match.Tensor{Shape: x.Weight.Shape, Data: make([]float32, len(x.Weight.Data))}
	for i, v := range x.Weight.Data {
		factor, _ := a.of(i / (len(w.Data) / out))
		w.Data[i] = float32(float64(v) * factor)
	}
	made.Weight = w
	return &made, nil
}
