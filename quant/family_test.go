package quant

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/resnext"
)

// TestFamily builds published networks of each kind with random weights, quantises it and runs it on every kernel
// set: the same logits, near the float ones. Maps are small to be quick, and so are the numbers of blocks
// where a network has very many weights: every width and group of the family is met all the same. Networks
// that differ in their numbers of blocks alone are one network then, which runs once.
func TestFamily(t *testing.T) {
	met := map[string]bool{}
	for _, name := range testnet.Family() {
		cfg, err := resnext.Named(name)
		require.NoError(t, err)
		cfg.Height, cfg.Width = 32, 40
		if !cfg.Stem.Reduces() {
			cfg.Height, cfg.Width = 16, 20
		}
		cfg = shorten(cfg)
		unnamed := cfg
		unnamed.Name = ""
		if key := fmt.Sprint(unnamed); !met[key] {
			met[key] = true
			least := 15.0
			if cfg.Gated() { // random gates of random weights
				least = 10
			}
			t.Run(name, func(t *testing.T) { calibrateAndRun(t, cfg, asm.Available(), least) })
		}
	}
}

// TestFullSize runs two networks whole, at the size that people use, on the best kernel set.
func TestFullSize(t *testing.T) {
	for _, name := range []string{"resnext50_32x4d", "resnext101_32x8d"} {
		t.Run(name, func(t *testing.T) {
			cfg, err := resnext.Named(name)
			require.NoError(t, err)
			calibrateAndRun(t, cfg, asm.Available()[:1], 15)
		})
	}
}

// shorten takes blocks, and of the very largest networks stages, off until the weights are few enough.
func shorten(cfg resnext.Config) resnext.Config {
	cfg.Stages = append([]resnext.Stage(nil), cfg.Stages...)
	if weightsOf(cfg) > 10e6 {
		for i := range cfg.Stages {
			cfg.Stages[i].Blocks = 1
		}
	}
	for weightsOf(cfg) > 40e6 {
		cfg.Stages = cfg.Stages[:len(cfg.Stages)-1]
	}
	return cfg
}

func weightsOf(cfg resnext.Config) int {
	n := 0
	for _, s := range cfg.Convs() {
		n += s.Weights()
	}
	return n
}

func calibrateAndRun(t *testing.T, cfg resnext.Config, kernels []string, least float64) {
	net := float.Random(cfg, 1)
	stats := collect(t, net, 2)
	q, _, err := Quantise(context.Background(), net, Images{}, stats, testPreprocess(), Options{Depth: 4, Effort: Fast})
	require.NoError(t, err)
	var logits []float32
	for _, k := range kernels {
		m, err := resnext.New(q, resnext.Options{Kernels: k})
		require.NoError(t, err)
		s, err := m.NewSession(resnext.SessionOptions{})
		require.NoError(t, err)
		defer s.Close()
		got, err := s.Infer(picture(cfg, 0))
		require.NoError(t, err)
		if logits == nil {
			logits = append(logits, got...)
		}
		require.Equal(t, logits, got, k)
	}
	var p observe.Power
	p.Add(net.NewRunner().Forward(picture(cfg, 0), testPreprocess()), logits)
	t.Logf("logits SQNR %v", p.SQNR())
	require.Greater(t, float64(p.SQNR()), least)
}
