package onnx

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/match"
)

var (
	imageNet = &match.Normalisation{Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}
	centred  = &match.Normalisation{Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{0.5, 0.5, 0.5}}
)

// perColour adds a constant of one number for each colour, in the order given.
func (m *made) perColour(name string, dims []int, v [3]float32, unit float32) string {
	return m.numbers(name, dims, v[0]*unit, v[1]*unit, v[2]*unit)
}

// turnStem reverses the channels of the stem's weights, as a network has them that takes the other order.
func (m *made) turnStem() {
	c := m.find("stem.weight")
	taps := c.dims[2] * c.dims[3]
	turned := make([]float32, 0, len(c.values))
	for out := range c.dims[0] {
		for in := range 3 {
			turned = append(turned, c.values[(out*3+2-in)*taps:][:taps]...)
		}
	}
	c.values = turned
}

// What a graph does to its image becomes the network's normalisation, whatever operators it is written in.
func TestReadNormalisation(t *testing.T) {
	channels, mean, std := []int{1, 3, 1, 1}, imageNet.Mean, imageNet.Std
	reversed := func(v [3]float32) [3]float32 { return [3]float32{v[2], v[1], v[0]} }
	axis := intAttribute("axis", 1)
	for name, c := range map[string]struct {
		change func(m *made)
		want   *match.Normalisation
		turned bool
		notes  []string
	}{
		"nothing": {func(*made) {}, nil, false, nil},
		"zeros and ones": {func(m *made) {
			m.prepare("Sub", "sub", []string{m.numbers("zero", nil, 0)})
			m.prepare("Div", "div", []string{m.numbers("one", nil, 1)})
		}, nil, false, nil},
		"mean and deviation": {func(m *made) {
			m.prepare("Sub", "sub", []string{m.perColour("mean", channels, mean, 1)})
			m.prepare("Div", "div", []string{m.perColour("std", []int{3, 1, 1}, std, 1)})
		}, imageNet, false, []string{"normalises its images itself: mean 0.485 0.456 0.406, std 0.229 0.224 0.225 (on the 0..1 scale), input 0..1"}},
		"mean and deviation of bytes": {func(m *made) {
			m.prepare("Sub", "sub", []string{m.perColour("mean", channels, mean, 255)})
			m.prepare("Mul", "mul", []string{m.numbers("factor", channels, 1/(255*std[0]), 1/(255*std[1]), 1/(255*std[2]))})
		}, imageNet, false, []string{"input 0..255"}},
		"first to the 0..1 scale": {func(m *made) {
			m.prepare("Div", "scale", []string{m.numbers("bytes", []int{1}, 255)})
			m.prepare("Sub", "sub", []string{m.perColour("mean", channels, mean, 1)})
			m.prepare("Div", "div", []string{m.perColour("std", channels, std, 1)})
		}, imageNet, false, []string{"input 0..255"}},
		"bytes": {func(m *made) {
			m.inputType = uint8Type
			m.prepare("Cast", "cast", nil, intAttribute("to", 1))
		}, &match.Normalisation{Std: [3]float32{1. / 255, 1. / 255, 1. / 255}}, false, []string{"input 0..255"}},
		"bytes that are scaled": {func(m *made) {
			m.inputType = uint8Type
			m.prepare("Cast", "cast", nil, intAttribute("to", 10))
			m.prepare("Div", "scale", []string{m.numbers("bytes", nil, 255)})
		}, &match.Normalisation{Std: [3]float32{1, 1, 1}}, false, []string{"input 0..255"}},
		"divided by 255": {func(m *made) {
			m.prepare("Div", "scale", []string{m.numbers("bytes", nil, 255)})
		}, &match.Normalisation{Std: [3]float32{1, 1, 1}}, false, []string{"std 1 1 1 (on the 0..1 scale), input 0..255"}},
		"from -1 to 1": {func(m *made) {
			m.prepare("Mul", "mul", []string{m.numbers("two", nil, 2)})
			m.prepare("Add", "add", []string{m.numbers("minus", nil, -1)})
		}, centred, false, []string{"input 0..1"}},
		"bytes from -1 to 1": {func(m *made) {
			m.prepare("Div", "div", []string{m.numbers("half", nil, 127.5)})
			m.prepare("Sub", "sub", []string{m.numbers("one", nil, 1)})
		}, centred, false, []string{"input 0..255"}},
		"a mean alone": {func(m *made) {
			m.prepare("Sub", "sub", []string{m.perColour("mean", channels, mean, 255)})
		}, &match.Normalisation{Mean: mean, Std: [3]float32{1. / 255, 1. / 255, 1. / 255}}, false, []string{"input 0..255"}},
		"a batch normalisation": {func(m *made) {
			m.prepare("BatchNormalization", "bn_data", []string{
				m.numbers("gain", []int{3}, 1, 1, 1), m.numbers("shift", []int{3}, 0, 0, 0), m.perColour("mean", []int{3}, mean, 255),
				m.numbers("variance", []int{3}, sq(255*std[0]), sq(255*std[1]), sq(255*std[2])),
			}, floatAttribute("epsilon", 0))
		}, imageNet, false, []string{"input 0..255"}},
		"channels last": {func(m *made) {
			m.input = []int{1, 224, 224, 3}
			m.prepare("Sub", "sub", []string{m.perColour("mean", []int{3}, mean, 1)})
			m.prepare("Div", "div", []string{m.perColour("std", []int{1, 1, 1, 3}, std, 1)})
			m.prepare("Transpose", "first", nil, intsAttribute("perm", 0, 3, 1, 2))
		}, imageNet, false, []string{"input 0..1"}},
		"each colour alone": {func(m *made) {
			split := &madeNode{op: "Split", name: "split", in: []string{"image"}, out: []string{"r", "g", "b"}, attributes: []attribute{axis}}
			m.nodes = append(m.nodes, split)
			var parts []string
			for i, colour := range split.out {
				m.nodes = append(m.nodes,
					&madeNode{op: "Sub", name: colour + ".sub", in: []string{colour, m.numbers(colour+".mean", nil, mean[i])}, out: []string{colour + ".centred"}},
					&madeNode{op: "Div", name: colour + ".div", in: []string{colour + ".centred", m.numbers(colour+".std", nil, std[i])}, out: []string{colour + ".out"}})
				parts = append(parts, colour+".out")
			}
			m.nodes = append(m.nodes, &madeNode{op: "Concat", name: "join", in: parts, out: []string{"join_out"}, attributes: []attribute{axis}})
			m.node("stem").in[0] = "join_out"
		}, imageNet, false, []string{"input 0..1"}},
		"turned": {func(m *made) {
			m.prepare("Gather", "turn", []string{m.integers("order", 2, 1, 0)}, axis)
		}, nil, true, []string{"takes BGR; the stem's channels are turned"}},
		"turned by a slice": {func(m *made) {
			m.prepare("Slice", "turn", []string{m.integers("start", -1), m.integers("end", math.MinInt64), m.integers("axis", 1), m.integers("step", -1)})
		}, nil, true, []string{"takes BGR"}},
		"turned by parts": {func(m *made) {
			m.nodes = append(m.nodes,
				&madeNode{op: "Split", name: "split", in: []string{"image"}, out: []string{"r", "g", "b"}, attributes: []attribute{axis, intsAttribute("split", 1, 1, 1)}},
				&madeNode{op: "Concat", name: "join", in: []string{"b", "g", "r"}, out: []string{"join_out"}, attributes: []attribute{axis}})
			m.node("stem").in[0] = "join_out"
		}, nil, true, []string{"takes BGR"}},
		// As dynamo writes a choice by a list.
		"turned by rows": {func(m *made) {
			toFirst := intsAttribute("perm", 1, 0, 2, 3)
			m.prepare("Transpose", "first", nil, toFirst)
			m.integers("order")
			m.find("order").encoded = encodeTensor("order", int64Type, []int{3, 1}, raw[int64](2, 1, 0))
			m.prepare("GatherND", "turn", []string{"order"})
			m.prepare("Transpose", "back", nil, toFirst)
		}, nil, true, []string{"takes BGR"}},
		"bytes that are turned": {func(m *made) {
			m.inputType, m.input = uint8Type, []int{1, 224, 224, 3}
			m.prepare("Slice", "turn", []string{m.integers("start", 2), m.integers("end", -4), m.integers("axis", -1), m.integers("step", -1)})
			m.prepare("Transpose", "first", nil, intsAttribute("perm", 0, 3, 1, 2))
			m.prepare("Cast", "cast", nil, intAttribute("to", 1))
			m.prepare("Div", "div", []string{m.numbers("bytes", nil, 255)})
		}, &match.Normalisation{Std: [3]float32{1, 1, 1}}, true, []string{"input 0..255", "takes BGR"}},
		"turned and normalised": {func(m *made) {
			m.prepare("Gather", "turn", []string{m.integers("order", 2, -2, 0)}, axis)
			m.prepare("Sub", "sub", []string{m.perColour("mean", channels, reversed(mean), 1)})
			m.prepare("Div", "div", []string{m.perColour("std", channels, reversed(std), 1)})
		}, imageNet, true, []string{"mean 0.485 0.456 0.406", "takes BGR"}},
		"turned twice": {func(m *made) {
			m.prepare("Gather", "turn", []string{m.integers("order", 2, 1, 0)}, axis)
			m.prepare("Gather", "back", []string{"order"}, axis)
		}, nil, false, nil},
		// Only images in BGR have the mean of ImageNet from blue to red.
		"a mean from blue to red": {func(m *made) {
			m.prepare("Sub", "sub", []string{m.perColour("mean", channels, reversed(mean), 255)})
			m.prepare("Div", "div", []string{m.perColour("std", channels, reversed(std), 255)})
		}, imageNet, true, []string{"takes BGR"}},
		"images from blue to red that are turned": {func(m *made) {
			m.prepare("Sub", "sub", []string{m.perColour("mean", channels, reversed(mean), 1)})
			m.prepare("Div", "div", []string{m.perColour("std", channels, reversed(std), 1)})
			m.prepare("Gather", "turn", []string{m.integers("order", 2, 1, 0)}, axis)
		}, imageNet, false, []string{"takes images in BGR and turns them to RGB itself"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := makeModel(tinyFloat(), false)
			c.change(m)
			f, err := m.read(t)
			require.NoError(t, err)
			if c.turned {
				m.turnStem()
			}
			m.requireIs(t, tinyFloat(), f)
			require.Equal(t, c.want == nil, f.Normalisation == nil)
			if c.want != nil {
				require.InDeltaSlice(t, c.want.Mean[:], f.Normalisation.Mean[:], 1e-6)
				require.InEpsilonSlice(t, c.want.Std[:], f.Normalisation.Std[:], 1e-6)
			}
			require.Len(t, f.Notes, noteCount(c.want, c.notes))
			for _, want := range c.notes {
				require.Contains(t, f.Notes[0]+f.Notes[len(f.Notes)-1], want)
			}
		})
	}
}

// noteCount is one note for a normalisation and one for an order.
func noteCount(n *match.Normalisation, notes []string) int {
	count := 0
	if n != nil {
		count = 1
	}
	for _, note := range notes {
		if note[:5] == "takes" {
			count++
		}
	}
	return count
}

func sq(v float32) float32 { return v * v }

// What no photograph needs is refused in words.
func TestReadNormalisationRefuses(t *testing.T) {
	axis := intAttribute("axis", 1)
	for name, c := range map[string]struct {
		change func(m *made)
		want   string
	}{
		"a negative factor": {func(m *made) { m.prepare("Mul", "mul", []string{m.numbers("minus", nil, -1)}) },
			`Mul "mul": channel 0 of the image comes times -1 plus 0; expected a normalisation, whose factors are positive`},
		"a factor of zero":   {func(m *made) { m.prepare("Mul", "mul", []string{m.numbers("zero", nil, 0)}) }, "comes times 0 plus 0"},
		"a division by zero": {func(m *made) { m.prepare("Div", "div", []string{m.numbers("zero", nil, 0)}) }, "comes times +Inf plus"},
		"no number":          {func(m *made) { m.prepare("Add", "add", []string{m.numbers("none", nil, float32(math.NaN()))}) }, "comes times 1 plus NaN"},
		"the other side of a subtraction": {func(m *made) {
			m.prepare("Sub", "sub", nil)
			n := m.node("sub")
			n.in = []string{m.numbers("one", nil, 1), n.in[0]}
		}, "comes times -1 plus 1"},
		"images that were normalised before": {func(m *made) {
			m.prepare("Add", "add", []string{m.numbers("more", nil, 0.5)})
		}, "channel 0 of the image is normalised by the mean -0.5 and std 1 on the 0..1 scale, which is no colour's: it seems to expect images that were normalised before"},
		"another order": {func(m *made) { m.prepare("Gather", "turn", []string{m.integers("order", 1, 0, 2)}, axis) },
			`Gather "turn" gives channel 1 of the image where 2 was expected`},
		"two of three channels": {func(m *made) { m.prepare("Gather", "choose", []string{m.integers("order", 0, 1)}, axis) },
			`Gather "choose" gives the stem 2 channels of the image; expected 3`},
		"a fourth channel": {func(m *made) { m.prepare("Gather", "choose", []string{m.integers("order", 0, 1, 3)}, axis) }, `found Gather "choose"`},
		"arithmetic on bytes": {func(m *made) {
			m.inputType = uint8Type
			m.prepare("Div", "div", []string{m.numbers("bytes", nil, 255)})
			m.prepare("Cast", "cast", nil, intAttribute("to", 1))
		}, `the input "image" is of type number 2`},
		"a normalisation of four channels": {func(m *made) {
			var four []string
			for _, part := range []string{"gain", "shift", "mean", "variance"} {
				four = append(four, m.numbers(part, []int{4}, 1, 1, 1, 1))
			}
			m.prepare("BatchNormalization", "bn_data", four)
		}, `found BatchNormalization "bn_data"`},
		"rows of an image": {func(m *made) {
			m.prepare("GatherND", "choose", []string{m.integers("order", 0)}, intAttribute("batch_dims", 1))
			m.find("order").encoded = encodeTensor("order", int64Type, []int{1, 1}, raw[int64](0))
		}, `found GatherND "choose"`},
		"colours in two orders of axes": {func(m *made) {
			m.nodes = append(m.nodes,
				&madeNode{op: "Split", name: "split", in: []string{"image"}, out: []string{"r", "g", "b"}, attributes: []attribute{axis}},
				&madeNode{op: "Transpose", name: "turn", in: []string{"g"}, out: []string{"turned"}, attributes: []attribute{intsAttribute("perm", 0, 1, 3, 2)}},
				&madeNode{op: "Concat", name: "join", in: []string{"r", "turned", "b"}, out: []string{"join_out"}, attributes: []attribute{axis}})
			m.node("stem").in[0] = "join_out"
		}, `Split "split" and Split "split" give the image in two ways`},
		"colours of two images": {func(m *made) {
			m.others = []string{"depth"}
			for _, name := range []string{"image", "depth"} {
				m.nodes = append(m.nodes, &madeNode{op: "Split", name: name + ".split", in: []string{name}, out: []string{name + ".r", name + ".g", name + ".b"}, attributes: []attribute{axis}})
			}
			m.nodes = append(m.nodes, &madeNode{op: "Concat", name: "join", in: []string{"image.r", "image.g", "depth.b"}, out: []string{"join_out"}, attributes: []attribute{axis}})
			m.node("stem").in[0] = "join_out"
		}, `Split "image.split" and Split "image.split" give the image in two ways`},
		"two images": {func(m *made) {
			m.others = []string{"depth"}
			m.node("stage1.block0.reduce").in[0] = "depth"
		}, `the logits depend on two inputs, `},
		"one image in two ways": {func(m *made) {
			m.node("stage1.block0.reduce").in[0] = "other_out"
			m.nodes = append(m.nodes, &madeNode{op: "Mul", name: "other", in: []string{"image", m.numbers("two", nil, 2)}, out: []string{"other_out"}})
		}, "give the image in two ways"},
	} {
		t.Run(name, func(t *testing.T) {
			m := makeModel(tinyFloat(), false)
			c.change(m)
			_, err := m.read(t)
			require.ErrorContains(t, err, "m.onnx: ")
			require.ErrorContains(t, err, c.want)
		})
	}
}
