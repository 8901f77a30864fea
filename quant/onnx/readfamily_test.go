package onnx

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// whole replaces a constant of whole numbers.
func (m *made) whole(name string, v ...int64) {
	m.find(name).encoded = encodeTensor(name, int64Type, []int{len(v)}, raw(v...))
}

// Every way of writing the same gate, shortcut or head must give the same network.
func TestReadFamilyForms(t *testing.T) {
	const shortcut = "stage2.block0.shortcut"
	zeros := func(m *made, name string, dims ...int) string {
		size := dims[0] * dims[1] * dims[2] * dims[3]
		m.constants = append(m.constants, &madeConstant{name: name, dims: dims, values: make([]float32, size)})
		return name
	}
	for name, c := range map[string]struct {
		of     string
		change func(m *made)
	}{
		"a flattening as dynamo writes it": {"identity", func(m *made) {
			m.insert("flat", "Gather", "as_strided", []string{m.order(12, 0)}, intAttribute("axis", 0))
		}},
		"softmax at the end": {"identity", func(m *made) { m.insert("logits", "Softmax", "probabilities", nil, intAttribute("axis", 1)) }},
		"classifier as a convolution": {"identity", func(m *made) {
			c := m.find("fc.weight")
			c.dims = append(c.dims, 1, 1)
			n := m.node("logits")
			n.op, n.in[0], n.attributes = "Conv", "average_out", nil
			m.insert("logits", "Flatten", "end", nil)
		}},
		"even sides": {"averaged shortcuts", func(m *made) {
			m.input = []int{1, 3, 224, 224}
			m.node("stage2.block0.average").set("ceil_mode", intAttribute("ceil_mode", 0))
		}},
		"max pooling of 1x1": {"padded shortcuts", func(m *made) {
			n := m.node(shortcut + ".columns")
			n.op, n.in, n.attributes = "MaxPool", []string{"stage1.block1.sum_out.relu_out"}, window(1, 2, 0)
			m.node(shortcut).set("mode", stringAttribute("mode", "constant"))
		}},
		"one slicing": {"padded shortcuts", func(m *made) {
			for _, part := range []string{".start", ".end", ".axis", ".step"} {
				m.whole(shortcut+".rows"+part, map[string][]int64{".start": {0, 0}, ".end": {math.MaxInt32, math.MaxInt64}, ".axis": {3, 2}, ".step": {2, 2}}[part]...)
			}
			m.node(shortcut).in[0] = shortcut + ".rows_out"
		}},
		"slicings that take all": {"padded shortcuts", func(m *made) {
			m.whole("all.start", 0, 0)
			m.whole("all.end", math.MaxInt64, math.MaxInt64)
			m.node(shortcut + ".rows").in[0] = "all_out"
			m.nodes = append(m.nodes, &madeNode{op: "Slice", name: "all", in: []string{"stage1.block1.sum_out.relu_out", "all.start", "all.end"}, out: []string{"all_out"}})
		}},
		"padding by attributes": {"padded shortcuts", func(m *made) {
			n := m.node(shortcut)
			n.in, n.attributes = n.in[:1], []attribute{intsAttribute("pads", 0, 2, 0, 0, 0, 2, 0, 0), floatAttribute("value", 0)}
		}},
		"padding of one axis": {"padded shortcuts", func(m *made) {
			m.whole("two", 2, 2)
			m.whole("channels", -3)
			n := m.node(shortcut)
			n.in = []string{n.in[0], "two", "", "channels"}
		}},
		"zeros that are joined": {"padded shortcuts", func(m *made) {
			n := m.node(shortcut)
			n.op, n.in = "Concat", []string{zeros(m, "before", 1, 2, 28, 28), n.in[0], zeros(m, "behind", 1, 2, 28, 28)}
			n.attributes = []attribute{intAttribute("axis", -3)}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			m := makeModel(families()[c.of], false)
			for _, name := range []string{"two", "channels", "all.start", "all.end"} {
				m.constants = append(m.constants, &madeConstant{name: name, encoded: encodeTensor(name, int64Type, []int{0}, nil)})
			}
			c.change(m)
			f, err := m.read(t)
			require.NoError(t, err)
			cfg := families()[c.of]
			cfg.Height, cfg.Width = m.input[2], m.input[3]
			if l := f.Layers[shortcut]; l.Title == `Concat "`+shortcut+`"` {
				l.Title = `Pad "` + shortcut + `"`
				f.Layers[shortcut] = l
			}
			m.requireIs(t, cfg, f)
		})
	}
}

// What is nearly a network of the family is refused in words.
func TestReadFamilyRefuses(t *testing.T) {
	const gate, shortcut = "stage1.block0.gate", "stage2.block0.shortcut"
	for name, c := range map[string]struct {
		of     string
		change func(m *made)
		want   []string
	}{
		"a hard sigmoid": {"SE", func(m *made) { m.node("stage1.block0.squeeze.sigmoid").op = "HardSigmoid" },
			[]string{"expected the sigmoid of a gate (a hard one does not run here)", `found HardSigmoid "stage1.block0.squeeze.sigmoid"`}},
		"no sigmoid": {"SE", func(m *made) { m.node(gate).in[1] = "stage1.block0.excite_out" },
			[]string{`after Conv "stage1.block0.excite": expected the sigmoid of a gate`}},
		"no ReLU": {"SE", func(m *made) { m.node("stage1.block0.excite").in[0] = "stage1.block0.squeeze_out" },
			[]string{`after Conv "stage1.block0.squeeze": expected a ReLU between the layers of a gate`}},
		"a gate of another map": {"SE", func(m *made) { m.node(gate).in[0] = "stage1.block0.transform_out.relu_out" },
			[]string{`after Relu "stage1.block0.transform_out.relu": expected a convolution of the block`, `Mul "stage1.block0.gate"`}},
		"gates of each other's maps": {"SE", func(m *made) {
			a, b := m.node("stage1.block1.gate"), m.node(gate)
			a.in[1], b.in[1] = b.in[1], a.in[1]
		}, []string{"runs in a circle"}},
		"a gate of the block before": {"SE", func(m *made) { m.node("stage1.block1.gate").in[1] = m.node(gate).in[1] },
			[]string{`expected a multiplication of the gate with its map`, `found 2 nodes, Mul "stage1.block1.gate" and Mul "stage1.block0.gate"`}},
		"a gate by a constant": {"SE", func(m *made) { m.node(gate).in[1] = "fc.bias" },
			[]string{`Mul "stage1.block0.gate" multiplies with a constant`}},
		"a squeeze of another width": {"SE", func(m *made) {
			c := m.find("stage1.block0.squeeze.weight")
			c.dims, c.values = []int{3, 7, 1, 1}, c.values[:21]
		}, []string{`Conv "stage1.block0.squeeze": its weights are [3 7 1 1], what comes before it needs [3 8 1 1]`}},
		"an excitation of another width": {"SE", func(m *made) {
			c := m.find("stage1.block0.excite.weight")
			c.dims, c.values = []int{4, 3, 1, 1}, c.values[:12]
			m.find("stage1.block0.excite.bias").dims, m.find("stage1.block0.excite.bias").values = []int{4}, make([]float32, 4)
		}, []string{`Conv "stage1.block0.excite": its weights are [4 3 1 1], what comes before it needs [8 3 1 1]`}},
		"a squeeze of windows": {"SE", func(m *made) {
			c := m.find("stage1.block0.squeeze.weight")
			c.dims, c.values = []int{3, 8, 3, 3}, make([]float32, 216)
		}, []string{`Conv "stage1.block0.squeeze" is 3x3 with stride 1`}},
		"shared gates": {"SE", func(m *made) { m.node("stage1.block1.squeeze").in[1] = "stage1.block0.squeeze.weight" },
			[]string{"share their weights"}},
		"a mean of part of the map": {"SE", func(m *made) {
			n := m.node("stage1.block0.squeeze.mean")
			n.op, n.attributes = "AveragePool", window(7, 7, 0)
		}, []string{`AveragePool "stage1.block0.squeeze.mean": averages 7x7 pixels`}},
		"two gates in a block": {"SE", func(m *made) {
			m.nodes = append(m.nodes,
				&madeNode{op: "GlobalAveragePool", name: "mean", in: []string{"stage1.block0.reduce_out.relu_out"}, out: []string{"mean_out"}},
				&madeNode{op: "Conv", name: "across", in: []string{"mean_out", "across.weight"}, out: []string{"across_out"}, attributes: []attribute{intsAttribute("pads", 1, 1)}},
				&madeNode{op: "Sigmoid", name: "sigmoid", in: []string{"across_out"}, out: []string{"sigmoid_out"}},
				&madeNode{op: "Mul", name: "more", in: []string{"stage1.block0.reduce_out.relu_out", "sigmoid_out"}, out: []string{"more_out"}})
			m.constants = append(m.constants, &madeConstant{name: "across.weight", dims: []int{1, 1, 3}, values: make([]float32, 3)})
			m.node("stage1.block0.transform").in[0] = "more_out"
		}, []string{`Mul "stage1.block0.gate": is the second gate of its block`}},
		"an even number of neighbours": {"ECA", func(m *made) {
			c := m.find("stage1.block0.neighbours.weight")
			c.dims, c.values = []int{1, 1, 4}, c.values[:4]
			m.node("stage1.block0.neighbours").attributes = []attribute{intsAttribute("pads", 2, 2)}
		}, []string{`Conv "stage1.block0.neighbours" looks at 4 channels with stride 1 and padding 2; expected an odd number`}},
		"neighbours with a stride": {"ECA", func(m *made) {
			m.node("stage1.block0.neighbours").set("strides", intsAttribute("strides", 2))
		}, []string{`Conv "stage1.block0.neighbours" looks at 5 channels with stride 2`}},
		"neighbours of several filters": {"ECA", func(m *made) {
			c := m.find("stage1.block0.neighbours.weight")
			c.dims, c.values = []int{2, 1, 5}, make([]float32, 10)
		}, []string{`its weights are [2 1 5]; expected [out,in,kernel,kernel], or [1,1,kernel] over the channels`}},
		"neighbours of too many": {"ECA", func(m *made) {
			c := m.find("stage1.block0.neighbours.weight")
			c.dims, c.values = []int{1, 1, 65}, make([]float32, 65)
			m.node("stage1.block0.neighbours").attributes = []attribute{intsAttribute("pads", 32, 32)}
		}, []string{"a gate of kernel 65"}},
		"a shuffle of channels": {"anti-aliased", func(m *made) {
			m.insert("stage2.block0.antialias", "Reshape", "shuffle", []string{"fc.bias"})
		}, []string{`found Reshape "shuffle"`}},
		"an odd edge left out": {"averaged shortcuts", func(m *made) {
			m.node("stage2.block0.average").set("ceil_mode", intAttribute("ceil_mode", 0))
			m.input = []int{1, 3, 36, 36}
		}, []string{`AveragePool "stage2.block0.average": leaves out the edge of a map of 9x9, which images of 36x36 pixels give`}},
		"a wide average in a shortcut": {"averaged shortcuts", func(m *made) { m.node("stage2.block0.average").attributes = window(3, 2, 0) },
			[]string{`AveragePool "stage2.block0.average": is 3x3 with stride 2 before a shortcut's convolution; expected an average pooling, 2x2 and 2`}},
		"two strides in a shortcut": {"averaged shortcuts", func(m *made) { m.node(shortcut).set("strides", intsAttribute("strides", 2, 2)) },
			[]string{`Conv "stage2.block0.shortcut": has stride 2 behind a pooling, and its block's branch has 2; expected 1 and 2`}},
		"a stride and a pooling": {"anti-aliased", func(m *made) {
			m.node("stage2.block0.transform").set("strides", intsAttribute("strides", 2, 2))
			m.node(shortcut).set("strides", intsAttribute("strides", 4, 4))
		}, []string{"stage 2: stride 4 with pooling"}},
		"a pooling before the branch": {"averaged shortcuts", func(m *made) {
			m.nodes = append(m.nodes, &madeNode{op: "AveragePool", name: "early", in: []string{"stage1.block1.sum_out.relu_out"}, out: []string{"early_out"}, attributes: window(2, 2, 0)})
			m.node("stage2.block0.reduce").in[0] = "early_out"
		}, []string{`AveragePool "early": comes before the convolutions of a block; expected it in the shortcut`}},
		"pixels around a map": {"padded shortcuts", func(m *made) { m.whole(shortcut+".pads", 0, 2, 1, 1, 0, 2, 1, 1) },
			[]string{`Pad "stage2.block0.shortcut" pads the axes [0 1 2 3] by [0 2 1 1 0 2 1 1]`, "expected channels of zeros"}},
		"channels of ones": {"padded shortcuts", func(m *made) {
			m.constants = append(m.constants, &madeConstant{name: "one", values: []float32{1}})
			m.node(shortcut).in = append(m.node(shortcut).in, "one")
		}, []string{`by [0 2 0 0 0 2 0 0] with 1`}},
		"reflected channels": {"padded shortcuts", func(m *made) { m.node(shortcut).set("mode", stringAttribute("mode", "reflect")) },
			[]string{"with 0 (reflect)"}},
		"too few channels": {"padded shortcuts", func(m *made) { m.whole(shortcut+".pads", 0, 2, 0, 0, 0, 1, 0, 0) },
			[]string{`Pad "stage2.block0.shortcut": makes 2, 8 and 1 channels of 8; expected 12 together`}},
		"channels without number": {"padded shortcuts", func(m *made) { m.whole(shortcut+".pads", 0, math.MaxInt64, 0, 0, 0, math.MaxInt64, 0, 0) },
			[]string{`Pad "stage2.block0.shortcut" pads`}},
		"fewer amounts": {"padded shortcuts", func(m *made) { m.whole(shortcut+".pads", 0, 2) }, []string{"by [0 2] with 0"}},
		"the second pixel": {"padded shortcuts", func(m *made) { m.whole(shortcut+".rows.start", 1) },
			[]string{`Slice "stage2.block0.shortcut.rows" takes from [1] to`, "expected every second pixel"}},
		"rows alone": {"padded shortcuts", func(m *made) { m.node(shortcut).in[0] = shortcut + ".rows_out" },
			[]string{"takes every row of 2 and every column of 1"}},
		"channels cut off": {"padded shortcuts", func(m *made) { m.whole(shortcut+".rows.axis", 1) }, []string{"takes some of the images or channels"}},
		"another stride": {"padded shortcuts", func(m *made) {
			m.whole(shortcut+".rows.step", 3)
			m.whole(shortcut+".columns.step", 3)
		}, []string{"the shortcut has stride 3, its block's branch has 2"}},
		"a wide pooling without a convolution": {"padded shortcuts", func(m *made) {
			n := m.node(shortcut + ".columns")
			n.op, n.in, n.attributes = "MaxPool", []string{"stage1.block1.sum_out.relu_out"}, window(2, 2, 0)
		}, []string{`MaxPool "stage2.block0.shortcut.columns": is 2x2 in a shortcut without a convolution`}},
		"amounts that are computed": {"padded shortcuts", func(m *made) { m.node(shortcut).in[1] = "image" },
			[]string{`Pad "stage2.block0.shortcut": its amounts, "image": is no constant`}},
		"amounts in a circle": {"padded shortcuts", func(m *made) {
			m.nodes = append(m.nodes, &madeNode{op: "Concat", name: "circle", in: []string{"circle_out", "circle_out"}, out: []string{"circle_out"}})
			m.node(shortcut).in[1] = "circle_out"
		}, []string{"is computed by too many operators"}},
		"a stem of five": {"deep stem", func(m *made) {
			from := "stem2_out.relu_out"
			for _, name := range []string{"more", "last"} {
				m.constants = append(m.constants, &madeConstant{name: name + ".weight", dims: []int{8, 8, 3, 3}, values: make([]float32, 576)})
				m.nodes = append(m.nodes,
					&madeNode{op: "Conv", name: name, in: []string{from, name + ".weight"}, out: []string{name + "_conv"}, attributes: window(3, 1, 1)},
					&madeNode{op: "Relu", name: name + ".relu", in: []string{name + "_conv"}, out: []string{name + "_out"}})
				from = name + "_out"
			}
			m.node("pool").in[0] = from
		}, []string{"a stem of 5 convolutions, expected 1 to 4"}},
		"stem of another width": {"deep stem", func(m *made) {
			c := m.find("stem1.weight")
			c.dims, c.values = []int{6, 2, 3, 3}, c.values[:108]
		}, []string{`Conv "stem1": takes 2 channels in 1 groups; expected 4 in one`}},
		"a softmax over pixels": {"identity", func(m *made) { m.insert("logits", "Softmax", "probabilities", nil, intAttribute("axis", 2)) },
			[]string{`Softmax "probabilities" is over the axis 2`}},
		"more than the features": {"embedding", func(m *made) { m.insert("flat", "LpNormalization", "unit", nil) },
			[]string{`found LpNormalization "unit"`}},
	} {
		t.Run(name, func(t *testing.T) {
			m := makeModel(families()[c.of], false)
			c.change(m)
			f, err := m.read(t)
			require.Nil(t, f)
			require.ErrorContains(t, err, "m.onnx: ")
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

// Whole graphs as other exporters than PyTorch's write them.
func TestReadExporters(t *testing.T) {
	for name, c := range map[string]struct {
		of     string
		norms  bool
		change func(m *made)
		notes  []string
	}{
		// Keras on PyTorch: channels last but inside convolutions, biases and normalisation as arithmetic, edges as operators.
		"Keras": {"identity", false, func(m *made) {
			m.input = []int{1, 224, 224, 3}
			toFirst, toLast := intsAttribute("perm", 0, 3, 1, 2), intsAttribute("perm", 0, 2, 3, 1)
			turn := func(n *madeNode) {
				m.insert(n.name, "Transpose", n.name+".last", nil, toLast)
				first := &madeNode{op: "Transpose", name: n.name + ".first", in: []string{n.in[0]}, out: []string{n.name + ".first_out"}, attributes: []attribute{toFirst}}
				n.in[0] = first.out[0]
				m.nodes = append(m.nodes, first)
			}
			edges := func(n *madeNode, by int64) {
				pad := &madeNode{op: "Pad", name: n.name + ".edges", in: []string{n.in[0], m.integers(n.name+".by", 0, by, by, 0, 0, by, by, 0)}, out: []string{n.name + ".edges_out"}}
				n.in[0] = pad.out[0]
				n.set("pads", intsAttribute("pads", 0, 0, 0, 0))
				m.nodes = append(m.nodes, pad)
			}
			for _, n := range m.nodes[:len(m.nodes):len(m.nodes)] {
				switch n.op {
				case "Conv":
					bias := m.find(n.in[2])
					n.in = n.in[:2]
					turn(n)
					bias.dims = []int{1, 1, 1, len(bias.values)}
					m.insert(n.name+".last", "Add", n.name+".biases", []string{bias.name})
				case "MaxPool":
					turn(n)
				}
			}
			edges(m.node("pool.first"), 1)
			m.node("pool").set("pads", intsAttribute("pads", 0, 0, 0, 0))
			edges(m.node("stem.first"), 3)
			m.node("stem").set("pads", intsAttribute("pads", 0, 0, 0, 0))
			n := m.node("average")
			n.op, n.in, n.attributes = "ReduceMean", append(n.in, m.integers("pixels", 1, 2)), []attribute{intAttribute("keepdims", 0)}
			m.insert("logits", "Softmax", "probabilities", nil, intAttribute("axis", -1))
		}, []string{`Softmax "probabilities"`}},
		// MXNet: the image's normalisation is a batch normalisation, convolutions in front of one have biases, the stride is on
		// the first of a block.
		"MXNet": {"deep", true, func(m *made) {
			m.opset = 8
			m.prepare("BatchNormalization", "bn_data", []string{
				m.numbers("gamma", []int{3}, 1, 1, 1), m.numbers("beta", []int{3}, 0, 0, 0), m.numbers("mean", []int{3}, 123, 117, 104), m.numbers("var", []int{3}, 3400, 3300, 3300),
			}, floatAttribute("epsilon", 2e-5))
			for _, n := range m.nodes {
				if n.op == "Conv" {
					n.in = append(n.in, m.numbers(n.name+".zeros", []int{m.find(n.in[1]).dims[0]}, make([]float32, m.find(n.in[1]).dims[0])...))
				}
			}
			m.insert("logits", "Softmax", "softmax", nil)
		}, []string{"input 0..255", `Softmax "softmax"`}},
		// Caffe2: constants are inputs too, branches meet in a Sum, the average has the map's size and a Reshape behind it.
		"Caffe2": {"identity", true, func(m *made) {
			m.opset, m.asInputs = 9, true
			for _, n := range m.nodes {
				if n.op == "Add" {
					n.op = "Sum"
				}
			}
			n := m.node("average")
			n.op, n.attributes = "AveragePool", window(28, 1, 0)
			n = m.node("flat")
			n.op, n.in, n.attributes = "Reshape", append(n.in, m.integers("shape", 1, 12)), nil
			m.insert("logits", "Softmax", "prob", nil, intAttribute("axis", 1))
		}, []string{`Softmax "prob"`}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := families()[c.of]
			plain, err := makeModel(cfg, c.norms).read(t)
			require.NoError(t, err)
			m := makeModel(cfg, c.norms)
			c.change(m)
			f, err := m.read(t)
			require.NoError(t, err)
			require.Equal(t, cfg, f.Config)
			for name, l := range plain.Layers {
				weight, bias := folded(l)
				gotWeight, gotBias := folded(f.Layers[name])
				require.InDeltaSlice(t, weight, gotWeight, 1e-6, name)
				require.InDeltaSlice(t, bias, gotBias, 1e-6, name)
			}
			require.Len(t, f.Notes, len(c.notes))
			for i, want := range c.notes {
				require.Contains(t, f.Notes[i], want)
			}
		})
	}
}
