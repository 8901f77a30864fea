package onnx

import (
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/resnext/topology"
)

// second adds a classifier beside the first one.
func (m *made) second(name string) string {
	w, b := m.find("fc.weight"), m.find("fc.bias")
	m.numbers(name+".weight", w.dims, make([]float32, len(w.values))...)
	m.numbers(name+".bias", b.dims, 1, 2, 3)
	m.nodes = append(m.nodes, &madeNode{op: "Gemm", name: name, in: []string{"flat_out", name + ".weight", name + ".bias"}, out: []string{name + "_out"}, attributes: []attribute{intAttribute("transB", 1)}})
	return name + "_out"
}

// beside adds a node that takes the logits, or another output, and gives its own name.
func (m *made) beside(of, op, name string, a ...attribute) string {
	m.nodes = append(m.nodes, &madeNode{op: op, name: name, in: []string{of}, out: []string{name + "_out"}, attributes: a})
	return name + "_out"
}

// twin copies all nodes, with other numbers in the stem, and gives the name of the copy's features.
func (m *made) twin(prefix string) string {
	c := m.find("stem.bias")
	m.numbers(prefix+".bias", c.dims, make([]float32, len(c.values))...)
	for _, n := range m.nodes[:len(m.nodes):len(m.nodes)] {
		twin := &madeNode{op: n.op, name: prefix + "." + n.name, out: []string{prefix + "." + n.out[0]}, attributes: n.attributes}
		for _, in := range n.in {
			if slices.ContainsFunc(m.nodes, func(n *madeNode) bool { return n.out[0] == in }) {
				in = prefix + "." + in
			}
			twin.in = append(twin.in, in)
		}
		m.nodes = append(m.nodes, twin)
	}
	m.node(prefix + ".stem").in[2] = prefix + ".bias"
	return prefix + ".flat_out"
}

// Of several outputs the one is taken that gives the classes, and what is done to the logits is left out.
func TestReadEnds(t *testing.T) {
	const logits = "logits_out"
	axis := intAttribute("axis", 1)
	for name, c := range map[string]struct {
		change func(m *made)
		head   topology.Head
		notes  []string
	}{
		"logits": {func(*made) {}, topology.OneClass, nil},
		"softmax": {func(m *made) { m.outputs = []string{m.beside(logits, "Softmax", "p", axis)} }, topology.OneClass,
			[]string{`Softmax "p" at the end is left out: the network gives logits`}},
		"logarithm of softmax": {func(m *made) { m.outputs = []string{m.beside(logits, "LogSoftmax", "p")} }, topology.OneClass,
			[]string{`LogSoftmax "p" at the end is left out: the network gives logits`}},
		"sigmoid": {func(m *made) { m.outputs = []string{m.beside(logits, "Sigmoid", "p")} }, topology.MultiLabel, nil},
		"the class alone": {func(m *made) {
			m.outputs = []string{m.beside(m.beside(logits, "ArgMax", "best", axis), "Cast", "cast", intAttribute("to", 6))}
		}, topology.OneClass, []string{`ArgMax "best" at the end is left out: the network gives the logits of all classes`}},
		"the class of a softmax": {func(m *made) {
			m.outputs = []string{m.beside(m.beside(logits, "Softmax", "p"), "ArgMax", "best", intAttribute("axis", -1))}
		}, topology.OneClass, []string{`Softmax "p"`, `ArgMax "best"`}},
		"logits and class": {func(m *made) { m.outputs = []string{m.beside(logits, "ArgMax", "best", axis), logits} }, topology.OneClass,
			[]string{`takes the output "logits_out" and leaves out "best_out"`}},
		"softmax and class": {func(m *made) {
			m.outputs = []string{m.beside(logits, "ArgMax", "best", axis), m.beside(logits, "Softmax", "p")}
		}, topology.OneClass, []string{`Softmax "p"`, `takes the output "p_out" and leaves out "best_out"`}},
		"logits and labels": {func(m *made) { m.outputs = []string{logits, m.beside(logits, "Sigmoid", "p")} }, topology.MultiLabel,
			[]string{`takes the output "p_out" and leaves out "logits_out"`}},
		"labels and softmax": {func(m *made) {
			m.outputs = []string{m.beside(logits, "Sigmoid", "labels"), m.beside(logits, "Softmax", "p")}
		}, topology.OneClass, []string{`Softmax "p"`, `takes the output "p_out"`}},
		"features and maps": {func(m *made) { m.outputs = []string{"flat_out", "pool_out", logits, "stem_out"} }, topology.OneClass,
			[]string{`takes the output "logits_out" and leaves out "flat_out", "pool_out", "stem_out"`}},
		"what is no network of the family beside it": {func(m *made) { m.outputs = []string{m.beside(logits, "TopK", "best"), logits} },
			topology.OneClass, []string{`leaves out "best_out"`}},
		"features of another network beside it": {func(m *made) { m.outputs = []string{"flat_out", m.twin("twin"), logits} },
			topology.OneClass, []string{`takes the output "logits_out" and leaves out "flat_out", "twin.flat_out"`}},
		"logits twice": {func(m *made) {
			n := *m.node("logits")
			n.name, n.out = "again", []string{"again_out"}
			m.nodes = append(m.nodes, &n)
			m.outputs = []string{logits, m.beside("again_out", "ArgMax", "best", axis)}
		}, topology.OneClass, []string{`takes the output "logits_out"`}},
		"classifier as a convolution": {func(m *made) {
			c := m.find("fc.weight")
			c.dims = append(c.dims, 1, 1)
			n := m.node("logits")
			n.op, n.in[0], n.attributes = "Conv", "average_out", nil
			m.outputs = []string{m.beside(m.beside(logits, "Reshape", "flatten"), "Softmax", "p")}
			m.node("flatten").in = append(m.node("flatten").in, m.integers("shape", 1, -1))
		}, topology.OneClass, []string{`Softmax "p"`}},
	} {
		t.Run(name, func(t *testing.T) {
			m := makeModel(tinyFloat(), false)
			c.change(m)
			f, err := m.read(t)
			require.NoError(t, err)
			cfg := tinyFloat()
			cfg.Head = c.head
			m.requireIs(t, cfg, f)
			require.Len(t, f.Notes, len(c.notes))
			for i, want := range c.notes {
				require.Contains(t, f.Notes[i], want)
			}
		})
	}
}

func TestReadFeatures(t *testing.T) {
	for name, outputs := range map[string][]string{
		"flat": {"flat_out"}, "not flat": {"average_out"}, "both": {"flat_out", "average_out"}, "with maps": {"pool_out", "flat_out"},
	} {
		t.Run(name, func(t *testing.T) {
			m := makeModel(tinyFloat(), false)
			m.outputs = outputs
			f, err := m.read(t)
			require.NoError(t, err)
			cfg := tinyFloat()
			cfg.Head, cfg.Classes = topology.Embedding, 0
			m.requireIs(t, cfg, f)
			require.Contains(t, f.Notes[0], "embedding")
		})
	}
}

// A pooling of 2x2 pixels may halve a map, or be over all of it.
func TestReadSmallAverage(t *testing.T) {
	for name, flat := range map[string]string{"flat": "Flatten", "a shape": "Reshape", "as a convolution": ""} {
		t.Run(name, func(t *testing.T) {
			cfg := tinyFloat()
			cfg.Height, cfg.Width = 16, 16
			m := makeModel(cfg, false)
			n := m.node("average")
			n.op, n.attributes = "AveragePool", window(2, 2, 0)
			if m.node("flat").op = flat; flat == "" {
				c := m.find("fc.weight")
				c.dims = append(c.dims, 1, 1)
				n := m.node("logits")
				n.op, n.in[0], n.attributes = "Conv", "average_out", nil
				m.node("flat").op = "Flatten"
				m.insert("logits", "Flatten", "end", nil)
			}
			f, err := m.read(t)
			require.NoError(t, err)
			m.requireIs(t, cfg, f)
			m.input = []int{1, 3, 32, 32}
			_, err = m.read(t)
			require.ErrorContains(t, err, `AveragePool "average": averages 2x2 pixels, and images of 32x32 pixels give a map of 4x4`)
		})
	}
}

func TestReadEndsRefuses(t *testing.T) {
	const logits = "logits_out"
	for name, c := range map[string]struct {
		change func(m *made)
		want   []string
	}{
		"two classifiers": {func(m *made) { m.outputs = append(m.outputs, m.second("extra")) },
			[]string{`the outputs "logits_out" and "extra_out" are two different classifiers; expected one: export the network with the output that is wanted alone`}},
		"two embeddings": {func(m *made) {
			m.outputs = []string{"flat_out", m.twin("twin")}
		}, []string{`the outputs "flat_out" and "twin.flat_out" are two different embeddings`}},
		"no network": {func(m *made) { m.outputs = []string{"stem_out", "pool_out"} },
			[]string{`none of the 2 outputs is a network's logits or features; the first, "stem_out": after Conv "stem"`}},
		"no outputs": {func(m *made) { m.outputs = nil }, []string{"the graph has 0 outputs; expected 1 to 64"}},
		"many outputs": {func(m *made) {
			for i := range maxOutputs {
				m.outputs = append(m.outputs, m.beside(logits, "Relu", "r"+strconv.Itoa(i)))
			}
		}, []string{"the graph has 65 outputs"}},
		"the largest of a batch": {func(m *made) { m.outputs = []string{m.beside(logits, "ArgMax", "best")} },
			[]string{`ArgMax "best" is over the axis 0; expected the classes, 1`}},
		"a softmax of a batch": {func(m *made) { m.outputs = []string{m.beside(logits, "Softmax", "p", intAttribute("axis", 0))} },
			[]string{`Softmax "p" is over the axis 0; expected the classes, 1`}},
		"a ReLU of logits": {func(m *made) { m.outputs = []string{m.beside(logits, "Relu", "positive")} },
			[]string{`expected the end, the logits, found Relu "positive"`}},
	} {
		t.Run(name, func(t *testing.T) {
			m := makeModel(tinyFloat(), false)
			c.change(m)
			_, err := m.read(t)
			require.ErrorContains(t, err, "m.onnx: ")
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

// One output is a yes or no, whatever is done to it at the end.
func TestReadOneOutput(t *testing.T) {
	for name, op := range map[string]string{"logit": "", "sigmoid": "Sigmoid"} {
		t.Run(name, func(t *testing.T) {
			cfg := tinyFloat()
			cfg.Classes, cfg.Head = 1, topology.MultiLabel
			m := makeModel(cfg, false)
			if op != "" {
				m.outputs = []string{m.beside("logits_out", op, "p")}
			}
			f, err := m.read(t)
			require.NoError(t, err)
			m.requireIs(t, cfg, f)
			require.Len(t, f.Notes, 1)
			require.Contains(t, f.Notes[0], "has one output: a yes or no")
		})
	}
}
