package onnx

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/match"
)

// folded is a layer with its normalisation in its weights.
func folded(l match.Layer) (weight, bias []float64) {
	out := len(l.Bias)
	if l.Norm != nil {
		out = len(l.Norm.Gain)
	}
	size := len(l.Weight) / out
	for o := range out {
		factor, b := 1.0, 0.0
		if l.Bias != nil {
			b = float64(l.Bias[o])
		}
		if s := l.Norm; s != nil {
			factor = float64(s.Gain[o]) / math.Sqrt(float64(s.Variance[o])+s.Epsilon)
			b = (b-float64(s.Mean[o]))*factor + float64(s.Shift[o])
		}
		for _, w := range l.Weight[o*size:][:size] {
			weight = append(weight, float64(w)*factor)
		}
		bias = append(bias, b)
	}
	return weight, bias
}

// Arithmetic with one number for each channel behind a layer becomes part of it, whatever it is written in.
func TestReadAffine(t *testing.T) {
	a := []float32{1, 2, 0.5, -1, 3, 0.25, 1.5, 1}
	b := []float32{0, 1, -2, 0.5, 4, -0.125, 3, 0}
	of := func(i int) (float64, float64) { return float64(a[i]), float64(b[i]) }
	one := func(f, s float64) func(int) (float64, float64) { return func(int) (float64, float64) { return f, s } }
	dims := []int{1, 8, 1, 1}
	for name, c := range map[string]struct {
		norms  bool
		layer  string
		change func(m *made)
		want   func(channel int) (factor, shift float64)
	}{
		"a factor and a shift": {false, "stem", func(m *made) {
			m.insert("stem", "Mul", "mul", []string{m.numbers("a", []int{8, 1, 1}, a...)})
			m.insert("mul", "Add", "add", []string{m.numbers("b", dims, b...)})
		}, of},
		"behind a normalisation": {true, "stem", func(m *made) {
			m.insert("stem.norm", "Mul", "mul", []string{m.numbers("a", dims, a...)})
			m.insert("mul", "Add", "add", []string{m.numbers("b", dims, b...)})
		}, of},
		"two normalisations": {true, "stem", func(m *made) {
			zeros, ones := make([]float32, 8), slices.Repeat([]float32{1}, 8)
			m.insert("stem.norm", "BatchNormalization", "more", []string{m.numbers("a", []int{8}, a...), m.numbers("b", []int{8}, b...),
				m.numbers("zeros", []int{8}, zeros...), m.numbers("ones", []int{8}, ones...)}, floatAttribute("epsilon", 0))
		}, of},
		"a normalisation of a biased convolution": {false, "stem", func(m *made) {
			mean, variance := slices.Repeat([]float32{2}, 8), slices.Repeat([]float32{4}, 8)
			m.insert("stem", "BatchNormalization", "norm", []string{m.numbers("a", []int{8}, a...), m.numbers("b", []int{8}, b...),
				m.numbers("mean", []int{8}, mean...), m.numbers("variance", []int{8}, variance...)}, floatAttribute("epsilon", 0))
		}, func(i int) (float64, float64) { return float64(a[i]) / 2, float64(b[i]) - float64(a[i]) }},
		"a decomposed normalisation": {false, "stem", func(m *made) { // gain / sqrt(variance + epsilon) is computed
			m.insert("stem", "Sub", "sub", []string{m.numbers("mean", dims, b...)})
			m.numbers("variance", []int{8}, slices.Repeat([]float32{3}, 8)...)
			for _, n := range []*madeNode{
				{op: "Add", name: "plus", in: []string{"variance", m.numbers("epsilon", nil, 1)}},
				{op: "Sqrt", name: "root", in: []string{"plus"}},
				{op: "Reciprocal", name: "inverse", in: []string{"root"}},
				{op: "Mul", name: "gain", in: []string{m.numbers("a", []int{8}, a...), "inverse"}},
				{op: "Reshape", name: "shape", in: []string{"gain", m.integers("dims", 1, -1, 1, 1)}},
			} {
				n.out = []string{n.name}
				m.nodes = append(m.nodes, n)
			}
			m.insert("sub", "Mul", "mul", []string{"shape"})
		}, func(i int) (float64, float64) { return float64(a[i]) / 2, float64(b[i]) * -float64(a[i]) / 2 }},
		"channels last": {false, "stem", func(m *made) {
			m.insert("stem", "Transpose", "last", nil, intsAttribute("perm", 0, 2, 3, 1))
			m.insert("last", "Mul", "mul", []string{m.numbers("a", []int{8}, a...)})
			m.insert("mul", "Add", "add", []string{m.numbers("b", []int{1, 1, 8}, b...)})
			m.insert("add", "Transpose", "first", nil, intsAttribute("perm", 0, 3, 1, 2))
		}, of},
		"one number": {false, "stage1.block0.expand", func(m *made) {
			m.insert("stage1.block0.expand", "Div", "div", []string{m.numbers("a", nil, 4)})
			m.insert("div", "Sub", "sub", []string{m.numbers("b", []int{1}, 3)})
		}, one(0.25, -3)},
		"the other side": {false, "stem", func(m *made) {
			m.insert("stem", "Sub", "sub", nil)
			m.node("sub").in = []string{m.numbers("b", nil, 3), "stem_out"}
		}, one(-1, 3)},
		"of logits": {false, "classifier", func(m *made) {
			m.insert("logits", "Mul", "mul", []string{m.numbers("a", nil, 0.5)})
			m.insert("mul", "Add", "add", []string{m.numbers("b", []int{1, 3}, b[:3]...)})
		}, func(i int) (float64, float64) { return 0.5, float64(b[i]) }},
		"a normalisation of logits": {false, "classifier", func(m *made) {
			m.insert("logits", "BatchNormalization", "norm", []string{m.numbers("a", []int{3}, a[:3]...), m.numbers("b", []int{3}, b[:3]...),
				m.numbers("zeros", []int{3}, 0, 0, 0), m.numbers("ones", []int{3}, 1, 1, 1)}, floatAttribute("epsilon", 0))
		}, of},
		"ones and zeros": {false, "stem", func(m *made) {
			m.insert("stem_out.relu", "Mul", "mul", []string{m.numbers("a", nil, 1)})
			m.insert("mul", "Add", "add", []string{m.numbers("b", []int{1}, 0)})
		}, one(1, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			m := makeModel(tinyFloat(), c.norms)
			plain, err := m.read(t)
			require.NoError(t, err)
			weight, bias := folded(plain.Layers[c.layer])
			for i := range weight {
				factor, _ := c.want(i / (len(weight) / len(bias)))
				weight[i] *= factor
			}
			for i := range bias {
				factor, shift := c.want(i)
				bias[i] = bias[i]*factor + shift
			}
			c.change(m)
			f, err := m.read(t)
			require.NoError(t, err)
			gotWeight, gotBias := folded(f.Layers[c.layer])
			require.InDeltaSlice(t, weight, gotWeight, 1e-5)
			require.InDeltaSlice(t, bias, gotBias, 1e-5)
			for name, l := range plain.Layers {
				if name != c.layer {
					require.Equal(t, l, f.Layers[name])
				}
			}
			require.Nil(t, f.Normalisation)
		})
	}
}
