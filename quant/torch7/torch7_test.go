package torch7

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/quant/match"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// The values of a file that tests make, beside float64, string, bool and nil: fields of a table in order,
// objects of a class, tensors of floats.
type (
	fields []any // key, value, ...
	module struct {
		class  string
		fields fields
	}
	floats struct {
		kind string // Float, Cuda or Double
		dims []int
		data []float32
	}
	function struct{}
)

// encoder writes values as Torch7 does.
type encoder struct {
	bytes.Buffer
	objects int32
}

func (e *encoder) put(v any) { _ = binary.Write(e, binary.LittleEndian, v) }

func (e *encoder) text(s string) {
	e.put(int32(len(s)))
	e.WriteString(s)
}

func (e *encoder) begin(tag int32) {
	e.objects++
	e.put(tag)
	e.put(e.objects)
}

func (e *encoder) class(name string) {
	e.begin(tagClass)
	e.text("V 1")
	e.text(name)
}

func (e *encoder) value(v any) {
	switch v := v.(type) {
	case nil:
		e.put(int32(tagNil))
	case int:
		e.put(int32(tagNumber))
		e.put(float64(v))
	case float64:
		e.put(int32(tagNumber))
		e.put(v)
	case string:
		e.put(int32(tagText))
		e.text(v)
	case bool:
		e.put(int32(tagBoolean))
		e.put(map[bool]int32{true: 1}[v])
	case fields:
		e.begin(tagTable)
		e.put(int32(len(v) / 2))
		for _, x := range v {
			e.value(x)
		}
	case module:
		e.class(v.class)
		e.value(v.fields)
	case function:
		e.begin(tagFunctionNew)
		e.text("\x1bLua byte code")
		e.value(fields{1, "upvalue"})
	case floats:
		e.floats(v)
	}
}

func (e *encoder) floats(f floats) {
	e.class("torch." + f.kind + "Tensor")
	e.put(int32(len(f.dims)))
	for _, d := range f.dims {
		e.put(int64(d))
	}
	step := len(f.data)
	for _, d := range f.dims {
		step /= max(1, d)
		e.put(int64(step))
	}
	e.put(int64(3)) // two numbers of the storage come before
	e.class("torch." + f.kind + "Storage")
	e.put(int64(len(f.data) + 2))
	for _, v := range append([]float32{7, 7}, f.data...) {
		if f.kind == "Double" {
			e.put(float64(v))
		} else {
			e.put(v)
		}
	}
}

// list is a table of the integer keys from 1 on.
func list(items ...any) fields {
	var f fields
	for i, v := range items {
		f = append(f, i+1, v)
	}
	return f
}

func container(class string, items ...any) module {
	return module{class, fields{"modules", list(items...), "train", false, "gradInput", nil}}
}

// network makes the modules of a network as the ResNeXt paper's code joins them, and notes the weights.
type network struct {
	random *rand.Rand
	noted  map[string][]float32
}

func (n *network) numbers(key string, dims ...int) floats {
	size := 1
	for _, d := range dims {
		size *= d
	}
	data := make([]float32, size)
	for i := range data {
		data[i] = n.random.Float32() + 0.1
	}
	n.noted[key] = data
	return floats{"Cuda", dims, data}
}

func (n *network) conv(s resnext.ConvShape) []any {
	f := fields{"nInputPlane", s.In, "nOutputPlane", s.Out, "kW", s.Kernel, "kH", s.Kernel, "dW", s.Stride, "dH", s.Stride,
		"padW", s.Kernel / 2, "padH", s.Kernel / 2, "groups", s.Groups, "fastest", true, "convDescFunction", function{},
		"weight", n.numbers(s.Name, s.Out, s.In/s.Groups, s.Kernel, s.Kernel)}
	norm := fields{"eps", 0.001, "running_mean", n.numbers(s.Name+".mean", s.Out), "running_var", n.numbers(s.Name+".var", s.Out),
		"weight", n.numbers(s.Name+".gain", s.Out), "bias", n.numbers(s.Name+".shift", s.Out)}
	return []any{module{"cudnn.SpatialConvolution", f}, module{"nn.SpatialBatchNormalization", norm}}
}

func relu() any { return module{"cudnn.ReLU", fields{"inplace", true}} }

func (n *network) model(cfg resnext.Config) module {
	p := topology.Lower(cfg)
	var items, main []any // main is the branch of the block under way
	side := module{"nn.Identity", nil}
	for _, s := range p.Steps {
		switch {
		case s.Op == topology.MaxPool:
			items = append(items, module{"nn.SpatialMaxPooling", fields{"kW", 3, "kH", 3, "dW", 2, "dH", 2, "padW", 1, "padH", 1, "ceil_mode", false}})
		case s.Op == topology.Classify:
		case s.Block == "":
			items = append(append(items, n.conv(s.Conv)...), relu())
		case s.Role == topology.Shortcut && cfg.Stages[s.Stage].Shortcut == topology.Padded:
			side = container("nn.Sequential", module{"nn.SpatialAveragePooling", fields{"kW", 1, "kH", 1, "dW", 2, "dH", 2}}, double())
		case s.Role == topology.Shortcut:
			side = container("nn.Sequential", n.conv(s.Conv)...)
		case s.Add == topology.None:
			main = append(append(main, n.conv(s.Conv)...), relu())
		default:
			main = append(main, n.conv(s.Conv)...)
			items = append(items, container("nn.Sequential",
				container("nn.ConcatTable", container("nn.Sequential", main...), side), module{"nn.CAddTable", fields{"inplace", true}}, relu()))
			main, side = nil, module{"nn.Identity", nil}
		}
	}
	last := p.Maps[p.Head().In]
	return container("nn.Sequential", append(items,
		module{"cudnn.SpatialAveragePooling", fields{"kW", last.W, "kH", last.H, "dW", 1, "dH", 1}},
		module{"nn.View", fields{"numElements", last.Channels}},
		module{"nn.Linear", fields{"weight", n.numbers(resnext.ClassifierName, cfg.Classes, last.Channels), "bias", n.numbers("bias", cfg.Classes)}},
	)...)
}

// double adds as many channels of zeros as there are.
func double() module {
	m := container("nn.Concat", module{"nn.Identity", nil}, module{"nn.MulConstant", fields{"constant_scalar", 0}})
	m.fields = append(m.fields, "dimension", 2)
	return m
}

func encode(v any) []byte {
	var e encoder
	e.value(v)
	return e.Bytes()
}

func read(t testing.TB, b []byte) (*match.Network, error) {
	t.Helper()
	return Read(bytes.NewReader(b), int64(len(b)), "m.t7")
}

func TestRead(t *testing.T) {
	for name, cfg := range map[string]resnext.Config{
		"ImageNet form": testnet.Tiny(resnext.SimpleStem(7, 2, 8, resnext.Max3x3)),
		"CIFAR form":    testnet.Tiny(resnext.SimpleStem(3, 1, 6, resnext.NoPool)),
	} {
		for wrapper, wrap := range map[string]func(module) any{
			"bare":            func(m module) any { return m },
			"in a table":      func(m module) any { return fields{"epoch", 7, "model", m} },
			"several devices": func(m module) any { return container("nn.DataParallelTable", m, m) },
		} {
			t.Run(name+" "+wrapper, func(t *testing.T) {
				n := network{rand.New(rand.NewPCG(1, 2)), map[string][]float32{}}
				got, err := read(t, encode(wrap(n.model(cfg))))
				require.NoError(t, err)
				cfg.Name = got.Config.Name
				require.Equal(t, cfg, got.Config)
				for _, s := range cfg.Convs() {
					l := got.Layers[s.Name]
					require.Equal(t, n.noted[s.Name], l.Weight)
					require.Nil(t, l.Bias)
					require.Equal(t, n.noted[s.Name+".mean"], l.Norm.Mean)
					require.Equal(t, n.noted[s.Name+".var"], l.Norm.Variance)
					require.Equal(t, n.noted[s.Name+".gain"], l.Norm.Gain)
					require.Equal(t, n.noted[s.Name+".shift"], l.Norm.Shift)
					require.InDelta(t, 0.001, l.Norm.Epsilon, 0)
				}
				require.Equal(t, n.noted[resnext.ClassifierName], got.Layers[resnext.ClassifierName].Weight)
				require.Equal(t, n.noted["bias"], got.Layers[resnext.ClassifierName].Bias)
			})
		}
	}
}

// TestReadPaddedShortcuts: fb.resnet.torch's networks for CIFAR have shortcuts without weights.
func TestReadPaddedShortcuts(t *testing.T) {
	cfg := testnet.Tiny(resnext.SimpleStem(3, 1, 6, resnext.NoPool))
	cfg.Stages = topology.Uniform(1, []topology.Stage{
		{Kind: topology.Basic, Blocks: 1, Inner: 6, Out: 6, Stride: 1},
		{Kind: topology.Basic, Blocks: 2, Inner: 12, Out: 12, Stride: 2, Shortcut: topology.Padded},
	})
	n := network{rand.New(rand.NewPCG(1, 2)), map[string][]float32{}}
	m := n.model(cfg)
	got, err := read(t, encode(m))
	require.NoError(t, err)
	require.Equal(t, cfg, got.Config)
	want := make([]float32, 12*6)
	for c := range 6 {
		want[c*6+c] = 1
	}
	require.Equal(t, want, got.Layers["stage2.block0.shortcut"].Weight)

	end := len(items(m)) / 2
	m.fields[1] = append(items(m), end+1, module{"nn.Sigmoid", nil})
	got, err = read(t, encode(m))
	require.NoError(t, err)
	require.Equal(t, topology.MultiLabel, got.Config.Head)

	for _, change := range []func(m *module){
		func(m *module) { m.fields = m.fields[:len(m.fields)-2] },
		func(m *module) { m.fields[1] = list(module{"nn.Identity", nil}, module{"nn.Identity", nil}) },
		func(m *module) {
			m.fields[1] = list(module{"nn.Identity", nil}, module{"nn.MulConstant", fields{"constant_scalar", 1}})
		},
		func(m *module) { m.fields[1] = list(module{"nn.Identity", nil}) },
	} {
		joined := double()
		change(&joined)
		m := n.model(cfg)
		m.fields[1] = append(items(m)[:2*3:2*3], 4, joined)
		_, err := read(t, encode(m))
		require.ErrorContains(t, err, "joins more than nn.Identity and nn.MulConstant(0)")
	}
}

// items gives the modules of the model's nn.Sequential, to be changed in place.
func items(m module) fields { return m.fields[1].(fields) }

func TestReadRefuses(t *testing.T) {
	set := func(m any, key string, v any) {
		f := m.(module).fields
		f[slices.Index(f, any(key))+1] = v
	}
	for name, c := range map[string]struct {
		change func(m module) any
		want   string
	}{
		"no network":    {func(module) any { return fields{"a", 1} }, "holds no network"},
		"another layer": {func(m module) any { items(m)[5] = module{"nn.Tanh", nil}; return m }, `found nn.Tanh "model.3"`},
		"more than a softmax": {func(m module) any {
			end := len(items(m)) / 2
			m.fields[1] = append(items(m), end+1, module{"nn.LogSoftMax", nil}, end+2, module{"nn.Exp", nil})
			return m
		}, "found nn.Exp"},
		"stem stride":       {func(m module) any { set(items(m)[1], "dH", 1); return m }, "has dW 2 and dH 1; expected the same"},
		"negative":          {func(m module) any { set(items(m)[1], "dW", -2); return m }, "has dW -2"},
		"not a number":      {func(m module) any { set(items(m)[1], "kW", math.NaN()); return m }, "do not fit"},
		"absurd":            {func(m module) any { set(items(m)[1], "nOutputPlane", 1e300); return m }, "do not fit"},
		"weights missing":   {func(m module) any { set(items(m)[1], "weight", nil); return m }, `cudnn.SpatialConvolution "model.1": its weights do not fit`},
		"variances missing": {func(m module) any { set(items(m)[3], "running_var", nil); return m }, "has no running_var"},
		"weights of ints":   {func(m module) any { set(items(m)[1], "weight", floats{"Long", []int{2}, []float32{1}}); return m }, "damaged"},
		"pooling":           {func(m module) any { set(items(m)[7], "ceil_mode", true); return m }, "ceil_mode"},
		"average":           {func(m module) any { set(items(m)[len(items(m))-5], "kH", 7); return m }, "has kW 28 and kH 7"},
	} {
		t.Run(name, func(t *testing.T) {
			n := network{rand.New(rand.NewPCG(1, 2)), map[string][]float32{}}
			m := n.model(testnet.Tiny(resnext.SimpleStem(7, 2, 8, resnext.Max3x3)))
			_, err := read(t, encode(c.change(m)))
			require.ErrorContains(t, err, "m.t7: ")
			require.ErrorContains(t, err, c.want)
		})
	}
}

// Damage anywhere is an error or leaves a sound network; nothing takes memory or stack that the file has not.
func TestReadDamage(t *testing.T) {
	n := network{rand.New(rand.NewPCG(1, 2)), map[string][]float32{}}
	b := encode(n.model(testnet.Tiny(resnext.SimpleStem(3, 1, 6, resnext.NoPool))))
	for size := 0; size < len(b); size += 1 + len(b)/150 {
		_, err := newDecoder(bytes.NewReader(b), int64(size)).network()
		require.Error(t, err)
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		damaged := slices.Clone(b)
		for range 1 + random.IntN(3) {
			damaged[random.IntN(len(damaged))] ^= 1 << random.IntN(8)
		}
		if got, err := newDecoder(bytes.NewReader(damaged), int64(len(damaged))).network(); err == nil {
			require.NoError(t, got.Config.Validate())
		}
	}
	table := "\x03\x00\x00\x00"
	deep := ""
	for i := range 5000 {
		deep += table + string(binary.LittleEndian.AppendUint32(nil, uint32(i+1))) + "\x01\x00\x00\x00"
	}
	for name, c := range map[string]struct{ file, want string }{
		"deep":            {deep, "nests them more than 200 deep"},
		"many entries":    {table + "\x01\x00\x00\x00\xff\xff\xff\x7f", "cut short"},
		"long text":       {"\x02\x00\x00\x00\xff\xff\xff\x7f", "cut short"},
		"negative length": {"\x02\x00\x00\x00\xff\xff\xff\xff", "cut short"},
		"unknown tag":     {"\x63\x00\x00\x00", "tag 99"},
		"many dimensions": {"\x04\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00V 1\x11\x00\x00\x00torch.FloatTensor\xff\xff\xff\x7f", "dimensions"},
		"large storage":   {"\x04\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00V 1\x12\x00\x00\x00torch.FloatStorage\xff\xff\xff\xff\xff\xff\xff\x7f", "cut short"},
		"own contents":    {"\x04\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00V 1\x0d\x00\x00\x00nn.Sequential\x04\x00\x00\x00\x01\x00\x00\x00", "not stored as a table"},
		"class of a text": {"\x04\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00V 1\x07\x00\x00\x00nn.ReLU\x02\x00\x00\x00\x00\x00\x00\x00", "not stored as a table"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newDecoder(strings.NewReader(c.file), int64(len(c.file))).network()
			require.ErrorContains(t, err, c.want)
		})
	}
}

// A module that contains itself is an error of a line, not of a path of thousands of modules.
func TestReadEndlessModules(t *testing.T) {
	number := func(n uint32) string { return string(binary.LittleEndian.AppendUint32(nil, n)) }
	text := func(s string) string { return number(uint32(len(s))) + s }
	one := string(binary.LittleEndian.AppendUint64(nil, math.Float64bits(1)))
	file := number(tagClass) + number(1) + text("V 1") + text("nn.Sequential") +
		number(tagTable) + number(2) + number(1) + number(tagText) + text("modules") +
		number(tagTable) + number(3) + number(1) + number(tagNumber) + one + number(tagClass) + number(1)
	_, err := newDecoder(strings.NewReader(file), int64(len(file))).network()
	require.ErrorContains(t, err, "modules in modules without end")
	require.Less(t, len(err.Error()), 200)
}

func FuzzRead(f *testing.F) {
	n := network{rand.New(rand.NewPCG(1, 2)), map[string][]float32{}}
	seed := encode(n.model(testnet.Least()))
	_, err := newDecoder(bytes.NewReader(seed), int64(len(seed))).network()
	require.NoError(f, err)
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := newDecoder(bytes.NewReader(b), int64(len(b))).network(); err == nil {
			require.NoError(t, got.Config.Validate())
		}
	})
}

// TestDropout: the older kind scales in evaluation, so it is no identity.
func TestDropout(t *testing.T) {
	for name, c := range map[string]struct {
		class  string
		fields fields
		want   string
	}{
		"newer":          {"nn.Dropout", fields{"p", 0.3, "v2", true}, ""},
		"older":          {"nn.Dropout", fields{"p", 0.25, "v2", false}, `nn.Dropout "model.10": multiplies by 1-p = 0.75 in evaluation`},
		"oldest":         {"nn.Dropout", fields{"p", 0.5}, "multiplies by 1-p = 0.5"},
		"without any":    {"nn.Dropout", fields{"p", 0, "v2", false}, ""},
		"of maps":        {"nn.SpatialDropout", fields{"p", 0.5, "v2", true}, "multiplies by 1-p = 0.5"},
		"of no map":      {"nn.SpatialDropout", fields{"p", 0}, ""},
		"at inference":   {"nn.Dropout", fields{"p", 0.5, "v2", true, "stochastic_inference", true}, "stochastic_inference"},
		"not a number":   {"nn.Dropout", fields{"p", "x", "v2", false}, "multiplies by 1-p = 0.5"},
		"NaN":            {"nn.Dropout", fields{"p", math.NaN(), "v2", false}, "multiplies by 1-p = NaN"},
		"v2 of a number": {"nn.Dropout", fields{"p", 0.5, "v2", 1}, "multiplies by"},
	} {
		t.Run(name, func(t *testing.T) {
			n := network{rand.New(rand.NewPCG(1, 2)), map[string][]float32{}}
			m := n.model(testnet.Tiny(resnext.SimpleStem(7, 2, 8, resnext.Max3x3)))
			list := items(m)
			end := len(list) / 2
			classifier := list[len(list)-1]
			m.fields[1] = append(list[:len(list)-2:len(list)-2], end, module{c.class, c.fields}, end+1, classifier)
			_, err := read(t, encode(m))
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}
