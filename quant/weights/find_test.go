package weights

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/quant/checkpoint"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/hub"
	"github.com/libresnext/libresnext/quant/match"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// tiny is a state dict with torchvision's names, and the network that it holds.
func tiny(seed uint64) (*checkpoint.Checkpoint, *float.Net) {
	n := float.Random(testnet.Tiny(resnext.ImageNetStem()), seed)
	return save(n, &dialects[0], false), n
}

// renamed is a state dict whose names are changed; an empty one is left out.
func renamed(c *checkpoint.Checkpoint, name func(string) string) *checkpoint.Checkpoint {
	r := &checkpoint.Checkpoint{Path: c.Path, Wrapper: c.Wrapper, Tensors: map[string]*checkpoint.Tensor{}}
	for _, from := range c.Order {
		if to := name(from); to != "" {
			put(r, to, c.Tensors[from].Data, c.Tensors[from].Shape...)
		}
	}
	return r
}

func prefixed(prefix string, c *checkpoint.Checkpoint) *checkpoint.Checkpoint {
	return renamed(c, func(name string) string { return prefix + name })
}

// body puts a prefix before all names but the classifier's, which get another.
func body(c *checkpoint.Checkpoint, prefix, classifier string) *checkpoint.Checkpoint {
	return renamed(c, func(name string) string {
		if rest, ok := strings.CutPrefix(name, "fc"); ok {
			if classifier == "" {
				return ""
			}
			return classifier + rest
		}
		return prefix + name
	})
}

func requireNet(t *testing.T, want, got *float.Net) {
	t.Helper()
	require.Equal(t, want.Config.Stages, got.Config.Stages)
	for name, conv := range want.Convs {
		requireClose(t, conv.Weight, got.Convs[name].Weight, name)
	}
	require.Equal(t, want.Classifier, got.Classifier)
}

// The network is found under any name, with its classifier under any usual one in a model around it; the rest is set aside.
func TestFindsTheNetwork(t *testing.T) {
	c, want := tiny(4)
	with := func(c *checkpoint.Checkpoint, name string, shape ...int) *checkpoint.Checkpoint {
		size := 1
		for _, n := range shape {
			size *= n
		}
		put(c, name, make([]float32, size), shape...)
		return c
	}
	children := strings.NewReplacer("conv1.weight", "0.weight", "bn1.", "1.", "layer1.", "4.", "layer2.", "5.")
	numbered := renamed(c, func(name string) string {
		if strings.HasPrefix(name, "layer") {
			return strings.Replace(strings.Replace(name, "layer1.", "4.", 1), "layer2.", "5.", 1)
		}
		return children.Replace(name)
	})
	for name, test := range map[string]struct {
		c     *checkpoint.Checkpoint
		notes []string
	}{
		"plain":                {c, nil},
		"DataParallel, twice":  {prefixed("module.module.", c), nil},
		"compiled":             {prefixed("_orig_mod.net.", c), nil},
		"a head beside":        {body(c, "backbone.", "head.fc"), nil},
		"a head around":        {body(c, "model.encoder.net.", "model.last_linear"), nil},
		"a sequential head":    {body(c, "model.", "model.fc.1"), nil},
		"a head of any name":   {body(c, "model.", "model.my_own.best"), nil},
		"numbered children":    {body(numbered, "backbone.", "fc"), nil},
		"children with a head": {body(numbered, "", "9"), nil},
		"fastai":               {body(numbered, "0.", "1"), nil},
		"a loss's weights":     {with(prefixed("model.", c), "criterion.pos_weight", 5), []string{"set aside, not part of the network: criterion.pos_weight"}},
		"within the model":     {with(prefixed("model.", c), "model.criterion.weight", 5), []string{"set aside, not part of the network: model.criterion"}},
		"a profiler's counters": {with(with(copied(c), "total_ops", 1), "layer1.0.conv1.total_ops", 1),
			[]string{"set aside, not part of the network: total_ops (2 tensors)"}},
		"an auxiliary head": {with(with(copied(c), "aux.conv.weight", 8, 16, 1, 1), "aux.bn.running_mean", 8), []string{"set aside, not part of the network: aux (2 tensors)"}},
		"another network's head": {with(with(prefixed("model.", c), "online.0.weight", 7, 16), "online.1.weight", 3, 7),
			[]string{"set aside, not part of the network: online (2 tensors)"}},
		"a queue": {with(prefixed("module.", c), "module.queue", 8, 64), []string{"set aside, not part of the network: module.queue"}},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := fromStateDicts([]*checkpoint.Checkpoint{test.c}, Options{}, &hub.Info{})
			require.NoError(t, err)
			requireNet(t, want, f.net)
			for i := range f.notes {
				f.notes[i], _, _ = strings.Cut(f.notes[i], ".weight")
			}
			require.Equal(t, test.notes, f.notes)
		})
	}
}

// c2 is a copy whose tensors may be added to.
func copied(c *checkpoint.Checkpoint) *checkpoint.Checkpoint { return prefixed("", c) }

// Nothing is set aside that may belong to the answer, and a head that does not run is refused with a way out.
func TestRefusesWhatMayMatter(t *testing.T) {
	c, want := tiny(4)
	for name, test := range map[string]struct {
		prefix, classifier string
		more               map[string][]int
		want               string
		embedding          bool // whether --head embedding reads it
	}{
		"two linear layers":             {"", "fc.3", map[string][]int{"fc.0.weight": {32, 16}}, "fc.3.weight, fc.0.weight: the head has several linear layers", true},
		"two heads":                     {"", "fc", map[string][]int{"head.weight": {9, 16}}, "fc.weight, head.weight: any may be the classifier", true},
		"something between":             {"backbone.", "", map[string][]int{"head.fc.weight": {5, 8}, "neck.conv.weight": {8, 16, 1, 1}}, "head.fc.weight: shape is [5 8], and the network gives 16 features", false},
		"a head of other width":         {"backbone.", "", map[string][]int{"head.fc.weight": {5, 8}}, "head.fc.weight: shape is [5 8], and the network gives 16 features", true},
		"normalisation before the head": {"backbone.", "fc", map[string][]int{"neck.running_mean": {16}, "neck.weight": {16}}, "neck.running_mean: not part of the network", true},
		"an attention of its own":       {"", "fc", map[string][]int{"attention.conv.weight": {16, 16, 3, 3}}, "attention.conv.weight: not part of the network", false},
		"a layer in a block":            {"", "fc", map[string][]int{"layer1.0.cbam.weight": {1}}, "layer1.0.cbam.weight: not part of the network", false},
		"a mask of another shape":       {"", "fc", map[string][]int{"layer1.0.conv1.weight_mask": {1}, "layer1.0.conv1.weight_orig": {1}}, "weight_mask: not part", false},
		"four channels":                 {"", "fc", map[string][]int{"conv1.weight": {64, 4, 7, 7}}, "conv1.weight: takes images of 4 channels; expected 3", false},
	} {
		t.Run(name, func(t *testing.T) {
			damaged := body(c, test.prefix, test.classifier)
			for _, tensor := range slices.Sorted(func(yield func(string) bool) {
				for k := range test.more {
					if !yield(k) {
						return
					}
				}
			}) {
				size := 1
				for _, n := range test.more[tensor] {
					size *= n
				}
				put(damaged, tensor, make([]float32, size), test.more[tensor]...)
			}
			_, err := FromCheckpoint(damaged, Options{})
			require.ErrorContains(t, err, test.want)
			n, err := FromCheckpoint(damaged, Options{Embedding: true})
			require.Equal(t, test.embedding, err == nil, "%v", err)
			if err == nil {
				require.Equal(t, topology.Embedding, n.Config.Head)
				requireClose(t, want.Convs[resnext.StemName].Weight, n.Convs[resnext.StemName].Weight, "stem")
			}
		})
	}
}

// Of several networks the averages are taken, or what the caller says; else none.
func TestSeveralNetworks(t *testing.T) {
	a, netA := tiny(4)
	b, netB := tiny(5)
	under := func(wrapper string, c *checkpoint.Checkpoint) *checkpoint.Checkpoint {
		w := copied(c)
		w.Wrapper = wrapper
		return w
	}
	half := under("half", renamed(a, func(name string) string {
		if name == "layer2.0.conv1.weight" {
			return ""
		}
		return name
	}))
	moments := &checkpoint.Checkpoint{Wrapper: "optimizer.state.0", Tensors: map[string]*checkpoint.Tensor{}}
	put(moments, "exp_avg", make([]float32, 2), 2)
	both := prefixed("encoder_q.", a)
	for _, name := range b.Order {
		put(both, "encoder_k."+name, b.Tensors[name].Data, b.Tensors[name].Shape...)
	}
	for name, c := range map[string]struct {
		all   []*checkpoint.Checkpoint
		key   string
		net   *float.Net
		notes []string
		err   string
	}{
		"timm": {[]*checkpoint.Checkpoint{under("state_dict", a), under("state_dict_ema", b)}, "", netB,
			[]string{`took the averaged weights (EMA), "state_dict_ema"; "state_dict" holds those of the last step (--key takes them)`, "set aside, not part of the network: state_dict (62 tensors)"}, ""},
		"model_ema": {[]*checkpoint.Checkpoint{under("model_ema", a), under("model", b)}, "", netA, nil, ""},
		"mmengine":  {[]*checkpoint.Checkpoint{under("state_dict", a), under("ema_state_dict", b)}, "", netA, nil, ""},
		"by key":    {[]*checkpoint.Checkpoint{under("state_dict", a), under("state_dict_ema", b)}, "state_dict", netA, nil, ""},
		"optimizer": {[]*checkpoint.Checkpoint{under("model", a), moments}, "", netA, []string{"set aside, not part of the network: optimizer.state.0.exp_avg"}, ""},
		"one whole": {[]*checkpoint.Checkpoint{half, under("other", b)}, "", netB, []string{"set aside, not part of the network: half (61 tensors)"}, ""},
		"two":       {[]*checkpoint.Checkpoint{under("model", a), under("best", b)}, "", nil, nil, `holds several networks: "model", "best"; say which one with --key NAME`},
		"in one":    {[]*checkpoint.Checkpoint{both}, "", nil, nil, `several networks: "encoder_q", "encoder_k"`},
		"one of it": {[]*checkpoint.Checkpoint{both}, "encoder_k", netB, []string{"set aside, not part of the network: encoder_q (62 tensors)"}, ""},
		"no such":   {[]*checkpoint.Checkpoint{both}, "encoder", nil, nil, `no network under the key "encoder"; there are "encoder_q", "encoder_k"`},
		"too short": {[]*checkpoint.Checkpoint{under("x.model", a), under("y.model", b)}, "model", nil, nil, `the key "model" fits several networks: "x.model", "y.model"`},
		"two averages": {[]*checkpoint.Checkpoint{under("model", a), under("ema", b), under("swa", b)}, "", nil, nil,
			`holds several networks: "model", "ema", "swa"`},
		"half of one": {[]*checkpoint.Checkpoint{half, moments}, "", nil, nil, "layer2.0.conv1.weight: missing"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := fromStateDicts(c.all, Options{Key: c.key}, &hub.Info{})
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			requireNet(t, c.net, f.net)
			if c.notes != nil {
				require.Equal(t, c.notes, f.notes)
			}
		})
	}
}

// Other forms of the same numbers are brought to the usual one.
func TestAdapts(t *testing.T) {
	c, want := tiny(4)
	weight := func(name string) []float32 { return c.Tensors[name].Data }

	pruned := renamed(c, func(name string) string {
		return strings.Replace(strings.Replace(name, "layer1.0.conv2.weight", "layer1.0.conv2.weight_orig", 1), "layer1.1.conv3.weight", "layer1.1.conv3.weight_orig", 1)
	})
	for _, name := range []string{"layer1.0.conv2.weight", "layer1.1.conv3.weight"} {
		mask := make([]float32, len(weight(name)))
		for i := range mask {
			mask[i] = float32(i % 2)
		}
		put(pruned, name+"_mask", mask, c.Tensors[name].Shape...)
	}
	n, err := FromCheckpoint(pruned, Options{})
	require.NoError(t, err)
	got, full := n.Convs["stage1.block0.transform"].Weight, want.Convs["stage1.block0.transform"].Weight
	require.InDelta(t, 0, got[0], 0)
	require.NotZero(t, full[0])

	head := copied(c)
	put(head, "fc.weight", want.Classifier.Weight, 5, 16, 1, 1)
	drop(head, "fc.bias")
	n, err = FromCheckpoint(head, Options{})
	require.NoError(t, err)
	require.Equal(t, want.Classifier.Weight, n.Classifier.Weight)
	require.Equal(t, make([]float32, 5), n.Classifier.Bias)

	one := copied(c)
	put(one, "fc.weight", want.Classifier.Weight[:16], 1, 16)
	put(one, "fc.bias", want.Classifier.Bias[:1], 1)
	n, err = FromCheckpoint(one, Options{})
	require.NoError(t, err)
	require.Equal(t, topology.MultiLabel, n.Config.Head)

	gray := copied(c)
	put(gray, "conv1.weight", weight("conv1.weight")[:64*49], 64, 1, 7, 7)
	f, err := fromStateDicts([]*checkpoint.Checkpoint{gray}, Options{}, &hub.Info{})
	require.NoError(t, err)
	require.True(t, f.gray)
	require.Contains(t, f.notes[0], "gray")
	stem := f.net.Convs[resnext.StemName].Weight
	require.InDelta(t, 0.299/0.114, stem[0]/stem[2], 1e-5)
	require.InDelta(t, 0.587/0.114, stem[1]/stem[2], 1e-5)

	for scale, suffix := range map[float32]string{1: "", 255: "data_preprocessor."} {
		prepared := body(c, "backbone.", "head.fc")
		put(prepared, suffix+"mean", []float32{0.5 * scale, 0.4 * scale, 0.3 * scale}, 3, 1, 1)
		put(prepared, suffix+"std", []float32{0.25 * scale, 0.25 * scale, 0.5 * scale}, 3, 1, 1)
		f, err := fromStateDicts([]*checkpoint.Checkpoint{prepared}, Options{}, &hub.Info{})
		require.NoError(t, err)
		require.Equal(t, &match.Normalisation{Mean: [3]float32{0.5, 0.4, 0.3}, Std: [3]float32{0.25, 0.25, 0.5}}, f.normalisation)
		require.Empty(t, f.notes)
		prepared.Tensors[suffix+"std"].Data[1] = 0
		_, err = fromStateDicts([]*checkpoint.Checkpoint{prepared}, Options{}, &hub.Info{})
		require.ErrorContains(t, err, "expected the mean and the standard deviation of images")
	}
}

// Names that ask for much work are not followed.
func TestNamesAreBounded(t *testing.T) {
	c, _ := tiny(4)
	many := copied(c)
	for i := range maxTensors {
		put(many, fmt.Sprintf("x%d", i), []float32{1}, 1)
	}
	_, err := FromCheckpoint(many, Options{})
	require.ErrorContains(t, err, "tensors in one state dict; a network of this family has at most 16384")

	deep := prefixed(strings.Repeat("a.", maxPrefix+1), c)
	_, err = FromCheckpoint(deep, Options{})
	require.ErrorContains(t, err, "no network of this family")
	_, err = FromCheckpoint(prefixed(strings.Repeat("a.", maxPrefix), c), Options{})
	require.NoError(t, err)

	crowd := &checkpoint.Checkpoint{Path: "test.pth", Tensors: map[string]*checkpoint.Tensor{}}
	for i := range 200 {
		for _, name := range []string{"layer1.0.conv1.weight", "layer1.0.conv2.weight", "layer1.0.conv3.weight"} {
			put(crowd, fmt.Sprintf("n%d.%s", i, name), []float32{1}, 1, 1, 1, 1)
		}
	}
	require.Len(t, candidates(crowd), maxCandidates)
}
