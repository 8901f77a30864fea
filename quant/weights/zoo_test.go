package weights

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

const zoo = "testdata/zoo/"

// requireLogits compares a network's logits for the image of the exports with PyTorch's.
func requireLogits(t *testing.T, want []float32, n *float.Net) {
	t.Helper()
	got := forward(t, n)
	require.Len(t, got, len(want))
	largest := 0.0
	for _, v := range want {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i := range want {
		require.InDelta(t, want[i], got[i], 5e-6*largest)
	}
}

// se and eca are gates after the last convolution of a bottleneck and of a basic block, y is a RegNet's.
func se(hidden int) topology.Gate {
	return topology.Gate{Kind: topology.SqueezeExcite, After: topology.Expand, Hidden: hidden}
}

func eca(kernel int) topology.Gate {
	return topology.Gate{Kind: topology.NeighbourGate, After: topology.Second, Kernel: kernel}
}

func y(hidden int) topology.Gate {
	return topology.Gate{Kind: topology.SqueezeExcite, After: topology.Transform, Hidden: hidden}
}

// TestZooGivesPyTorchsLogits: networks of every naming scheme as timm, torchvision and transformers compute them. See
// testdata/zoo/make_zoo.py.
func TestZooGivesPyTorchsLogits(t *testing.T) {
	var logits map[string][]float32
	require.NoError(t, json.Unmarshal(readFile(t, zoo+"logits.json"), &logits))
	type stages = []resnext.Stage
	deep := func(pool topology.Pool, widths ...int) resnext.Stem {
		s := resnext.Stem{Pool: pool}
		for i, w := range widths {
			s.Convs = append(s.Convs, topology.StemConv{Kernel: 3, Stride: 2 - min(i, 1), Width: w})
		}
		return s
	}
	// A ResNet's stages of two blocks and one each, the widths of the first 3x3 by stage.
	resNet := func(kind topology.Kind, shortcut topology.ShortcutKind, gate topology.Gate, widths ...int) stages {
		var list stages
		for i, w := range widths {
			s := resnext.Stage{Kind: kind, Blocks: 2 - min(i, 1), Inner: w, Out: w, Cardinality: 1, Stride: 1 + min(i, 1), Gate: gate}
			if kind == topology.Bottleneck {
				s.Out = 4 * w
			}
			if i > 0 {
				s.Shortcut = shortcut
			}
			list = append(list, s)
		}
		return list
	}
	regNet := func(width, groups, blocks, stride int, gate topology.Gate) resnext.Stage {
		return resnext.Stage{Blocks: blocks, Inner: width, Out: width, Cardinality: groups, Stride: stride, Gate: gate}
	}
	none := topology.Gate{}
	narrow := topology.SimpleStem(3, 2, 8, topology.NoPool)
	bottlenecks := []int{4, 4, 6, 6}
	rs := deep(topology.NoPool, 4, 4, 8, 8)
	rs.Convs[3].Stride = 2
	averaged := topology.AveragedProjection
	for _, c := range []struct {
		path, dialect string
		stem          resnext.Stem
		stages        stages
	}{
		{"timm_d_se.safetensors", "torchvision", deep(topology.Max3x3, 4, 4, 8), resNet(topology.Bottleneck, averaged, se(8), bottlenecks...)},
		{"timm_t_eca.safetensors", "torchvision", deep(topology.Max3x3, 6, 8, 16), resNet(topology.Basic, averaged, eca(3), 6, 6, 8, 10)},
		{"timm_c.safetensors", "torchvision", deep(topology.Max3x3, 4, 4, 8), resNet(topology.Basic, topology.Projection, none, 6, 6, 8, 10)},
		{"timm_rs.safetensors", "torchvision", rs, resNet(topology.Bottleneck, averaged, se(8), bottlenecks...)},
		{"timm_headless.safetensors", "torchvision", deep(topology.Max3x3, 4, 4, 8), resNet(topology.Bottleneck, averaged, none, bottlenecks...)},
		{"openmmlab.safetensors", "OpenMMLab", deep(topology.Max3x3, 4, 4, 8), resNet(topology.Bottleneck, averaged, se(8), bottlenecks...)},
		{"cifar_padded.safetensors", "torchvision", topology.SimpleStem(3, 1, 6, topology.NoPool), stages{
			{Kind: topology.Basic, Blocks: 2, Inner: 6, Out: 6, Cardinality: 1, Stride: 1},
			{Kind: topology.Basic, Blocks: 2, Inner: 11, Out: 11, Cardinality: 1, Stride: 2, Shortcut: topology.Padded},
			{Kind: topology.Basic, Blocks: 1, Inner: 14, Out: 14, Cardinality: 1, Stride: 2, Shortcut: topology.Padded},
		}},
		{"cifar_functions.safetensors", "CIFAR-100 ResNet", topology.SimpleStem(3, 1, 6, topology.NoPool), stages{
			{Kind: topology.Basic, Blocks: 2, Inner: 8, Out: 8, Cardinality: 1, Stride: 1},
			{Kind: topology.Basic, Blocks: 1, Inner: 12, Out: 12, Cardinality: 1, Stride: 2},
		}},
		{"openmmlab_regnet.safetensors", "OpenMMLab", narrow, stages{
			regNet(8, 2, 1, 2, none), regNet(16, 4, 2, 2, none), regNet(24, 6, 2, 2, none), regNet(32, 8, 1, 2, none),
		}},
		{"timm_regnetx.safetensors", "timm RegNet", narrow, stages{
			regNet(8, 2, 1, 2, none), regNet(16, 4, 2, 2, none), regNet(24, 6, 2, 2, none), regNet(32, 8, 1, 2, none),
		}},
		{"timm_regnety.safetensors", "timm RegNet", narrow, stages{
			regNet(8, 2, 1, 2, y(2)), regNet(16, 4, 1, 2, y(2)), regNet(16, 4, 1, 1, y(4)),
			regNet(24, 6, 1, 2, y(4)), regNet(24, 6, 1, 1, y(6)), regNet(32, 8, 1, 2, y(6)),
		}},
		{"torchvision_regnetx.safetensors", "torchvision RegNet", narrow, stages{
			regNet(8, 2, 1, 2, none), regNet(16, 2, 2, 2, none), regNet(24, 3, 2, 2, none),
		}},
		{"torchvision_regnety.safetensors", "torchvision RegNet", narrow, stages{
			regNet(8, 2, 1, 2, y(2)), regNet(16, 2, 1, 2, y(2)), regNet(16, 2, 1, 1, y(4)), regNet(24, 3, 1, 2, y(4)), regNet(24, 3, 1, 1, y(6)),
		}},
		{"transformers_regnetx", "transformers RegNet", narrow, stages{
			regNet(8, 2, 1, 2, none), regNet(16, 4, 2, 2, none), regNet(24, 6, 1, 2, none),
		}},
		{"transformers_regnety", "transformers RegNet", narrow, stages{
			regNet(8, 1, 1, 2, y(2)), regNet(16, 2, 1, 2, y(2)), regNet(16, 2, 1, 1, y(4)), regNet(24, 3, 1, 2, y(4)),
		}},
		{"transformers_basic", "transformers", topology.SimpleStem(7, 2, 8, topology.Max3x3), stages{
			{Kind: topology.Basic, Blocks: 1, Inner: 8, Out: 8, Cardinality: 1, Stride: 1},
			{Kind: topology.Basic, Blocks: 2, Inner: 16, Out: 16, Cardinality: 1, Stride: 2},
			{Kind: topology.Basic, Blocks: 1, Inner: 24, Out: 24, Cardinality: 1, Stride: 2},
		}},
	} {
		t.Run(c.path, func(t *testing.T) {
			n, from, err := Open(zoo+c.path, Options{})
			require.NoError(t, err)
			require.Equal(t, c.dialect+" names", from.Dialect)
			require.Equal(t, c.stem, n.Config.Stem)
			require.Equal(t, c.stages, n.Config.Stages)
			require.Equal(t, n.Config.Head == topology.Embedding, n.Config.Classes == 0)
			requireLogits(t, logits[c.path], n)
		})
	}
	t.Run("anti-aliased", func(t *testing.T) {
		n, _, err := Open(zoo+"timm_aa.safetensors", Options{})
		require.NoError(t, err)
		require.Equal(t, resNet(topology.Bottleneck, averaged, none, bottlenecks...), n.Config.Stages)
		n.Config.Stem.Pool = topology.Average2x2 // as a named architecture would
		for i := range n.Config.Stages[1:] {
			n.Config.Stages[i+1].AntiAlias = topology.Average2x2
		}
		requireLogits(t, logits["timm_aa.safetensors"], n)
	})
}
