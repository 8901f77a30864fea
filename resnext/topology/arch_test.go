package topology

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// parameters counts the weights as papers do: batch normalisation's scale and shift instead of a bias; no biases in a
// NeighbourGate; nothing for a padded shortcut.
func parameters(c Config) int {
	n := 0
	for _, s := range Lower(c).Steps {
		if s.Role == Shortcut && c.Stages[s.Stage].Shortcut == Padded {
			continue
		}
		for _, l := range s.Layers() {
			n += l.Weights()
			switch {
			case s.Op == Conv:
				n += 2 * l.Out
			case l.Name != LayerName(s.Block, Neighbours):
				n += l.Out
			}
		}
	}
	return n
}

// TestZooParameters: networks of timm and torchvision have as many parameters here. See testdata/make_parameters.py.
func TestZooParameters(t *testing.T) {
	text, err := os.ReadFile("testdata/parameters.txt")
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	require.Greater(t, len(lines), 100)
	for _, line := range lines {
		var name string
		var want int
		_, err := fmt.Sscan(line, &name, &want)
		require.NoError(t, err)
		cfg, err := Named(name)
		require.NoError(t, err)
		require.Equal(t, want, parameters(cfg), name)
	}
}

// TestZooForms: what parameters do not tell.
func TestZooForms(t *testing.T) {
	stage := func(name string, i int) Stage {
		cfg, err := Named(name)
		require.NoError(t, err)
		return cfg.Stages[i]
	}
	require.Equal(t, Stage{Blocks: 4, Inner: 128, Out: 512, Cardinality: 1, Stride: 2, StrideOn: Reduce}, stage("resnet50_v1", 1))
	require.Equal(t, Stage{Blocks: 4, Inner: 128, Out: 512, Cardinality: 1, Stride: 2, AntiAlias: Average2x2}, stage("resnetaa50", 1))
	require.Equal(t, Stage{
		Blocks: 4, Inner: 128, Out: 512, Cardinality: 1, Stride: 2, Shortcut: AveragedProjection,
		Gate: Gate{Kind: SqueezeExcite, After: Expand, Hidden: 128},
	}, stage("resnetrs50", 1))
	require.Equal(t, Stage{
		Kind: Basic, Blocks: 2, Inner: 64, Out: 64, Cardinality: 1, Stride: 1, Gate: Gate{Kind: SqueezeExcite, After: Second, Hidden: 8},
	}, stage("seresnet18", 0))
	require.Equal(t, Gate{Kind: NeighbourGate, After: Expand, Kernel: 7}, stage("ecaresnet50d", 3).Gate)
	require.Equal(t, Stage{Kind: Basic, Blocks: 3, Inner: 32, Out: 32, Cardinality: 1, Stride: 2, Shortcut: Padded}, stage("resnet20", 1))
	for i, want := range []Stage{
		{Blocks: 1, Inner: 48, Out: 48, Cardinality: 6, Stride: 2, Gate: Gate{Kind: SqueezeExcite, After: Transform, Hidden: 8}},
		{Blocks: 1, Inner: 104, Out: 104, Cardinality: 13, Stride: 2, Gate: Gate{Kind: SqueezeExcite, After: Transform, Hidden: 12}},
		{Blocks: 2, Inner: 104, Out: 104, Cardinality: 13, Stride: 1, Gate: Gate{Kind: SqueezeExcite, After: Transform, Hidden: 26}},
	} {
		require.Equal(t, want, stage("regnet_y_400mf", i))
	}
	for name, want := range map[string]Stem{
		"resnet50d":             {Convs: []StemConv{{3, 2, 32}, {3, 1, 32}, {3, 1, 64}}, Pool: Max3x3},
		"resnetrs50":            {Convs: []StemConv{{3, 2, 32}, {3, 1, 32}, {3, 1, 64}, {3, 2, 64}}},
		"seresnextaa201d_32x8d": {Convs: []StemConv{{3, 2, 64}, {3, 1, 64}, {3, 1, 128}}, Pool: Average2x2},
		"ecaresnetlight":        ImageNetStem(),
		"regnet_x_32gf":         SimpleStem(3, 2, 32, NoPool),
	} {
		cfg, err := Named(name)
		require.NoError(t, err)
		require.Equal(t, want, cfg.Stem, name)
	}
}

// TestSameShape: without a stride it does not matter what would be done about one.
func TestSameShape(t *testing.T) {
	a := tiny()
	b := tiny()
	b.Stages[0].StrideOn, b.Stages[0].AntiAlias, b.Stages[0].Shortcut = Reduce, Average2x2, AveragedProjection
	require.True(t, SameShape(a, b))
	b = tiny()
	b.Stages[1].Shortcut = AveragedProjection
	require.False(t, SameShape(a, b))
}

func TestNamedArchitectures(t *testing.T) {
	// Parameter counts as published by torchvision and the papers; MACs of the ImageNet networks at 224x224.
	for _, c := range []struct {
		name       string
		parameters int
		gmacs      float64
	}{
		{"resnext50_32x4d", 25028904, 4.23},
		{"resnext101_32x8d", 88791336, 16.41},
		{"resnext101_64x4d", 83455272, 15.46},
		{"resnet50", 25557032, 4.09},
		{"resnet101", 44549160, 7.80},
		{"resnet152", 60192808, 11.51},
		{"wide_resnet50_2", 68883240, 11.40},
		{"wide_resnet101_2", 126886696, 22.75},
		{"resnext101_32x16d", 194026792, 36.25},
		{"resnext101_32x48d", 828411176, 153.42},
	} {
		cfg, err := Named(c.name)
		require.NoError(t, err)
		require.Equal(t, c.name, cfg.Name)
		require.Equal(t, c.parameters, parameters(cfg), c.name)
		require.InEpsilon(t, c.gmacs, float64(cfg.MACs())/1e9, 0.005, c.name)
	}
	for name, millions := range map[string]float64{"resnet20": 0.27, "resnet32": 0.46, "resnet44": 0.66, "resnet56": 0.85, "resnet110": 1.7} {
		cfg, err := Named(name) // He et al. 2016, table 6
		require.NoError(t, err)
		require.InDelta(t, millions, float64(parameters(cfg))/1e6, 0.05*millions, name)
	}
	cifar, err := Named("resnext29_8x64d")
	require.NoError(t, err)
	require.InDelta(t, 34.4e6, parameters(cifar), 0.1e6) // table 7 of the paper
	wide, err := Named("resnext29_16x64d")
	require.NoError(t, err)
	require.InDelta(t, 68.1e6, parameters(wide), 0.1e6)
}

func TestNamesRoundTrip(t *testing.T) {
	for _, name := range append(Architectures(), "resnext20_8x4d_w2", "resnext38_4x16d", "resnext101_4x4d_w4", "resnext152_32x6d", "resnet38") {
		cfg, err := Named(name)
		require.NoError(t, err)
		require.Equal(t, name, cfg.CanonicalName())
	}
	cfg, err := Named("ResNeXt50_1x64d")
	require.NoError(t, err)
	require.Equal(t, "resnet50", cfg.Name)
	for alias, want := range map[string]string{
		"regnetx_064": "regnet_x_6_4gf", "regnety_008_tv": "regnet_y_800mf", "regnety_008": "regnety_008", "resnext50_1x128d": "wide_resnet50_2",
		"ecaresnet34t": "ecaresnet34t",
	} {
		cfg, err := Named(alias)
		require.NoError(t, err)
		require.Equal(t, want, cfg.Name)
	}
	for _, bad := range []string{"", "resnet", "resnet17", "resnet18_4x4d", "resnext18_4x4d", "resnet18_v1", "seresnet20", "resnet20_w2", "resnet29", "regnet_y_3gf", "resnext50", "resnext51_32x4d", "resnext50_0x4d", "resnext50_9999x9999d", "resnext29_8x64d_w0"} {
		_, err := Named(bad)
		require.Error(t, err, bad)
	}
	odd := Config{Stem: ImageNetStem(), Classes: 7, Height: 30, Width: 30, Stages: Uniform(2, []Stage{{Blocks: 2, Inner: 28, Out: 32, Stride: 1}})}
	require.Empty(t, odd.CanonicalName())
}

func TestReferenceNetwork(t *testing.T) {
	cfg, err := Named("resnext20_8x4d_w2")
	require.NoError(t, err)
	require.Equal(t, 535626, parameters(cfg))
	require.True(t, cfg.CIFAR())
	require.Equal(t, 20, cfg.Layers())
	require.Equal(t, 4, cfg.BaseWidth())
}

// TestEntryPoints: which networks of timm and torchvision have a name here. docs/networks.md counts them, and one more
// that has none and loads: timm's test_resnet, whose stages differ in their kinds of blocks.
func TestEntryPoints(t *testing.T) {
	text, err := os.ReadFile("testdata/entrypoints.txt")
	require.NoError(t, err)
	all, known := map[string]int{}, map[string]int{}
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		if s, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSuffix(s, "]")
			continue
		}
		name, unknown := strings.CutPrefix(line, "-")
		_, err := Named(name)
		require.Equal(t, unknown, err != nil, "%s: %v", name, err)
		all[section]++
		if err == nil {
			known[section]++
		}
	}
	require.Equal(t, map[string]int{"timm resnet": 81, "timm regnet": 36, "torchvision": 25}, all)
	require.Equal(t, map[string]int{"timm resnet": 76, "timm regnet": 30, "torchvision": 25}, known)
}
