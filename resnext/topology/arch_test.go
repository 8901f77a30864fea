package topology

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// parameters counts the weights as papers do: batch normalisation's scale and shift instead of a bias.
func parameters(c Config) int {
	n := c.Classes * (c.Features() + 1)
	for _, s := range c.Convs() {
		n += s.Weights() + 2*s.Out
	}
	return n
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
	cifar, err := Named("resnext29_8x64d")
	require.NoError(t, err)
	require.InDelta(t, 34.4e6, parameters(cifar), 0.1e6) // table 7 of the paper
	wide, err := Named("resnext29_16x64d")
	require.NoError(t, err)
	require.InDelta(t, 68.1e6, parameters(wide), 0.1e6)
}

func TestNamesRoundTrip(t *testing.T) {
	for _, name := range append(Architectures(), "resnext20_8x4d_w2", "resnext38_4x16d", "resnext101_4x4d_w4") {
		cfg, err := Named(name)
		require.NoError(t, err)
		require.Equal(t, name, cfg.CanonicalName())
	}
	cfg, err := Named("ResNeXt50_1x64d")
	require.NoError(t, err)
	require.Equal(t, "resnet50", cfg.Name)
	for _, bad := range []string{"", "resnet18", "resnext50", "resnext51_32x4d", "resnext50_0x4d", "resnext50_9999x9999d", "resnext29_8x64d_w0"} {
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
