package onnx

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// families are networks of each form that graphs show, by what is special about them.
func families() map[string]resnext.Config {
	all := map[string]resnext.Config{}
	add := func(name string, change func(c *resnext.Config)) {
		c := tinyFloat().Clone()
		change(&c)
		all[name] = c
	}
	each := func(change func(s *resnext.Stage)) func(c *resnext.Config) {
		return func(c *resnext.Config) {
			for i := range c.Stages {
				change(&c.Stages[i])
			}
		}
	}
	se := func(after topology.Role) topology.Gate {
		return topology.Gate{Kind: topology.SqueezeExcite, After: after, Hidden: 3}
	}
	basic := func(c *resnext.Config) {
		for i := range c.Stages {
			c.Stages[i].Kind, c.Stages[i].Cardinality, c.Stages[i].Inner = topology.Basic, 1, c.Stages[i].Out
		}
	}
	add("identity", func(*resnext.Config) {}) // the pooled stem is the first block's shortcut
	add("deep", func(c *resnext.Config) {
		c.Stages = append(c.Stages,
			resnext.Stage{Blocks: 1, Inner: 8, Out: 12, Cardinality: 2, Stride: 2, StrideOn: topology.Reduce},
			resnext.Stage{Blocks: 2, Inner: 6, Out: 20, Cardinality: 3, Stride: 1})
	})
	add("CIFAR form", func(c *resnext.Config) {
		c.Stem, c.Height, c.Width = resnext.CIFARStem(), 32, 32
		resnext.Uniform(1, c.Stages)
	})
	add("not square", func(c *resnext.Config) { c.Height, c.Width = 64, 96 })
	add("basic blocks", basic)
	add("deep stem", func(c *resnext.Config) {
		c.Stem.Convs = []topology.StemConv{{Kernel: 3, Stride: 2, Width: 4}, {Kernel: 3, Stride: 1, Width: 6}, {Kernel: 3, Stride: 1, Width: 8}}
	})
	add("stem of two strides", func(c *resnext.Config) {
		c.Stem = topology.Stem{Convs: []topology.StemConv{{Kernel: 3, Stride: 2, Width: 4}, {Kernel: 3, Stride: 2, Width: 8}}}
	})
	add("averaged stem", func(c *resnext.Config) { c.Stem.Pool, c.Height = topology.Average2x2, 61 })
	add("averaged shortcuts", func(c *resnext.Config) { c.Stages[1].Shortcut, c.Width = topology.AveragedProjection, 61 })
	add("padded shortcuts", func(c *resnext.Config) {
		basic(c)
		c.Stages[1].Shortcut = topology.Padded
		c.Stages = append(c.Stages, resnext.Stage{Kind: topology.Basic, Blocks: 1, Inner: 17, Out: 17, Cardinality: 1, Stride: 1, Shortcut: topology.Padded})
	})
	add("anti-aliased", func(c *resnext.Config) { c.Stages[1].AntiAlias, c.Height = topology.Average2x2, 49 })
	add("anti-aliased basic blocks", func(c *resnext.Config) {
		basic(c)
		c.Stages[1].AntiAlias, c.Stages[1].Shortcut = topology.Average2x2, topology.AveragedProjection
	})
	add("SE", each(func(s *resnext.Stage) { s.Gate = se(topology.Expand) }))
	add("SE in the middle", each(func(s *resnext.Stage) { s.Gate = se(topology.Transform) }))
	add("SE of basic blocks", func(c *resnext.Config) {
		basic(c)
		each(func(s *resnext.Stage) { s.Gate = se(topology.Second) })(c)
	})
	add("SE behind anti-aliasing", func(c *resnext.Config) {
		c.Stages[1].AntiAlias, c.Stages[1].Gate = topology.Average2x2, se(topology.Transform)
	})
	add("ECA", each(func(s *resnext.Stage) {
		s.Gate = topology.Gate{Kind: topology.NeighbourGate, After: topology.Expand, Kernel: 5}
	}))
	add("gates of several kinds", func(c *resnext.Config) {
		c.Stages[0].Gate = se(topology.Reduce)
		c.Stages[1].Gate = topology.Gate{Kind: topology.NeighbourGate, After: topology.Transform, Kernel: 1}
	})
	add("a RegNet", func(c *resnext.Config) {
		c.Stem, c.Stages[0].Stride, c.Stages[1].Cardinality = topology.SimpleStem(3, 2, 6, topology.NoPool), 2, 4
		c.Stages[0].Gate = se(topology.Transform)
	})
	add("embedding", func(c *resnext.Config) { c.Head, c.Classes = topology.Embedding, 0 })
	add("labels", func(c *resnext.Config) { c.Head = topology.MultiLabel })
	return all
}

func TestReadNetworks(t *testing.T) {
	for name, cfg := range families() {
		for _, norms := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				m := makeModel(cfg, norms)
				slices.Reverse(m.nodes)
				f, err := m.read(t)
				require.NoError(t, err)
				m.requireIs(t, cfg, f)
				require.True(t, f.Sized)
				require.Equal(t, 17, f.Opset)
				require.Equal(t, "tests", f.Producer)
			})
		}
	}
}

// Every way of writing the same network must give the same numbers.
func TestReadForms(t *testing.T) {
	cfg := tinyFloat()
	int64s := func(v ...int64) []byte { return raw(v...) }
	for name, change := range map[string]func(t *testing.T, m *made){
		"oldest opset": func(_ *testing.T, m *made) { m.opset = 7 },
		"newest opset": func(_ *testing.T, m *made) { m.opset = 24 },
		"open size":    func(_ *testing.T, m *made) { m.input = []int{0, 3, 0, 0} },
		"identities, dropout, casts": func(_ *testing.T, m *made) {
			m.insert("stem", "Identity", "same", nil)
			m.insert("average", "Dropout", "drop", nil)
			m.insert("pool", "Cast", "cast", nil, intAttribute("to", 1))
			m.insert("logits", "Identity", "end", nil)
		},
		"weights behind identities": func(_ *testing.T, m *made) {
			m.node("stem").in[1] = "copy_out"
			m.nodes = append(m.nodes, &madeNode{op: "Identity", name: "copy", in: []string{"stem.weight"}, out: []string{"copy_out"}})
		},
		"weights in Constant nodes": func(_ *testing.T, m *made) {
			c := m.find("stage1.block0.transform.weight")
			m.nodes = append(m.nodes, &madeNode{op: "Constant", name: "k", out: []string{"k_out"}, attributes: []attribute{tensorAttribute("value", c.bytes())}})
			m.node("stage1.block0.transform").in[1] = "k_out"
			c.encoded = encodeTensor(c.name, float32Type, []int{0}, nil) // nobody's
		},
		"constants that are inputs too": func(_ *testing.T, m *made) { m.asInputs = true },
		"packed float_data": func(_ *testing.T, m *made) {
			c := m.find("fc.weight")
			c.encoded = appendBytes(typed(c, float32Type), tensorFloatData, raw(c.values...))
		},
		"loose float_data": func(_ *testing.T, m *made) {
			c := m.find("fc.bias")
			c.encoded = typed(c, float32Type)
			for _, v := range c.values {
				c.encoded = protowire.AppendTag(c.encoded, tensorFloatData, protowire.Fixed32Type)
				c.encoded = protowire.AppendFixed32(c.encoded, math.Float32bits(v))
			}
		},
		"double": func(_ *testing.T, m *made) {
			c := m.find("stem.weight")
			var b []byte
			for _, v := range c.values {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(v)))
			}
			c.encoded = appendBytes(typed(c, float64Type), tensorRawData, b)
			other := m.find("fc.weight")
			b = nil
			for _, v := range other.values {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(v)))
			}
			other.encoded = appendBytes(typed(other, float64Type), tensorDoubleData, b)
		},
		"bfloat16": func(_ *testing.T, m *made) {
			c, d := m.find("stem.weight"), m.find("fc.bias")
			var raw, packed []byte
			for i, v := range c.values {
				bits := math.Float32bits(v) >> 16
				c.values[i] = math.Float32frombits(bits << 16)
				raw = binary.LittleEndian.AppendUint16(raw, uint16(bits))
			}
			for i, v := range d.values {
				bits := math.Float32bits(v) >> 16
				d.values[i] = math.Float32frombits(bits << 16)
				packed = protowire.AppendVarint(packed, uint64(bits))
			}
			c.encoded = appendBytes(typed(c, bfloat16Type), tensorRawData, raw)
			d.encoded = appendBytes(typed(d, bfloat16Type), tensorInt32Data, packed)
		},
		"Clip by attributes": func(_ *testing.T, m *made) {
			n := m.node("stem_out.relu")
			n.op, n.attributes = "Clip", []attribute{floatAttribute("min", 0), floatAttribute("max", math.MaxFloat32)}
		},
		"Clip by inputs": func(_ *testing.T, m *made) {
			m.constants = append(m.constants, &madeConstant{name: "zero", values: []float32{0}})
			n := m.node("stem_out.relu")
			n.op, n.in = "Clip", append(n.in, "zero", "")
		},
		"ReduceMean by attribute": func(_ *testing.T, m *made) {
			n := m.node("average")
			n.op, n.attributes = "ReduceMean", []attribute{intsAttribute("axes", -1, -2), intAttribute("keepdims", 0)}
		},
		"ReduceMean by input": func(_ *testing.T, m *made) {
			m.constants = append(m.constants, &madeConstant{name: "axes", encoded: encodeTensor("axes", int64Type, []int{2}, int64s(2, 3))})
			n := m.node("average")
			n.op, n.in = "ReduceMean", append(n.in, "axes")
		},
		"average of a fixed size": func(_ *testing.T, m *made) {
			n := m.node("average")
			n.op, n.attributes = "AveragePool", []attribute{intsAttribute("kernel_shape", 28, 28), intsAttribute("strides", 28, 28)}
		},
		"Reshape by the batch": func(_ *testing.T, m *made) {
			m.constants = append(m.constants, &madeConstant{name: "rest", encoded: encodeTensor("rest", int64Type, []int{1}, int64s(-1))})
			m.nodes = append(m.nodes,
				&madeNode{op: "Shape", name: "shape", in: []string{"average_out"}, out: []string{"shape_out"}},
				&madeNode{op: "Concat", name: "concat", in: []string{"shape_out", "rest"}, out: []string{"concat_out"}})
			n := m.node("flat")
			n.op, n.in = "Reshape", append(n.in, "concat_out")
		},
		"Squeeze": func(_ *testing.T, m *made) { m.node("flat").op = "Squeeze" },
		"Gemm of the other order": func(_ *testing.T, m *made) {
			c := m.find("fc.weight")
			c.encoded = encodeTensor(c.name, float32Type, []int{12, 3}, raw(transpose(c.values, 3, 12)...))
			m.node("logits").attributes = nil
		},
		"Gemm with factors": func(_ *testing.T, m *made) {
			for _, name := range []string{"fc.weight", "fc.bias"} {
				c := m.find(name)
				c.encoded = c.bytes()
				for i := range c.values {
					c.values[i] *= map[string]float32{"fc.weight": 0.5, "fc.bias": 2}[name]
				}
			}
			n := m.node("logits")
			n.attributes = append(n.attributes, floatAttribute("alpha", 0.5), floatAttribute("beta", 2))
		},
		"MatMul and Add": func(_ *testing.T, m *made) {
			m.nodes = append(m.nodes, &madeNode{op: "Transpose", name: "turn", in: []string{"fc.weight"}, out: []string{"turned"}, attributes: []attribute{intsAttribute("perm", 1, 0)}})
			n := m.node("logits")
			n.op, n.in, n.attributes = "MatMul", []string{n.in[0], "turned"}, nil
			m.insert("logits", "Add", "bias", []string{"fc.bias"})
			m.node("bias").in = []string{"fc.bias", "logits_out"}
		},
		"channels last": func(_ *testing.T, m *made) {
			m.input = []int{1, 224, 224, 3}
			toFirst, toLast := intsAttribute("perm", 0, 3, 1, 2), intsAttribute("perm", 0, 2, 3, 1)
			m.prepare("Transpose", "first", nil, toFirst)
			m.insert("stem", "Transpose", "last", nil, toLast)
			m.insert("stem_out.relu", "Transpose", "back", nil, toFirst)
			for _, name := range []string{"stage2.block1.expand", "stage2.block0.sum_out.relu"} {
				m.insert(name, "Transpose", name+".last", nil, toLast)
			}
			n := m.node("average")
			n.op, n.attributes = "ReduceMean", []attribute{intsAttribute("axes", 1, 2), intAttribute("keepdims", 0)}
			m.node("stage2.block1.reduce").in[0] = "stage2.block0.sum_out.relu_out"
		},
		"edges of channels last": func(_ *testing.T, m *made) {
			m.input = []int{1, 224, 224, 3}
			m.prepare("Pad", "edges", []string{m.integers("pads", 0, 3, 3, 0, 0, 3, 3, 0)})
			m.prepare("Transpose", "first", nil, intsAttribute("perm", 0, 3, 1, 2))
			m.node("stem").set("pads", intsAttribute("pads", 0, 0, 0, 0))
		},
		"edges around maps": func(_ *testing.T, m *made) {
			m.insert("stem_out.relu", "Pad", "more", []string{m.integers("pads", 1, 1, 1, 1), "", m.integers("axes", 2, -1)})
			m.node("pool").set("pads", intsAttribute("pads", 0, 0, 0, 0))
			m.insert("stage1.block0.reduce_out.relu", "Pad", "parts", []string{m.integers("some", 0, 0, 1, 0, 0, 0, 0, 1)})
			m.node("stage1.block0.transform").set("pads", intsAttribute("pads", 0, 1, 1, 0))
			m.insert("pool", "Pad", "nothing", []string{m.integers("none", 0, 0, 0, 0, 0, 0, 0, 0)})
		},
		"edges of the least number": func(_ *testing.T, m *made) {
			m.insert("stem_out.relu", "Pad", "more", []string{m.integers("pads", 0, 0, 1, 1, 0, 0, 1, 1), m.numbers("least", nil, float32(math.Inf(-1)))})
			m.node("pool").set("pads", intsAttribute("pads", 0, 0, 0, 0))
		},
		"a mean of means": func(_ *testing.T, m *made) {
			n := m.node("average")
			n.op, n.attributes = "ReduceMean", []attribute{intsAttribute("axes", 3), intAttribute("keepdims", 0)}
			m.insert("average", "ReduceMean", "more", nil, intsAttribute("axes", 2), intAttribute("keepdims", 0))
		},
		"a mean of means of columns": func(_ *testing.T, m *made) {
			n := m.node("average")
			n.op, n.attributes = "ReduceMean", []attribute{intsAttribute("axes", 2), intAttribute("keepdims", 0)}
			m.insert("average", "ReduceMean", "more", nil, intsAttribute("axes", 2)) // what was the last axis
		},
		"a mean of means of rows": func(_ *testing.T, m *made) {
			n := m.node("average")
			n.op, n.in = "ReduceMean", append(n.in, m.integers("rows", -2))
			m.insert("average", "ReduceMean", "more", []string{m.integers("columns", -1)})
		},
		"weights in another order": func(_ *testing.T, m *made) {
			c := m.find("stage1.block0.transform.weight") // [4,2,3,3] as [3,3,2,4]
			var turned []float32
			for at := range 3 * 3 * 2 * 4 {
				turned = append(turned, c.values[(at%4*2+at/4%2)*9+at/8])
			}
			m.numbers("turned", []int{3, 3, 2, 4}, turned...)
			m.nodes = append(m.nodes,
				&madeNode{op: "Cast", name: "cast", in: []string{"turned"}, out: []string{"cast_out"}, attributes: []attribute{intAttribute("to", 1)}},
				&madeNode{op: "Transpose", name: "turn", in: []string{"cast_out"}, out: []string{"turn_out"}, attributes: []attribute{intsAttribute("perm", 3, 2, 0, 1)}})
			m.node("stage1.block0.transform").in[1] = "turn_out"
		},
		"weights in another shape": func(_ *testing.T, m *made) {
			m.find("stem.weight").encoded = encodeTensor("stem.weight", float32Type, []int{8, 147}, raw(m.find("stem.weight").values...))
			m.find("stem.bias").encoded = encodeTensor("stem.bias", float32Type, []int{1, 8, 1}, raw(m.find("stem.bias").values...))
			m.nodes = append(m.nodes,
				&madeNode{op: "Reshape", name: "shape", in: []string{"stem.weight", m.integers("four", 0, 3, -1, 7)}, out: []string{"shape_out"}},
				&madeNode{op: "Squeeze", name: "squeeze", in: []string{"stem.bias"}, out: []string{"squeeze_out"}})
			m.node("stem").in = []string{"image", "shape_out", "squeeze_out"}
		},
		"features and maps as outputs too": func(_ *testing.T, m *made) {
			m.outputs = []string{"stem_out", "pool_out", "flat_out", "average_out", m.outputs[0]}
		},
		"sums of two": func(_ *testing.T, m *made) { m.node("stage1.block1.sum").op = "Sum" },
		"automatic padding": func(_ *testing.T, m *made) {
			m.node("stage1.block0.transform").attributes = []attribute{stringAttribute("auto_pad", "SAME_UPPER"), intAttribute("group", 2)}
			m.node("stage1.block0.reduce").attributes = []attribute{stringAttribute("auto_pad", "VALID")}
		},
		"a long way of saying zero": func(_ *testing.T, m *made) {
			m.constants = append(m.constants, &madeConstant{name: "null", values: []float32{0}})
			m.nodes = append(m.nodes,
				&madeNode{op: "CastLike", name: "like", in: []string{"null", "image"}, out: []string{"like_out"}},
				&madeNode{op: "Expand", name: "wide", in: []string{"like_out", "some_shape"}, out: []string{"wide_out"}})
			clear(m.find("stem.bias").values)
			m.node("stem").in[2] = "wide_out"
		},
		// PyTorch's exporter writes equal constants once.
		"zeros as the biases of two convolutions": func(_ *testing.T, m *made) {
			clear(m.find("stage2.block0.transform.bias").values)
			m.find("stage2.block1.reduce.bias").values = m.find("stage2.block0.transform.bias").values
			m.node("stage2.block1.reduce").in[2] = "stage2.block0.transform.bias"
		},
		"nodes that lead nowhere": func(_ *testing.T, m *made) {
			m.nodes = append(m.nodes, &madeNode{op: "Sigmoid", name: "aside", in: []string{"logits_out"}, out: []string{"aside_out"}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := makeModel(cfg, false)
			change(t, m)
			f, err := m.read(t)
			require.NoError(t, err)
			m.requireIs(t, cfg, f)
		})
	}
}

// A batch normalisation takes the biases of the convolution in front of it away, or adds to them; that two have the same
// ones says nothing.
func TestReadSharedBiasesBeforeNorms(t *testing.T) {
	m := makeModel(tinyFloat(), true)
	shared := m.numbers("shared", []int{8}, 1, 2, 3, 4, 5, 6, 7, 8)
	for _, name := range []string{"stage2.block0.transform", "stage2.block1.transform"} {
		m.node(name).in = append(m.node(name).in, shared)
	}
	f, err := m.read(t)
	require.NoError(t, err)
	for _, name := range []string{"stage2.block0.transform", "stage2.block1.transform"} {
		require.Equal(t, m.find("shared").values, f.Layers[name].Bias)
		require.Equal(t, m.find(name+".mean").values, f.Layers[name].Norm.Mean)
	}
}

// typed begins a tensor of another type or form.
func typed(c *madeConstant, kind dataType) []byte {
	var b []byte
	for _, d := range c.dims {
		b = appendInt(b, tensorDims, d)
	}
	return appendString(appendInt(b, tensorDataType, int(kind)), tensorName, c.name)
}

// A file that is cut anywhere is an error, and so is one with any byte changed in its structure, or its
// network is sound.
func TestReadDamage(t *testing.T) {
	for name, cfg := range families() {
		t.Run(name, func(t *testing.T) {
			b := makeModel(cfg, true).encode()
			path := filepath.Join(t.TempDir(), "m.onnx")
			try := func(b []byte) error {
				require.NoError(t, os.WriteFile(path, b, 0o600))
				f, err := readFile(t, path)
				if err == nil {
					require.NoError(t, f.Config.Validate())
					for _, s := range topology.Lower(f.Config).Layers() {
						require.Len(t, f.Layers[s.Name].Weight, s.Weights())
					}
				} else {
					require.ErrorContains(t, err, path+": ")
				}
				return err
			}
			require.NoError(t, try(b))
			tries := 40
			if name == "identity" {
				tries = 300
				for n := 0; n < len(b); n += 1 + len(b)/97 {
					require.Error(t, try(b[:n]), "%d bytes", n)
				}
			}
			random := rand.New(rand.NewPCG(3, 4))
			for range tries {
				damaged := slices.Clone(b)
				for range 3 {
					damaged[random.IntN(len(damaged))] ^= 1 << random.IntN(8)
				}
				_ = try(damaged)
			}
		})
	}
}

// What a file claims must not be taken from memory before the file is known to have it.
func TestReadTakesNoMemoryForClaims(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, dims := range [][]int{{1 << 30, 3, 7, 7}, {8, 3, 1 << 30, 1 << 30}, {1 << 30, 1 << 30, 1 << 30, 1 << 30}, {-8, 3, 7, 7}} {
		m := makeModel(tinyFloat(), false)
		m.find("stem.weight").dims = dims
		_, err := m.read(t)
		require.ErrorContains(t, err, `Conv "stem"`)
		require.ErrorContains(t, err, `tensor "stem.weight"`)
	}
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20))
}

func FuzzReadFloat(f *testing.F) {
	least := testnet.Least()
	gated, padded := least.Clone(), least.Clone()
	gated.Stages[0].Gate = topology.Gate{Kind: topology.SqueezeExcite, After: topology.Transform, Hidden: 1}
	padded.Stages = append(padded.Stages, resnext.Stage{
		Blocks: 1, Inner: 1, Out: 3, Cardinality: 1, Stride: 2, Shortcut: topology.Padded, AntiAlias: topology.Average2x2,
		Gate: topology.Gate{Kind: topology.NeighbourGate, After: topology.Expand, Kernel: 3},
	})
	prepared := makeModel(least, false)
	prepared.prepare("Transpose", "first", nil, intsAttribute("perm", 0, 3, 1, 2))
	prepared.prepare("Gather", "turn", []string{prepared.integers("turned", 2, 1, 0)}, intAttribute("axis", 1))
	prepared.prepare("Div", "scale", []string{prepared.numbers("std", []int{1, 3, 1, 1}, 58, 57, 57)})
	prepared.prepare("Pad", "edges", []string{prepared.integers("pads", 0, 0, 0, 0, 0, 0, 0, 0)})
	prepared.insert("stem", "Mul", "gain", []string{prepared.numbers("factor", nil, 2)})
	prepared.insert("logits", "ArgMax", "class", nil, intAttribute("axis", 1))
	prepared.input = []int{1, prepared.input[2], prepared.input[3], 3}
	prepared.outputs = append(prepared.outputs, "logits_out")
	_, err := prepared.read(f)
	require.NoError(f, err)
	f.Add(prepared.encode())
	for _, cfg := range []resnext.Config{least, gated, padded} {
		for _, norms := range []bool{true, false} {
			m := makeModel(cfg, norms)
			_, err := m.read(f)
			require.NoError(f, err)
			f.Add(m.encode())
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "m.onnx")
		require.NoError(t, os.WriteFile(path, b, 0o600))
		if n, err := readFile(t, path); err == nil {
			require.NoError(t, n.Config.Validate())
		}
	})
}
