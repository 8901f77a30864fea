package weights

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/quant/checkpoint"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/hub"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

func put(c *checkpoint.Checkpoint, name string, data []float32, shape ...int) {
	if c.Tensors[name] == nil {
		c.Order = append(c.Order, name)
	}
	c.Tensors[name] = &checkpoint.Tensor{Name: name, Shape: shape, DType: "float32", Data: data}
}

func drop(c *checkpoint.Checkpoint, name string) {
	delete(c.Tensors, name)
	c.Order = slices.DeleteFunc(c.Order, func(n string) bool { return n == name })
}

// save makes a checkpoint in which folding gives n back: with a random normalisation behind every
// convolution, or, if folded, with biases and no normalisation.
func save(n *float.Net, d *dialect, folded bool) *checkpoint.Checkpoint {
	c := &checkpoint.Checkpoint{Path: "test.pth", Tensors: make(map[string]*checkpoint.Tensor)}
	r := rand.New(rand.NewPCG(9, 9))
	modules := d.modules(func(string) bool { return false }, n.Config, places(n.Config))
	for _, s := range n.Config.Convs() {
		conv, m := n.Convs[s.Name], modules[s.Name]
		size := s.Kernel * s.Kernel
		in := s.In / s.Groups
		w := make([]float32, len(conv.Weight))
		gain, shift, mean, variance := make([]float32, s.Out), make([]float32, s.Out), make([]float32, s.Out), make([]float32, s.Out)
		for o := range s.Out {
			gain[o], mean[o], variance[o] = 0.5+r.Float32(), r.Float32()-0.5, 0.1+r.Float32()
			factor := float32(1)
			if !folded {
				factor = gain[o] / float32(math.Sqrt(float64(variance[o])+1e-5))
			}
			shift[o] = conv.Bias[o] + mean[o]*factor
			for t := range size {
				for i := range in {
					w[(o*in+i)*size+t] = conv.Weight[(o*size+t)*in+i] / factor
				}
			}
		}
		put(c, m.conv+".weight", w, s.Out, in, s.Kernel, s.Kernel)
		if folded {
			put(c, m.conv+".bias", conv.Bias, s.Out)
			continue
		}
		put(c, m.norm+".weight", gain, s.Out)
		put(c, m.norm+".bias", shift, s.Out)
		put(c, m.norm+".running_mean", mean, s.Out)
		put(c, m.norm+".running_var", variance, s.Out)
		put(c, m.norm+".num_batches_tracked", []float32{7})
	}
	for _, s := range topology.Lower(n.Config).Steps {
		for _, l := range s.Gate {
			conv, name := n.Convs[l.Name], modules[l.Name].conv
			if s.GateKind == topology.NeighbourGate {
				put(c, name+".weight", conv.Weight, 1, 1, l.In)
				clear(conv.Bias) // it has none
				continue
			}
			put(c, name+".weight", conv.Weight, l.Out, l.In, 1, 1)
			put(c, name+".bias", conv.Bias, l.Out)
		}
	}
	name := modules[resnext.ClassifierName].conv
	put(c, name+".weight", n.Classifier.Weight, n.Config.Classes, n.Config.Features())
	put(c, name+".bias", n.Classifier.Bias, n.Config.Classes)
	return c
}

func requireClose(t *testing.T, want, got []float32, name string) {
	t.Helper()
	require.Len(t, got, len(want), name)
	for i := range want {
		require.InDelta(t, want[i], got[i], 1e-5, "%s element %d", name, i)
	}
}

// numberedFrom is a dialect whose first stage has a number, where any may have.
func numberedFrom(d *dialect, first int) *dialect {
	n := *d
	if n.first == anyFirst {
		n.first = first
	}
	return &n
}

// forms are small networks that a dialect names: both stems, or that of a RegNet, and gates of every kind,
// squeeze and excitation last.
func forms(d *dialect) []resnext.Config {
	list := []resnext.Config{testnet.Tiny(resnext.ImageNetStem()), testnet.Tiny(resnext.CIFARStem())}
	after := topology.Expand
	if d.regNet {
		cfg := testnet.Tiny(topology.RegNetStem())
		cfg.Stages[0].Stride, cfg.Height, cfg.Width = 2, 224, 224
		list, after = []resnext.Config{cfg}, topology.Transform
	}
	gated := func(role topology.Role, gate topology.Gate) {
		if len(d.layers[role]) > 0 {
			cfg := list[0].Clone()
			for i := range cfg.Stages {
				cfg.Stages[i].Gate = gate
			}
			list = append(list, cfg)
		}
	}
	gated(topology.Neighbours, topology.Gate{Kind: topology.NeighbourGate, After: after, Kernel: 5})
	gated(topology.Squeeze, topology.Gate{Kind: topology.SqueezeExcite, After: after, Hidden: 3})
	return list
}

// Every dialect must give the network back, with and without normalisation, whatever the stem.
func TestDialects(t *testing.T) {
	for i := range dialects {
		d := numberedFrom(&dialects[i], 4)
		for _, form := range forms(d) {
			for _, folded := range []bool{false, true} {
				want := float.Random(form, 4)
				c := save(want, d, folded)
				slices.Reverse(c.Order)
				got, err := FromCheckpoint(c, Options{Arch: "auto"})
				require.NoError(t, err, d.title)
				require.Equal(t, want.Config, got.Config)
				require.Len(t, got.Convs, len(want.Convs))
				for name, conv := range want.Convs {
					require.Equal(t, conv.Shape, got.Convs[name].Shape)
					requireClose(t, conv.Weight, got.Convs[name].Weight, name)
					requireClose(t, conv.Bias, got.Convs[name].Bias, name)
				}
				require.Equal(t, want.Classifier, got.Classifier)
				got.Classifier.Weight[0]++
				require.NotEqual(t, want.Classifier.Weight[0], got.Classifier.Weight[0], "the network must not share the checkpoint's memory")
			}
		}
	}
}

// CIFAR code has other names for projection and classifier.
func TestOtherNames(t *testing.T) {
	want := float.Random(testnet.Tiny(resnext.CIFARStem()), 4)
	c := save(want, &dialects[0], false)
	other := strings.NewReplacer("downsample.", "shortcut.", "fc.", "linear.")
	for _, name := range slices.Clone(c.Order) {
		if to := other.Replace(name); to != name {
			put(c, to, c.Tensors[name].Data, c.Tensors[name].Shape...)
			drop(c, name)
		}
	}
	got, err := FromCheckpoint(c, Options{})
	require.NoError(t, err)
	require.Equal(t, want.Config, got.Config)
	require.Equal(t, want.Classifier, got.Classifier)
}

// The layers of a gate may have other names, and be linear layers without biases.
func TestLinearGates(t *testing.T) {
	d := &dialects[0]
	all := forms(d)
	want := float.Random(all[len(all)-1], 4)
	c := save(want, d, false)
	other := strings.NewReplacer(".se.fc1.", ".se.fc.0.", ".se.fc2.", ".se.fc.2.")
	for _, name := range slices.Clone(c.Order) {
		if to := other.Replace(name); to != name {
			if strings.HasSuffix(name, ".weight") {
				put(c, to, c.Tensors[name].Data, c.Tensors[name].Shape[:2]...)
			}
			drop(c, name)
		}
	}
	got, err := FromCheckpoint(c, Options{})
	require.NoError(t, err)
	require.Equal(t, want.Config, got.Config)
	for _, role := range []topology.Role{topology.Squeeze, topology.Excite} {
		name := topology.LayerName("stage1.block1", role)
		require.Equal(t, want.Convs[name].Weight, got.Convs[name].Weight)
		require.Zero(t, slices.Max(got.Convs[name].Bias))
	}
	put(c, "layer1.1.se.fc.2.weight", make([]float32, 24), 3, 8)
	_, err = FromCheckpoint(c, Options{})
	require.ErrorContains(t, err, "layer1.1.se.fc.2.weight: shape is [3 8], expected [12 3]")
	put(c, "layer1.0.se.fc.0.weight", make([]float32, 1<<16), 1<<16)
	_, err = FromCheckpoint(c, Options{})
	require.ErrorContains(t, err, "layer1.0.se.fc.0.weight: shape is [65536], expected 4 dimensions")
}

// A network that is whole but for its classifier gives its features.
func TestWithoutClassifier(t *testing.T) {
	want := float.Random(testnet.Tiny(resnext.CIFARStem()), 4)
	c := save(want, &dialects[0], false)
	drop(c, "fc.weight")
	_, err := FromCheckpoint(c, Options{})
	require.ErrorContains(t, err, "fc.weight: missing", "there is a bias")
	drop(c, "fc.bias")
	n, err := FromCheckpoint(c, Options{})
	require.NoError(t, err)
	require.Equal(t, topology.Embedding, n.Config.Head)
	require.Zero(t, n.Config.Classes)
	require.Zero(t, n.Classifier)
	put(c, "new_head.weight", want.Classifier.Weight, want.Classifier.Shape.Out, want.Classifier.Shape.In)
	n, err = FromCheckpoint(c, Options{})
	require.NoError(t, err)
	require.Equal(t, want.Classifier.Weight, n.Classifier.Weight)
}

// A convolution's bias in front of a normalisation is folded too.
func TestBiasBeforeNormalisation(t *testing.T) {
	want := float.Random(testnet.Tiny(resnext.CIFARStem()), 4)
	c := save(want, &dialects[0], false)
	bias := make([]float32, want.Config.Stem.Convs[0].Width)
	for i := range bias {
		bias[i] = float32(i)
		c.Tensors["bn1.running_mean"].Data[i] += bias[i]
	}
	put(c, "conv1.bias", bias, len(bias))
	got, err := FromCheckpoint(c, Options{})
	require.NoError(t, err)
	for i, v := range want.Convs[resnext.StemName].Bias {
		require.InDelta(t, v, got.Convs[resnext.StemName].Bias[i], 1e-4)
	}
}

// Filters that training has switched off have a variance of zero.
func TestDeadFilterStaysFinite(t *testing.T) {
	n := float.Random(testnet.Tiny(resnext.CIFARStem()), 4)
	c := save(n, &dialects[0], false)
	c.Tensors["bn1.running_var"].Data[3] = 0
	c.Tensors["bn1.weight"].Data[3] = 0
	c.Tensors["bn1.running_var"].Data[4] = 0
	c.Tensors["bn1.weight"].Data[4] = 1e-30
	got, err := FromCheckpoint(c, Options{})
	require.NoError(t, err)
	stem := got.Convs[resnext.StemName]
	require.Negative(t, firstNonFinite(stem.Weight))
	require.Equal(t, make([]float32, 27), stem.Weight[3*27:4*27])
	require.Equal(t, c.Tensors["bn1.bias"].Data[3], stem.Bias[3])
}

func TestArchitecture(t *testing.T) {
	cfg, err := resnext.Named("resnext11_4x4d_w1")
	require.NoError(t, err)
	c := save(float.Random(cfg, 4), &dialects[1], false)
	for _, arch := range []string{"", "auto", "resnext11_4x4d_w1"} {
		n, err := FromCheckpoint(c, Options{Arch: arch})
		require.NoError(t, err)
		require.Equal(t, "resnext11_4x4d_w1", n.Config.Name)
	}
	_, err = FromCheckpoint(c, Options{Arch: "resnext20_4x8d_w1"})
	require.ErrorContains(t, err, "not resnext20_4x8d_w1 but resnext11_4x4d_w1")
	require.ErrorContains(t, err, "blocks of stage 2: resnext20_4x8d_w1 has 2, the tensors have 1")
	require.ErrorContains(t, err, "inner width of stage 1")
	require.NotContains(t, err.Error(), "cardinality")
	_, err = FromCheckpoint(c, Options{Arch: "resnext50_32x4d"})
	require.ErrorContains(t, err, "stem: resnext50_32x4d has 7x7, 64 channels, the tensors have 3x3, 64 channels")
	require.ErrorContains(t, err, "number of stages")
	_, err = FromCheckpoint(c, Options{Arch: "vgg16"})
	require.ErrorContains(t, err, "vgg16")
}

// The name of an architecture says what tensors do not show: which pooling and which convolution halves a map.
func TestArchitectureSaysWhatTensorsDoNot(t *testing.T) {
	cfg, err := resnext.Named("resnet14")
	require.NoError(t, err)
	c := save(float.Random(cfg, 4), &dialects[0], true)
	for _, arch := range []string{"", "resnet14", "resnetaa14", "resnet14_v1"} {
		n, err := FromCheckpoint(c, Options{Arch: arch})
		require.NoError(t, err)
		want, err := resnext.Named(max(arch, "resnet14"))
		require.NoError(t, err)
		require.Equal(t, want, n.Config)
	}
	for arch, want := range map[string]string{
		"resnet14d":    "stem: resnet14d has 3x3, 32 channels; 3x3, 32 channels; 3x3, 64 channels, the tensors have 7x7, 64 channels",
		"resnetrs14":   "gate of stage 1: resnetrs14 has se after expand, 64 hidden channels, the tensors have none",
		"ecaresnet14":  "gate of stage 4: ecaresnet14 has eca after expand, kernel 7, the tensors have none",
		"resnet18":     "kind of the blocks of stage 1: resnet18 has basic block, the tensors have bottleneck",
		"regnet_x_8gf": "inner width of stage 2: regnet_x_8gf has 240, the tensors have 128",
	} {
		_, err := FromCheckpoint(c, Options{Arch: arch})
		require.ErrorContains(t, err, want)
	}
}

// What timm's config.json calls a network says what its tensors do not: that it is anti-aliased, and how.
func TestArchitectureBeside(t *testing.T) {
	cfg, err := resnext.Named("resnetaa14")
	require.NoError(t, err)
	c := save(float.Random(cfg, 4), &dialects[0], true)
	open := func(architecture string) (*float.Net, error) {
		f, err := fromStateDicts([]*checkpoint.Checkpoint{c}, Options{}, &hub.Info{Architecture: architecture})
		if err != nil {
			return nil, err
		}
		return f.net, nil
	}
	for architecture, want := range map[string]string{"": "resnet14", "resnetaa14": "resnetaa14", "resnet50": "resnet14", "efficientnet_b0": "resnet14"} {
		n, err := open(architecture)
		require.NoError(t, err)
		require.Equal(t, want, n.Config.Name, architecture)
	}
	n, err := open("resnetaa14")
	require.NoError(t, err)
	require.Equal(t, topology.Average2x2, n.Config.Stages[1].AntiAlias)
	n, err = open("resnetblur14")
	require.NoError(t, err)
	require.Equal(t, []topology.Pool{topology.MaxBlur, topology.Blur3x3}, []topology.Pool{n.Config.Stem.Pool, n.Config.Stages[1].AntiAlias})
}

// What a hub says of strides is not for a name to change.
func TestArchitectureAgainstHub(t *testing.T) {
	cfg, err := resnext.Named("resnet14")
	require.NoError(t, err)
	i := slices.IndexFunc(dialects, func(d dialect) bool { return d.model == "resnet" })
	c := save(float.Random(cfg, 4), &dialects[i], true)
	form := &hub.Form{Model: "resnet", InBottleneck: true}
	open := func(arch string, beside *hub.Info) (*found, error) {
		return fromStateDicts([]*checkpoint.Checkpoint{c}, Options{Arch: arch}, beside)
	}
	n, err := open("resnet14_v1", &hub.Info{Form: form})
	require.NoError(t, err)
	require.Equal(t, topology.Reduce, n.net.Config.Stages[1].StrideOn)
	_, err = open("resnet14", &hub.Info{Form: form})
	require.ErrorContains(t, err, "stride of stage 2: resnet14 has 2 on transform, the tensors have 2 on reduce")
	n, err = open("resnet14_v1", &hub.Info{})
	require.NoError(t, err)
	require.Equal(t, topology.Reduce, n.net.Config.Stages[1].StrideOn)
}

// adopt takes a shortcut's pooling from a name only where the tensors do not tell it.
func TestAdoptShortcut(t *testing.T) {
	named, err := resnext.Named("resnet50d")
	require.NoError(t, err)
	found := named.Clone()
	for i := range found.Stages {
		found.Stages[i].Shortcut = topology.Projection
	}
	kept, taken := found.Clone(), found.Clone()
	adopt(&kept, named, true)
	require.ErrorContains(t, agree("resnet50d", named, kept),
		"shortcut of stage 2: resnet50d has an average pooling and a projection, the tensors have a projection where the shape changes")
	adopt(&taken, named, false)
	require.NoError(t, agree("resnet50d", named, taken))
}

// Shortcuts are padded only in networks for small images, and only if nothing of a projection is there.
func TestPaddedShortcuts(t *testing.T) {
	cfg, err := resnext.Named("resnet20")
	require.NoError(t, err)
	c := save(float.Random(cfg, 4), &dialects[0], false)
	for _, name := range slices.Clone(c.Order) {
		if strings.Contains(name, "downsample") {
			drop(c, name)
		}
	}
	for _, arch := range []string{"", "resnet20"} {
		n, err := FromCheckpoint(c, Options{Arch: arch})
		require.NoError(t, err)
		require.Equal(t, "resnet20", n.Config.Name)
		require.Equal(t, topology.Padded, n.Config.Stages[2].Shortcut)
	}
	put(c, "layer2.0.shortcut.1.weight", make([]float32, 32), 32)
	_, err = FromCheckpoint(c, Options{})
	require.ErrorContains(t, err, "layer2.0.shortcut.1.weight: not part of the network")
	drop(c, "layer2.0.shortcut.1.weight")
	put(c, "conv1.weight", make([]float32, 16*3*49), 16, 3, 7, 7)
	_, err = FromCheckpoint(c, Options{})
	require.ErrorContains(t, err, "layer2.0.downsample.0.weight: missing, expected shape [32 16 1 1]")
}

// Blocks whose normalisation comes first, and RegNets without projections, are refused by kind.
func TestOtherBlocks(t *testing.T) {
	c := save(float.Random(testnet.Tiny(resnext.CIFARStem()), 4), &dialects[0], false)
	for _, n := range []string{"weight", "bias", "running_mean", "running_var"} {
		put(c, "layer1.0.bn1."+n, make([]float32, 64), 64)
	}
	_, err := FromCheckpoint(c, Options{})
	require.ErrorContains(t, err, "layer1.0.bn1.weight: is as long as the input of layer1.0.conv1 has channels")
	require.ErrorContains(t, err, "pre-activation")
	for i := range dialects {
		d := numberedFrom(&dialects[i], 4)
		if !d.regNet {
			continue
		}
		c := save(float.Random(forms(d)[0], 4), d, false)
		for _, name := range slices.Clone(c.Order) {
			if n := d.layers[topology.Shortcut][0]; strings.Contains(name, n.conv) || strings.Contains(name, n.norm) {
				drop(c, name)
			}
		}
		_, err := FromCheckpoint(c, Options{})
		require.ErrorContains(t, err, "no block has a projection: a RegNetZ")
	}
}

// Networks with more in their blocks than runs here are refused by kind.
func TestStrangers(t *testing.T) {
	for want, name := range map[string]string{
		"an SE network of the first kind": "layer0.conv1.weight",
		"a ResNeSt":                       "layer1.0.conv2.fc1.weight",
		"a Res2Net":                       "layer1.0.convs.0.weight",
		"attention is not":                "layer1.0.se.channel.fc1.weight",
		"PReLU":                           "layer1.0.prelu.weight",
		"blur pooling":                    "maxpool.1.filt",
		"a RegNetZ":                       "final_conv.conv.weight",
		"a detector":                      "rpn.head.conv.0.0.weight",
	} {
		c := save(float.Random(testnet.Tiny(resnext.ImageNetStem()), 4), &dialects[0], false)
		put(c, name, []float32{1}, 1)
		_, err := FromCheckpoint(c, Options{})
		require.ErrorContains(t, err, "test.pth: looks like")
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, name)
	}
	c := save(float.Random(testnet.Tiny(resnext.ImageNetStem()), 4), &dialects[0], false)
	for _, name := range slices.Clone(c.Order) {
		if strings.Contains(name, "running_") {
			drop(c, name)
		}
	}
	_, err := FromCheckpoint(c, Options{})
	require.ErrorContains(t, err, "group or layer normalisation (it has bn1.weight and no running_mean)")
}

// Whatever is wrong with a checkpoint must be named together with the file.
func TestDamagedCheckpoints(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, test := range map[string]struct {
		damage func(c *checkpoint.Checkpoint)
		want   []string
	}{
		"missing": {
			func(c *checkpoint.Checkpoint) { drop(c, "layer1.1.bn2.bias"); drop(c, "fc.bias") },
			[]string{"layer1.1.bn2.bias: missing, expected shape [8]"},
		},
		"missing normalisation": {
			func(c *checkpoint.Checkpoint) {
				for _, n := range []string{"weight", "bias", "running_mean", "running_var"} {
					drop(c, "bn1."+n)
				}
			},
			[]string{"bn1.weight: missing", "bn1.running_var: missing"},
		},
		"missing block": {
			func(c *checkpoint.Checkpoint) {
				for _, n := range slices.Clone(c.Order) {
					if strings.HasPrefix(n, "layer1.0.") {
						put(c, "layer1.3."+n[9:], c.Tensors[n].Data, c.Tensors[n].Shape...)
					}
				}
			},
			[]string{"layer1.2.conv1.weight: missing, expected shape [8 12 1 1]", "layer1.3.conv1.weight: shape is [8 64 1 1], expected [8 12 1 1]", "more"},
		},
		"missing first block": {
			func(c *checkpoint.Checkpoint) { drop(c, "layer1.0.conv2.weight") },
			[]string{"layer1.0.conv2.weight: missing"},
		},
		"missing stage": {
			func(c *checkpoint.Checkpoint) { put(c, "layer999.999.conv3.weight", nil, 0, 0, 0, 0) },
			[]string{"layer3.0.conv2.weight: missing", "and"},
		},
		"wrong shape": {
			func(c *checkpoint.Checkpoint) { c.Tensors["layer2.0.conv3.weight"].Shape = []int{16, 12, 2, 2} },
			[]string{"layer2.0.conv3.weight: shape is [16 12 2 2], expected [16 12 1 1]"},
		},
		"wrong rank": {
			func(c *checkpoint.Checkpoint) { c.Tensors["conv1.weight"].Shape = []int{64} },
			[]string{"conv1.weight: shape is [64], expected 4 dimensions"},
		},
		"empty shape": {
			func(c *checkpoint.Checkpoint) { c.Tensors["layer1.0.conv3.weight"].Shape = []int{0, 0, 1, 1} },
			[]string{"impossible network configuration"},
		},
		"enormous shape": {
			func(c *checkpoint.Checkpoint) { c.Tensors["layer1.0.conv3.weight"].Shape = []int{1 << 30, 8, 1, 1} },
			[]string{"impossible network configuration", "output channels"},
		},
		"data too short": {
			func(c *checkpoint.Checkpoint) { c.Tensors["fc.bias"].Data = c.Tensors["fc.bias"].Data[:4] },
			[]string{"fc.bias: has 4 elements, its shape [5] needs 5"},
		},
		"not finite": {
			func(c *checkpoint.Checkpoint) {
				c.Tensors["conv1.weight"].Data[17] = nan
				c.Tensors["bn1.running_var"].Data[3] = inf
				c.Tensors["fc.weight"].Data[2] = -inf
			},
			[]string{"conv1.weight: element 17 is NaN", "bn1.running_var: element 3 is +Inf", "fc.weight: element 2 is -Inf"},
		},
		"negative variance": {
			func(c *checkpoint.Checkpoint) { c.Tensors["layer1.0.bn3.running_var"].Data[2] = -0.5 },
			[]string{"layer1.0.bn3.running_var: element 2 is -0.5, a variance cannot be negative"},
		},
		"overflow": {
			func(c *checkpoint.Checkpoint) {
				c.Tensors["bn1.weight"].Data[0] = 3e38
				c.Tensors["bn1.running_var"].Data[0] = 0
			},
			[]string{"conv1.weight: leaves the range of float32 once bn1 is folded in"},
		},
		"unknown": {
			func(c *checkpoint.Checkpoint) { put(c, "layer1.0.mlp.fc1.weight", []float32{1}, 1) },
			[]string{"layer1.0.mlp.fc1.weight: not part of the network"},
		},
		"too much is wrong": {
			func(c *checkpoint.Checkpoint) {
				for _, n := range c.Order {
					if strings.HasSuffix(n, "running_mean") {
						c.Tensors[n].Data[0] = nan
						put(c, n+".extra", nil, 0)
						put(c, n+".more", nil, 0)
					}
				}
			},
			[]string{"and 16 more"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := save(float.Random(testnet.Tiny(resnext.ImageNetStem()), 4), &dialects[0], false)
			test.damage(c)
			n, err := FromCheckpoint(c, Options{Arch: "auto"})
			require.Nil(t, n)
			require.ErrorContains(t, err, "test.pth: ")
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
			require.LessOrEqual(t, strings.Count(err.Error(), "\n"), 21)
		})
	}
}

// No shape of any tensor does harm: what is impossible is an error.
func TestHostileShapes(t *testing.T) {
	shapes := [][]int{nil, {0}, {-1, 3}, {math.MaxInt, 1, 1}, {1 << 30, 1 << 30, 1, 1}, {0, 0, 0, 0}, {-4, -4, 3, 3}, {1, 1, 1, 1, 1}}
	for i := range dialects {
		d := numberedFrom(&dialects[i], 4)
		list := forms(d)
		n := float.Random(list[len(list)-1], 4)
		for j, name := range save(n, d, false).Order {
			c := save(n, d, false)
			c.Tensors[name].Shape = shapes[j%len(shapes)]
			_, err := FromCheckpoint(c, Options{Arch: "auto"})
			require.Equal(t, strings.HasSuffix(name, "num_batches_tracked"), err == nil, "%s %v: %v", name, c.Tensors[name].Shape, err)
		}
	}
}

// A checkpoint of another family is refused with a guess at what it is.
func TestForeignCheckpoints(t *testing.T) {
	for want, names := range map[string][]string{
		"holds no tensors":           nil,
		"before its convolutions":    {"s1.b1.norm1.weight", "s1.b1.conv1.weight"},
		"selective kernel":           {"layer1.0.conv2.attn.fc_reduce.weight"},
		"of other blocks than":       {"conv1.weight", "layer1.0.mlp.weight"},
		"int8 model that calib made": {"classifier.multiplier", "stage1.block0.expand.multiplier", "stem.weight"},
		"VGG":                        {"features.0.weight", "classifier.6.bias"},
		"DenseNet":                   {"features.denseblock1.denselayer1.conv1.weight"},
		"MobileNet":                  {"features.1.conv.0.weight"},
		"EfficientNet":               {"conv_stem.weight", "blocks.0.0.conv.weight"},
		"transformer":                {"blocks.0.attn.qkv.weight"},
		"RegNet":                     {"stages.0.blocks.0.conv1.weight"},
		"layers' names":              {"onnx::Conv_497"},
		"begin with a, b, c;":        {"a", "b", "c", "d"},
	} {
		c := &checkpoint.Checkpoint{Path: "other.pth", Tensors: make(map[string]*checkpoint.Tensor)}
		for _, n := range names {
			put(c, n, []float32{1}, 1)
		}
		_, err := FromCheckpoint(c, Options{Arch: "auto"})
		require.ErrorContains(t, err, "other.pth: ")
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "expected a network of the ResNet family")
	}
}
