package resnext

import (
	"hash/crc32"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
)

// familySums are the CRC-32C of the logits, as little-endian float32, of one small network of each architecture in
// testnet.Family, as every CPU must compute them.
var familySums = map[string]uint32{
	"resnet101":         0xac546067,
	"resnet152":         0xa3479237,
	"resnet50":          0x56f25da1,
	"resnext101_2x40d":  0x453570e9,
	"resnext101_2x64d":  0x94f4d18e,
	"resnext101_32x16d": 0x69846032,
	"resnext101_32x32d": 0x20892900,
	"resnext101_32x48d": 0x00de51db,
	"resnext101_32x4d":  0xeee47926,
	"resnext101_32x8d":  0x317f1235,
	"resnext101_4x24d":  0x5436e9fe,
	"resnext101_64x4d":  0x25a3976f,
	"resnext101_8x14d":  0xf5523e9f,
	"resnext29_16x64d":  0xe0a5de68,
	"resnext29_8x64d":   0x1a05e530,
	"resnext50_2x40d":   0x4ce41f7b,
	"resnext50_32x4d":   0x35669d57,
	"resnext50_4x24d":   0x4fc82838,
	"resnext50_8x14d":   0xde133151,
	"wide_resnet101_2":  0x57eebb6c,
	"wide_resnet50_2":   0xb53a5b19,

	"ecaresnet26t":        0xac892cd9,
	"ecaresnext26t_32x4d": 0x0ac5c84a,
	"regnet_x_3_2gf":      0xd86f0059,
	"regnet_x_400mf":      0x9aa66c7b,
	"regnet_y_400mf":      0xe580b6de,
	"regnetx_008":         0x0feceac1,
	"regnety_032":         0x8756a41d,
	"resnet18":            0x0e72d70d,
	"resnet20":            0x849f7551,
	"resnet26t":           0x00153173,
	"resnet34d":           0xd08794d6,
	"resnet50_v1":         0x7e711629,
	"resnet50s":           0xd69eafda,
	"resnetaa50":          0x1e29f714,
	"resnetrs50":          0x0db5351e,
	"seresnet18":          0xeb398479,
	"seresnext50_32x4d":   0x0a0e4df6,
}

// TestFamilySameEverywhere runs each of them, made small, and compares the logits with those that all
// other CPUs give. -short leaves out all kernel sets but the best.
func TestFamilySameEverywhere(t *testing.T) {
	names := asm.Available()
	if testing.Short() {
		names = names[:1]
	}
	for arch := range familySums {
		t.Run(arch, func(t *testing.T) {
			cfg, err := Named(arch)
			require.NoError(t, err)
			cfg = shrunk(cfg)
			r := selfTestRNG(int(crc32.ChecksumIEEE([]byte(arch)) >> 1)) // fits an int of 32 bits
			q, rgb := r.network(cfg), r.image(cfg)
			for _, kernels := range names {
				m, err := New(q, Options{Kernels: kernels})
				require.NoError(t, err)
				s, err := m.NewSession(SessionOptions{})
				require.NoError(t, err)
				defer s.Close()
				logits, err := s.Infer(rgb)
				require.NoError(t, err)
				sum := crc32.Checksum(bytesOf(logits), crc32.MakeTable(crc32.Castagnoli))
				require.Equal(t, familySums[arch], sum, "%s gives %#08x", kernels, sum)
			}
		})
	}
}

// shrunk is a network with one block a stage and as many stages as fit into 2.2 million weights, at least one.
func shrunk(cfg Config) Config {
	cfg.Height, cfg.Width, cfg.Classes = 30, 24, 19
	if !cfg.Stem.Reduces() {
		cfg.Height, cfg.Width = 8, 7
	}
	cfg.Stages = append([]Stage(nil), cfg.Stages...)
	for i := range cfg.Stages {
		cfg.Stages[i].Blocks = 1
	}
	for n := len(cfg.Stages); ; n-- {
		cfg.Stages = cfg.Stages[:n]
		total := 0
		for _, s := range cfg.Convs() {
			total += s.Weights()
		}
		if total <= 22e5 || n == 1 {
			return cfg
		}
	}
}
