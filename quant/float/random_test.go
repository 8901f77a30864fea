package float

import (
	"fmt"
	"hash/crc64"
	"math"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/resnext"
)

// named is an architecture at an input size of its own.
func named(t testing.TB, arch string, side int) resnext.Config {
	t.Helper()
	cfg, err := resnext.Named(arch)
	require.NoError(t, err)
	cfg.Height, cfg.Width = side, side
	return cfg
}

func rms(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(x)))
}

// liveChannels tells which channels are not zero everywhere.
func liveChannels(data []float32, c int, live []bool) {
	for i, v := range data {
		if v != 0 {
			live[i%c] = true
		}
	}
}

// Random networks must keep every layer's output in an ordinary range, whatever the depth, with few
// channels that no image reaches, and tell images apart.
func TestRandomIsWellConditioned(t *testing.T) {
	for _, test := range []struct {
		arch string
		side int
	}{{"resnext50_32x4d", 64}, {"resnext29_8x16d", 32}, {"resnext20_8x4d_w2", 28}, {"resnext101_1x4d", 64}} {
		t.Run(test.arch, func(t *testing.T) {
			cfg := named(t, test.arch, test.side)
			r := Random(cfg, 1).NewRunner()
			live := make(map[string][]bool)
			r.Observe = func(name string, h, w, c int, data []float32) {
				size := rms(data)
				require.Greater(t, size, 0.3, name)
				require.Less(t, size, 4.0, name)
				if live[name] == nil {
					live[name] = make([]bool, c)
				}
				liveChannels(data, c, live[name])
			}
			p := resnext.ImageNetPreprocess()
			first := append([]float32(nil), r.Forward(testnet.Noise(cfg, 1), p)...)
			second := append([]float32(nil), r.Forward(testnet.Noise(cfg, 2), p)...)
			for i := range first {
				second[i] -= first[i]
			}
			require.Greater(t, rms(first), 0.7, "logits")
			require.Greater(t, rms(second), 0.2, "difference of two images' logits")
			for name, channels := range live {
				dead := 0
				for _, l := range channels {
					if !l {
						dead++
					}
				}
				require.LessOrEqual(t, dead, len(channels)/10, name)
			}
		})
	}
}

// The weights of a seed are fixed: stored results depend on them.
func TestRandomIsDeterministic(t *testing.T) {
	sum := func(n *Net) uint64 {
		h := crc64.New(crc64.MakeTable(crc64.ECMA))
		add := func(c *Conv) {
			for _, s := range [][]float32{c.Weight, c.Bias} {
				for _, v := range s {
					bits := math.Float32bits(v)
					_, err := h.Write([]byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24)})
					require.NoError(t, err)
				}
			}
		}
		for _, s := range n.Config.Convs() {
			require.Equal(t, s, n.Convs[s.Name].Shape)
			add(n.Convs[s.Name])
		}
		add(&n.Classifier)
		return h.Sum64()
	}
	cfg := named(t, "resnext11_4x3d_w1", 8)
	require.Equal(t, uint64(0xe99f0962de5d6f85), sum(Random(cfg, 1)))
	require.NotEqual(t, sum(Random(cfg, 1)), sum(Random(cfg, 2)))
}

func TestRandomRefusesImpossibleNetworks(t *testing.T) {
	require.Panics(t, func() { Random(resnext.Config{}, 1) })
}

// Every published network must run; the largest with fewer blocks a stage, which makes one network of several: it runs
// once.
func TestEveryArchitectureRuns(t *testing.T) {
	met := map[string]bool{}
	for _, arch := range resnext.Architectures() {
		cfg := named(t, arch, 32)
		weights := 0
		for _, s := range cfg.Convs() {
			weights += s.Weights()
		}
		if weights > 20e6 {
			for i := range cfg.Stages {
				cfg.Stages[i].Blocks = 1 + i%2
			}
			if weights > 100e6 {
				cfg.Stages = cfg.Stages[:3]
			}
		}
		unnamed := cfg
		unnamed.Name = ""
		key := fmt.Sprint(unnamed)
		if met[key] {
			continue
		}
		met[key] = true
		t.Run(arch, func(t *testing.T) {
			r := Random(cfg, 3).NewRunner()
			logits := r.Forward(testnet.Noise(cfg, 3), resnext.ImageNetPreprocess())
			require.Len(t, logits, cfg.Classes)
			for _, v := range logits {
				require.False(t, math.IsNaN(float64(v)) || math.IsInf(float64(v), 0))
			}
			require.Greater(t, rms(logits), 0.1)
		})
	}
}

func TestAlignedFloats(t *testing.T) {
	for n := range 70 {
		s := alignedFloats(n + 1)
		require.Len(t, s, n+1)
		require.Zero(t, uintptr(unsafe.Pointer(&s[0]))%64)
	}
}
