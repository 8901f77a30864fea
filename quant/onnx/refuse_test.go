package onnx

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is no network of the family is refused by an error that names the node, says what was expected and
// what to do.
func TestReadRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(m *made)
		want   []string
	}{
		"features in another order": {
			func(m *made) {
				m.insert("flat", "Gather", "choose", []string{m.order(12, 1)}, intAttribute("axis", 0))
			},
			[]string{`found Gather "choose"`},
		},
		"two strides": {
			func(m *made) { m.node("stage2.block0.reduce").set("strides", intsAttribute("strides", 2, 2)) },
			[]string{`Conv "stage2.block0.transform": has stride 2, and so has Conv "stage2.block0.reduce"`},
		},
		"another activation": {
			func(m *made) { m.node("stage1.block0.reduce_out.relu").op = "Sigmoid" },
			[]string{`found Sigmoid "stage1.block0.reduce_out.relu"`, "only networks of the ResNet family run here"},
		},
		"ReLU6": {
			func(m *made) {
				n := m.node("stem_out.relu")
				n.op, n.attributes = "Clip", []attribute{floatAttribute("min", 0), floatAttribute("max", 6)}
			},
			[]string{`Clip "stem_out.relu" clips to 0..6`, "ReLU6"},
		},
		"more than a softmax at the end": {
			func(m *made) {
				m.insert("logits", "Softmax", "probabilities", nil)
				m.insert("probabilities", "TopK", "best", nil)
			},
			[]string{`found TopK "best"`, "expected the end, the logits"},
		},
		"preprocessing inside": {
			func(m *made) {
				m.node("stem").in[0] = "scaled_out"
				m.nodes = append(m.nodes, &madeNode{op: "Div", name: "scaled", in: []string{"image", "fc.bias"}, out: []string{"scaled_out"}})
			},
			[]string{`Div "scaled" divides by a constant of the shape [3]; expected one number for each channel (axes NCHW)`},
		},
		"squeeze and excitation": {
			func(m *made) { m.insert("stage1.block0.expand", "Mul", "se", []string{"image"}) },
			[]string{"expected the stem", `Mul "se"`},
		},
		"dilation": {
			func(m *made) { m.node("stage2.block1.transform").set("dilations", intsAttribute("dilations", 2, 2)) },
			[]string{`Conv "stage2.block1.transform" has dilations of 2`},
		},
		"padding on one side": {
			func(m *made) { m.node("stem").set("pads", intsAttribute("pads", 2, 2, 3, 3)) },
			[]string{`Conv "stem" has the pads [2 2 3 3]; expected 4 equal numbers`},
		},
		"too little padding": {
			func(m *made) { m.node("stem").set("pads", intsAttribute("pads", 2, 2, 2, 2)) },
			[]string{`Conv "stem" has a padding of 2; expected 3 for a kernel of 7x7`},
		},
		"pooling of another size": {
			func(m *made) { m.node("pool").attributes = window(2, 2, 0) },
			[]string{`MaxPool "pool" is 2x2 with stride 2 and padding 0; expected 3x3, 2 and 1`},
		},
		"ceiling mode": {
			func(m *made) { m.node("pool").set("ceil_mode", intAttribute("ceil_mode", 1)) },
			[]string{"ceil_mode"},
		},
		"average over channels": {
			func(m *made) {
				m.node("average").op = "ReduceMean"
				m.node("average").attributes = []attribute{intsAttribute("axes", 1)}
			},
			[]string{`ReduceMean "average" averages over the axes [1]; expected height and width`},
		},
		"average over part of the map": {
			func(m *made) {
				n := m.node("average")
				n.op, n.attributes = "AveragePool", []attribute{intsAttribute("kernel_shape", 7, 7)}
			},
			[]string{`AveragePool "average": averages 7x7 pixels, and images of 224x224 pixels give a map of 28x28`},
		},
		"training mode": {
			func(m *made) { m.node("stem.norm").set("training_mode", intAttribute("training_mode", 1)) },
			[]string{"model.eval()"},
		},
		"training mode by its outputs": {
			func(m *made) {
				m.opset = 13
				n := m.node("stem.norm")
				n.out = append(n.out, "", "", "saved_mean", "saved_var")
			},
			[]string{"model.eval()"},
		},
		"weights a long way off": {
			func(m *made) {
				for i := range maxConstantSteps {
					name := "step" + strconv.Itoa(i)
					m.nodes = append(m.nodes, &madeNode{op: "Identity", name: name, in: []string{m.node("stem").in[1]}, out: []string{name}})
					m.node("stem").in[1] = name
				}
			},
			[]string{`Conv "stem": its weights, "step31", are no constant`},
		},
		"quantised": {
			func(m *made) { m.insert("stem", "QuantizeLinear", "q", []string{"fc.bias"}) },
			[]string{`QuantizeLinear "q": the model is quantised already`},
		},
		"int8 weights": {
			func(m *made) {
				m.find("stem.weight").encoded = encodeTensor("stem.weight", int8Type, []int{8, 3, 7, 7}, make([]byte, 8*147))
			},
			[]string{`Conv "stem": its weights, tensor "stem.weight": its type is number 3; expected float32`},
		},
		"custom operator": {
			func(m *made) { n := m.node("stem_out.relu"); n.domain = "com.example" },
			[]string{`found Relu "stem_out.relu"`},
		},
		"functions": {
			func(m *made) { m.extra = appendBytes(nil, modelFunctions, nil) },
			[]string{"functions inlined"},
		},
		"too old": {func(m *made) { m.opset = 5 }, []string{"opset 5; expected 7 to"}},
		"too new": {func(m *made) { m.opset = 99 }, []string{"opset 99"}},
		"circle": {
			func(m *made) { m.node("stage1.block0.reduce").in[0] = m.node("stage1.block1.sum").out[0] },
			[]string{"runs in a circle"},
		},
		"missing input": {
			func(m *made) { m.node("stage1.block0.reduce").in[0] = "nobody" },
			[]string{`the value "nobody" is used and never made`},
		},
		"missing weights": {
			func(m *made) { m.node("stem").in = m.node("stem").in[:1] },
			[]string{`Conv "stem": its weights are missing`},
		},
		"weights that are computed": {
			func(m *made) { m.node("stem").in[1] = "image" },
			[]string{`Conv "stem": its weights, "image", are no constant`},
		},
		"value made twice": {
			func(m *made) { m.node("stem").out[0] = "pool_out" },
			[]string{`"pool_out" is made twice`},
		},
		"initializer twice": {
			func(m *made) { m.constants = append(m.constants, m.find("fc.bias")) },
			[]string{`initializer "fc.bias" comes twice`},
		},
		"no input": {func(m *made) { m.input = nil }, []string{`"image" is used and never made`}},
		"bytes that nobody casts": {
			func(m *made) { m.inputType = uint8Type },
			[]string{`the input "image" is of type number 2; expected float32 (1), or bytes (2) that a Cast brings to it`},
		},
		"whole numbers as image": {
			func(m *made) { m.inputType = int32Type },
			[]string{"is of type number 6; expected float32 (1)", "export the network without its preprocessing"},
		},
		"flat image":        {func(m *made) { m.input = []int{1, 3} }, []string{"has 2 dimensions; expected an image"}},
		"absurd image":      {func(m *made) { m.input = []int{1, 3, 1 << 30, 8} }, []string{"no size of an image"}},
		"large image":       {func(m *made) { m.input = []int{1, 3, 9000, 8} }, []string{"8x9000 pixels"}},
		"output of no node": {func(m *made) { m.outputs = []string{"fc.bias"} }, []string{`the constant "fc.bias" is used`}},
		"one channel": {
			func(m *made) { c := m.find("stem.weight"); c.dims, c.values = []int{8, 1, 7, 7}, c.values[:8*49] },
			[]string{`Conv "stem": the stem takes 1 channels in 1 groups; expected 3 channels, RGB`},
		},
		"weights of another width": {
			func(m *made) {
				c := m.find("stage2.block1.expand.weight")
				c.dims, c.values = []int{12, 4, 1, 1}, c.values[:48]
			},
			[]string{`Conv "stage2.block1.expand": its weights are [12 4 1 1], what comes before it needs [12 8 1 1]`},
		},
		"groups of another number": {
			func(m *made) {
				m.node("stage2.block1.transform").set("group", intAttribute("group", 4))
			},
			[]string{`Conv "stage2.block1.transform": its weights are [8 4 3 3], what comes before it needs [8 2 3 3]`},
		},
		"no groups": {func(m *made) { m.node("stem").set("group", intAttribute("group", 0)) }, []string{`Conv "stem" has no groups`}},
		"biases of another number": {
			func(m *made) { c := m.find("stem.bias"); c.dims, c.values = []int{7}, c.values[:7] },
			[]string{`Conv "stem": its biases, tensor "stem.bias", are 7 numbers; expected 8`},
		},
		"fewer bytes than the shape": {
			func(m *made) { c := m.find("fc.weight"); c.values = c.values[1:] },
			[]string{`tensor "fc.weight": has 140 bytes; its shape [3 12] of float32 needs 144`},
		},
		"shared weights": {
			func(m *made) { m.node("stage1.block1.expand").in[1] = "stage1.block0.expand.weight" },
			[]string{"share their weights"},
		},
		"a classifier of logits": {
			func(m *made) { m.insert("logits", "Gemm", "more", []string{"fc.weight"}, intAttribute("transB", 1)) },
			[]string{`expected the end, the logits, found Gemm "more"`},
		},
		"shared biases": {
			func(m *made) {
				m.node("stage2.block1.reduce").in[2] = "stage2.block0.transform.bias"
			},
			[]string{`Conv "stage2.block0.transform" and Conv "stage2.block1.reduce" share their biases`, "onnxscript 0.5.7 or later", "dynamo=False"},
		},
		"shared biases of another number": {
			func(m *made) { m.node("stage2.block1.expand").in[2] = "stage2.block0.transform.bias" },
			[]string{`Conv "stage2.block1.expand": its biases, tensor "stage2.block0.transform.bias", are 8 numbers; expected 12`,
				`Conv "stage2.block0.transform" has them too`, "onnxscript 0.5.7 or later"},
		},
		"edges on one side": {
			func(m *made) {
				m.prepare("Pad", "edges", []string{m.integers("pads", 0, 0, 2, 2, 0, 0, 3, 3)})
				m.node("stem").set("pads", intsAttribute("pads", 0, 0, 0, 0))
			},
			[]string{`Conv "stem" has the pads [2 2 3 3]; expected 4 equal numbers: export with symmetric, explicit padding`},
		},
		"edges of ones": {
			func(m *made) {
				m.prepare("Pad", "edges", []string{m.integers("pads", 0, 0, 3, 3, 0, 0, 3, 3), m.numbers("one", nil, 1)})
				m.node("stem").set("pads", intsAttribute("pads", 0, 0, 0, 0))
			},
			[]string{`Pad "edges" pads the axes [0 1 2 3] by [0 0 3 3 0 0 3 3] with 1`},
		},
		"edges before a pooling of negative numbers": {
			func(m *made) {
				n := m.node("stem_out.relu")
				n.op, n.in = "Pad", append(n.in, m.integers("pads", 0, 0, 1, 1, 0, 0, 1, 1))
				m.node("pool").set("pads", intsAttribute("pads", 0, 0, 0, 0))
				m.insert("pool", "Relu", "late", nil)
			},
			[]string{`Pad "stem_out.relu" pads the axes`, "of a max pooling behind a ReLU"},
		},
		"edges around the image before it is normalised": {
			func(m *made) {
				m.prepare("Pad", "edges", []string{m.integers("pads", 0, 0, 3, 3, 0, 0, 3, 3)})
				m.prepare("Sub", "mean", []string{m.numbers("mean", nil, 0.5)})
				m.node("stem").set("pads", intsAttribute("pads", 0, 0, 0, 0))
			},
			[]string{`Pad "edges" pads`},
		},
		"automatic padding of a stride": {
			func(m *made) { m.node("stem").set("auto_pad", stringAttribute("auto_pad", "SAME_UPPER")) },
			[]string{`Conv "stem" has the automatic padding SAME_UPPER with a kernel of 7 and stride 2, which is not the same on all sides; expected explicit padding of 3`},
		},
		"automatic padding of an even kernel": {
			func(m *made) {
				c := m.find("stem.weight")
				c.dims, c.values = []int{8, 3, 2, 2}, c.values[:96]
				m.node("stem").attributes = []attribute{stringAttribute("auto_pad", "SAME_LOWER")}
			},
			[]string{`Conv "stem" has the automatic padding SAME_LOWER with a kernel of 2 and stride 1, which is not the same on all sides`},
		},
		"channels last": {
			func(m *made) { m.insert("stem", "Transpose", "turn", nil, intsAttribute("perm", 0, 2, 3, 1)) },
			[]string{`MaxPool "pool" takes a map whose axes are in the order NHWC; expected NCHW`},
		},
		"edges of channels last": {
			func(m *made) {
				m.insert("stem_out.relu", "Transpose", "turn", nil, intsAttribute("perm", 0, 2, 3, 1))
				m.insert("turn", "Pad", "edges", []string{m.integers("pads", 0, 1, 1, 0, 0, 1, 1, 0)})
				m.node("pool").set("pads", intsAttribute("pads", 0, 0, 0, 0))
			},
			[]string{`MaxPool "pool" takes a map whose axes are in the order NHWC; expected NCHW`},
		},
		"maps in two orders": {
			func(m *made) {
				m.insert("stage1.block1.expand", "Transpose", "turn", nil, intsAttribute("perm", 0, 2, 3, 1))
			},
			[]string{`Add "stage1.block1.sum" takes maps whose axes are in the orders NHWC and NCHW`},
		},
		"a transposed map": {
			func(m *made) { m.insert("stem", "Transpose", "turn", nil, intsAttribute("perm", 0, 1, 3, 2)) },
			[]string{`MaxPool "pool" takes a map whose axes are in the order NCWH`},
		},
		"a mean of rows": {
			func(m *made) {
				m.node("average").op = "ReduceMean"
				m.node("average").attributes = []attribute{intsAttribute("axes", 3)}
			},
			[]string{`ReduceMean "average" averages over the axes [3]; expected height and width`},
		},
		"a factor behind a ReLU": {
			func(m *made) { m.insert("stem_out.relu", "Mul", "scale", []string{m.numbers("two", nil, 2)}) },
			[]string{`Mul "scale" multiplies with a constant of the shape []; expected`, "before the stem or behind a convolution"},
		},
		"one number a pixel": {
			func(m *made) {
				m.insert("stem", "Add", "shift", []string{m.numbers("columns", []int{112}, make([]float32, 112)...)})
			},
			[]string{`Add "shift" adds a constant of the shape [112]; expected one number for each channel (axes NCHW)`},
		},
		"a constant that is divided": {
			func(m *made) {
				n := m.node("stem_out.relu")
				n.op, n.in = "Div", []string{m.numbers("one", nil, 1), n.in[0]}
			},
			[]string{`Div "stem_out.relu" divides by a constant`},
		},
		"weights in an order of fewer axes": {
			func(m *made) {
				m.nodes = append(m.nodes, &madeNode{op: "Transpose", name: "turn", in: []string{"stem.weight"}, out: []string{"turned"}, attributes: []attribute{intsAttribute("perm", 1, 0)}})
				m.node("stem").in[1] = "turned"
			},
			[]string{`Conv "stem": its weights, Transpose "turn" orders the axes of the shape [8 3 7 7] by [1 0]`},
		},
		"weights in a shape of another size": {
			func(m *made) {
				m.nodes = append(m.nodes, &madeNode{op: "Reshape", name: "shape", in: []string{"stem.weight", m.integers("five", 5, 3, 7, 7)}, out: []string{"shaped"}})
				m.node("stem").in[1] = "shaped"
			},
			[]string{`Reshape "shape" cannot bring the shape [8 3 7 7] to [5 3 7 7]`},
		},
		"weights that are copied over and over": {
			func(m *made) {
				m.numbers("large", []int{1 << 10, 1 << 10}, make([]float32, 1<<20)...)
				sum := "large"
				for i := range 24 {
					name := "copy" + strconv.Itoa(i)
					m.nodes = append(m.nodes, &madeNode{op: "Add", name: name, in: []string{sum, "large"}, out: []string{name}})
					sum = name
				}
				m.node("stem").in[1] = sum
			},
			[]string{`the numbers of the file are repeated and copied to more than`},
		},
		"an outer sum": {
			func(m *made) {
				m.numbers("row", []int{1 << 16}, make([]float32, 1<<16)...)
				m.numbers("column", []int{1 << 16, 1}, make([]float32, 1<<16)...)
				m.nodes = append(m.nodes, &madeNode{op: "Add", name: "outer", in: []string{"row", "column"}, out: []string{"outer"}})
				m.node("stem").in[1] = "outer"
			},
			[]string{`Add "outer": the numbers of the file are repeated and copied`},
		},
		"a constant in a circle": {
			func(m *made) {
				m.nodes = append(m.nodes, &madeNode{op: "Add", name: "circle", in: []string{"circle", "stem.weight"}, out: []string{"circle"}})
				m.node("stem").in[1] = "circle"
			},
			[]string{`Conv "stem": its weights, "circle", are no constant`},
		},
		"a constant is added": {
			func(m *made) { m.insert("stage1.block1.expand", "Add", "shift", []string{"fc.bias"}) },
			[]string{`Add "shift" adds a constant of the shape [3]`},
		},
		"projection that is not needed": {
			func(m *made) {
				m.nodes = append(m.nodes, &madeNode{op: "Conv", name: "extra", in: []string{"stage1.block0.sum_out.relu_out", "stage1.block1.expand.weight.x"}, out: []string{"extra_out"}})
				m.constants = append(m.constants, &madeConstant{name: "stage1.block1.expand.weight.x", dims: []int{8, 8, 1, 1}, values: make([]float32, 64)})
				m.node("stage1.block1.sum").in[1] = "extra_out"
			},
			[]string{`Conv "extra": a projection in a block whose shape stays the same`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := makeModel(tinyFloat(), strings.HasPrefix(name, "training mode"))
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

// external moves all weights into a file beside the model, whose entries a test may change.
func external(t *testing.T, m *made, data string, entries func(name string, e map[string]string)) string {
	t.Helper()
	dir := t.TempDir()
	var all []byte
	for _, c := range m.constants {
		e := map[string]string{"location": data, "offset": strconv.Itoa(len(all)), "length": strconv.Itoa(4 * len(c.values))}
		all = append(all, raw(c.values...)...)
		if entries != nil {
			entries(c.name, e)
		}
		c.encoded = appendInt(typed(c, float32Type), tensorLocation, 1)
		for _, key := range []string{"location", "offset", "length"} {
			if v, ok := e[key]; ok {
				c.encoded = appendBytes(c.encoded, tensorExternal, appendString(appendString(nil, entryKey, key), entryValue, v))
			}
		}
	}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "model", "sub"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model", "weights.bin"), all, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model", "sub", "weights.bin"), all, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "secret.bin"), all, 0o600))
	require.NoError(t, os.Symlink(filepath.Join(dir, "secret.bin"), filepath.Join(dir, "model", "link.bin")))
	require.NoError(t, os.Symlink("weights.bin", filepath.Join(dir, "model", "near.bin")))
	path := filepath.Join(dir, "model", "m.onnx")
	require.NoError(t, os.WriteFile(path, m.encode(), 0o600))
	return path
}

func TestReadExternalData(t *testing.T) {
	cfg := tinyFloat()
	for _, data := range []string{"weights.bin", "sub/weights.bin", "near.bin", "./weights.bin"} {
		m := makeModel(cfg, true)
		f, err := readFile(t, external(t, m, data, nil))
		require.NoError(t, err, data)
		m.requireIs(t, cfg, f)
	}
	for name, c := range map[string]struct {
		data    string
		entries func(name string, e map[string]string)
		want    string
	}{
		"above the folder":  {"../secret.bin", nil, "outside of the model's folder"},
		"absolute":          {"/etc/passwd", nil, "outside of the model's folder"},
		"through a folder":  {"sub/../../secret.bin", nil, "outside of the model's folder"},
		"no name":           {"", nil, "outside of the model's folder"},
		"link out":          {"link.bin", nil, "cannot be opened"},
		"missing":           {"none.bin", nil, "no such file"},
		"a folder":          {"sub", nil, "not a regular file"},
		"past the end":      {"weights.bin", func(_ string, e map[string]string) { e["offset"] = "999999999" }, "it is cut short or another model's"},
		"offset overflows":  {"weights.bin", func(_ string, e map[string]string) { e["offset"] = "9223372036854775807" }, "its offset"},
		"negative offset":   {"weights.bin", func(_ string, e map[string]string) { e["offset"] = "-4" }, "its offset"},
		"offset no number":  {"weights.bin", func(_ string, e map[string]string) { e["offset"] = "0x10" }, "its offset"},
		"length no number":  {"weights.bin", func(_ string, e map[string]string) { e["length"] = "many" }, "its length"},
		"length of another": {"weights.bin", func(_ string, e map[string]string) { e["length"] = "8" }, "has 8 bytes in the file"},
	} {
		t.Run(name, func(t *testing.T) {
			m := makeModel(cfg, true)
			_, err := readFile(t, external(t, m, c.data, c.entries))
			require.ErrorContains(t, err, "m.onnx: ")
			require.ErrorContains(t, err, c.want)
		})
	}
}

// A small file of weights must not become a large network by being read many times.
func TestExternalBytesAreReadOnce(t *testing.T) {
	m := makeModel(tinyFloat(), true)
	path := external(t, m, "weights.bin", func(_ string, e map[string]string) { e["offset"] = "0" })
	require.NoError(t, os.Truncate(filepath.Join(filepath.Dir(path), "weights.bin"), 8*3*49*4))
	_, err := readFile(t, path)
	require.ErrorContains(t, err, "the model's tensors share bytes of the file \"weights.bin\"")
}
