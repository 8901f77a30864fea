package onnx

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// interpret runs a parsed graph in float64, as the ONNX operators are defined, and gives the logits.
func interpret(t *testing.T, p parsed, image []byte) []float64 {
	t.Helper()
	_, dims := shape(p.input)
	dims[0] = 1
	x := tensor{kind: uint8Type, dims: dims}
	for _, v := range image {
		x.values = append(x.values, float64(v))
	}
	require.Equal(t, x.count(), len(x.values))
	made := map[string]tensor{imageName: x}
	for name, c := range p.constants {
		made[name] = c
	}
	for _, n := range p.nodes {
		in := make([]tensor, len(n.in))
		for i, name := range n.in {
			in[i] = made[name]
		}
		operator := operators[n.op]
		require.NotNil(t, operator, n.op)
		made[n.name] = operator(n, in)
	}
	return made[p.output.text(valueName)].values
}

var operators = map[string]func(node, []tensor) tensor{
	"QuantizeLinear": quantizeLinear, "DequantizeLinear": dequantizeLinear, "Conv": conv, "Add": add,
	"MaxPool": maxPool, "GlobalAveragePool": average, "Flatten": flatten, "Gemm": gemm,
	"Pad": pad, "Gather": gather, "Concat": concat,
	"AveragePool": averagePool, "Reshape": reshape, "Clip": clip, "Sigmoid": sigmoid, "Mul": multiply,
}

// averagePool is that of 2x2 pixels, or of those that an odd edge has.
func averagePool(_ node, in []tensor) tensor {
	x := in[0]
	h, w := x.dims[2], x.dims[3]
	out := tensor{kind: float32Type, dims: []int{1, x.dims[1], (h + 1) / 2, (w + 1) / 2}}
	for c := range x.dims[1] {
		for i := range out.dims[2] * out.dims[3] {
			sum, count := 0.0, 0.0
			for tap := range 4 {
				row, column := i/out.dims[3]*2+tap/2, i%out.dims[3]*2+tap%2
				if row < h && column < w {
					sum, count = sum+x.values[(c*h+row)*w+column], count+1
				}
			}
			out.values = append(out.values, sum/count)
		}
	}
	return out
}

// reshape is that of one number a channel.
func reshape(_ node, in []tensor) tensor {
	out := tensor{kind: in[0].kind, values: in[0].values}
	for _, d := range in[1].values {
		switch d {
		case 0:
			d = 1
		case -1:
			d = float64(in[0].count())
		}
		out.dims = append(out.dims, int(d))
	}
	return out
}

func clip(_ node, in []tensor) tensor {
	out := tensor{kind: float32Type, dims: in[0].dims}
	for _, v := range in[0].values {
		out.values = append(out.values, min(max(v, in[1].values[0]), in[2].values[0]))
	}
	return out
}

func sigmoid(_ node, in []tensor) tensor {
	out := tensor{kind: float32Type, dims: in[0].dims}
	for _, v := range in[0].values {
		out.values = append(out.values, 1/(1+math.Exp(-v)))
	}
	return out
}

// multiply is that of a map with one number a channel.
func multiply(_ node, in []tensor) tensor {
	out := tensor{kind: float32Type, dims: in[0].dims}
	plane := in[0].dims[2] * in[0].dims[3]
	for i, v := range in[0].values {
		out.values = append(out.values, v*in[1].values[i/plane])
	}
	return out
}

// row is a convolution over the numbers of one row.
func row(in []tensor) tensor {
	x, weight := in[0].values, in[1].values
	out := tensor{kind: float32Type, dims: in[0].dims}
	for i := range x {
		sum := in[2].values[0]
		for tap, w := range weight {
			if at := i + tap - len(weight)/2; at >= 0 && at < len(x) {
				sum += w * x[at]
			}
		}
		out.values = append(out.values, sum)
	}
	return out
}

// pad is one number around each plane of an image, or without a number the plane reflected.
func pad(_ node, in []tensor) tensor {
	x, amounts := in[0], in[1].values
	top, left, bottom, right := int(amounts[2]), int(amounts[3]), int(amounts[6]), int(amounts[7])
	h, w := x.dims[2], x.dims[3]
	out := tensor{kind: x.kind, dims: []int{1, x.dims[1], top + h + bottom, left + w + right}}
	for c := range x.dims[1] {
		for y := range out.dims[2] {
			for column := range out.dims[3] {
				iy, ix := y-top, column-left
				if len(in) == 2 {
					iy, ix = reflected(iy, h), reflected(ix, w)
				}
				if iy >= 0 && iy < h && ix >= 0 && ix < w {
					out.values = append(out.values, x.values[(c*h+iy)*w+ix])
				} else {
					out.values = append(out.values, in[2].values[0])
				}
			}
		}
	}
	return out
}

func reflected(at, n int) int {
	if at < 0 {
		return -at
	}
	if at >= n {
		return 2*n - 2 - at
	}
	return at
}

// gather takes planes of an image.
func gather(_ node, in []tensor) tensor {
	x := in[0]
	plane := x.dims[2] * x.dims[3]
	out := tensor{kind: x.kind, dims: []int{1, in[1].count(), x.dims[2], x.dims[3]}}
	for _, c := range in[1].values {
		out.values = append(out.values, x.values[int(c)*plane:][:plane]...)
	}
	return out
}

// concat joins planes of images.
func concat(_ node, in []tensor) tensor {
	out := tensor{kind: in[0].kind, dims: []int{1, 0, in[0].dims[2], in[0].dims[3]}}
	for _, x := range in {
		out.dims[1] += x.dims[1]
		out.values = append(out.values, x.values...)
	}
	return out
}

func quantizeLinear(_ node, in []tensor) tensor {
	out := tensor{kind: in[2].kind, dims: in[0].dims}
	for _, v := range in[0].values {
		q := math.RoundToEven(v/in[1].values[0]) + in[2].values[0]
		out.values = append(out.values, min(max(q, 0), 255))
	}
	return out
}

func dequantizeLinear(_ node, in []tensor) tensor {
	out := tensor{kind: float32Type, dims: in[0].dims}
	per := in[0].count() / in[1].count() // the axis is the first
	for i, v := range in[0].values {
		out.values = append(out.values, (v-in[2].values[i/per])*in[1].values[i/per])
	}
	return out
}

func add(_ node, in []tensor) tensor {
	out := tensor{kind: float32Type, dims: in[0].dims}
	for i, v := range in[0].values {
		out.values = append(out.values, v+in[1].values[i])
	}
	return out
}

// slide calls f for every output pixel and every tap of its window that lies inside the map.
func slide(n node, in tensor, f func(out, tap, from int)) (h, w int) {
	k, stride, pad := n.ints["kernel_shape"][0], n.ints["strides"][0], n.ints["pads"][0]
	height, width := in.dims[2], in.dims[3]
	h, w = (height+2*pad-k)/stride+1, (width+2*pad-k)/stride+1
	for i := range h * w * k * k {
		out, tap := i/(k*k), i%(k*k)
		y, x := out/w*stride+tap/k-pad, out%w*stride+tap%k-pad
		if y >= 0 && x >= 0 && y < height && x < width {
			f(out, tap, y*width+x)
		}
	}
	return h, w
}

func conv(n node, in []tensor) tensor {
	x, weight := in[0], in[1]
	bias := make([]float64, weight.dims[0])
	if len(in) > 2 {
		bias = in[2].values
	}
	if len(weight.dims) == 3 {
		return row(in)
	}
	if n.ints["strides"] == nil { // a gate's
		n.ints = map[string][]int{"kernel_shape": n.ints["kernel_shape"], "pads": n.ints["pads"], "strides": {1, 1}, "group": {1}}
	}
	outs, depth, taps := weight.dims[0], weight.dims[1], weight.dims[2]*weight.dims[3]
	perGroup, plane := outs/n.ints["group"][0], x.dims[2]*x.dims[3]
	h, w := slide(n, x, func(_, _, _ int) {})
	out := tensor{kind: float32Type, dims: []int{1, outs, h, w}, values: make([]float64, outs*h*w)}
	for o := range outs {
		sums := out.values[o*h*w:][:h*w]
		for i := range sums {
			sums[i] = bias[o]
		}
		for c := range depth {
			source := x.values[(o/perGroup*depth+c)*plane:]
			filter := weight.values[(o*depth+c)*taps:]
			slide(n, x, func(at, tap, from int) { sums[at] += source[from] * filter[tap] })
		}
	}
	return out
}

func maxPool(n node, in []tensor) tensor {
	x := in[0]
	h, w := slide(n, x, func(_, _, _ int) {})
	out := tensor{kind: float32Type, dims: []int{1, x.dims[1], h, w}, values: make([]float64, x.dims[1]*h*w)}
	for c := range x.dims[1] {
		source, most := x.values[c*x.dims[2]*x.dims[3]:], out.values[c*h*w:]
		slide(n, x, func(at, _, from int) { most[at] = max(most[at], source[from]) }) // nothing is negative
	}
	return out
}

func average(_ node, in []tensor) tensor {
	x := in[0]
	pixels := x.dims[2] * x.dims[3]
	out := tensor{kind: float32Type, dims: []int{1, x.dims[1], 1, 1}, values: make([]float64, x.dims[1])}
	for i, v := range x.values {
		out.values[i/pixels] += v / float64(pixels)
	}
	return out
}

func flatten(_ node, in []tensor) tensor {
	return tensor{kind: in[0].kind, dims: []int{1, in[0].count()}, values: in[0].values}
}

func gemm(_ node, in []tensor) tensor {
	features := in[1].dims[1]
	out := tensor{kind: float32Type, dims: []int{1, in[1].dims[0]}}
	for o, b := range in[2].values {
		for i := range features {
			b += in[0].values[i] * in[1].values[o*features+i]
		}
		out.values = append(out.values, b)
	}
	return out
}
