package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/libresnext/libresnext/internal/checkpoint"
	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/floatnet"
)

// maxRandom bounds the parameters of a made-up network: 4 GiB of them. The largest published network of
// the family has 0.83 G.
const maxRandom = 1 << 30

// floatNetwork is the network to quantise and where it comes from.
type floatNetwork struct {
	*floatnet.Net
	source string // in words
}

// readNetwork reads the checkpoint, or makes a random network.
func readNetwork(s *settings) (*floatNetwork, error) {
	if s.random != nil {
		if n := cli.Parameters(*s.random); n > maxRandom {
			return nil, fmt.Errorf("%s: %s parameters are more than memory is sure to hold; the limit is %s", s.weights, cli.Count(n), cli.Count(maxRandom))
		}
		return &floatNetwork{floatnet.Random(*s.random, s.seed), fmt.Sprintf("random, seed %d", s.seed)}, nil
	}
	c, err := checkpoint.Open(s.weights)
	if err != nil {
		return nil, err
	}
	net, err := floatnet.FromCheckpoint(c, s.arch)
	if err != nil {
		return nil, err
	}
	source := fmt.Sprintf("%s (%s)", s.weights, c.Format)
	if c.Wrapper != "" {
		source += fmt.Sprintf(", state dict under %q", c.Wrapper)
	}
	return &floatNetwork{net, source}, nil
}

// modelName is the model file's default name: that of the weights in the current folder.
func modelName(s *settings) string {
	const ending = ".int8.safetensors"
	if name, ok := strings.CutPrefix(s.weights, randomPrefix); ok {
		return "random-" + strings.ToLower(name) + ending
	}
	base := filepath.Base(s.weights)
	for _, e := range []string{".pth.tar", ".pth", ".pt", ".bin", ".safetensors"} {
		if name, ok := strings.CutSuffix(base, e); ok && name != "" {
			return name + ending
		}
	}
	return base + ending
}
