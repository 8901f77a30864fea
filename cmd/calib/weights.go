package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/weights"
	"github.com/libresnext/libresnext/resnext"
)

// maxRandom bounds the parameters of a made-up network: 4 GiB of them. The largest published network of
// the family has 0.83 G.
const maxRandom = 1 << 30

// floatNetwork is the network to quantise and where it comes from.
type floatNetwork struct {
	*float.Net
	source string          // in words
	from   *weights.Source // nil for random weights
}

// readNetwork reads the checkpoint, or makes a random network.
func readNetwork(s *settings) (*floatNetwork, error) {
	if s.random != nil {
		if n := cli.Parameters(*s.random); n > maxRandom {
			return nil, fmt.Errorf("%s: %s parameters are more than memory is sure to hold; the limit is %s", s.weights, cli.Count(n), cli.Count(maxRandom))
		}
		if s.outliers {
			return &floatNetwork{float.RandomHeavy(*s.random, s.seed), fmt.Sprintf("random with uneven channels, seed %d", s.seed), nil}, nil
		}
		return &floatNetwork{float.Random(*s.random, s.seed), fmt.Sprintf("random, seed %d", s.seed), nil}, nil
	}
	net, from, err := weights.Open(s.weights, weights.Options{Arch: s.arch, Key: s.key, Embedding: heads[s.head] == resnext.Embedding})
	if err != nil {
		return nil, err
	}
	source := fmt.Sprintf("%s (%s, %s)", from.Path, from.Format, from.Dialect)
	if from.Wrapper != "" {
		source += fmt.Sprintf(", under %q", from.Wrapper)
	}
	return &floatNetwork{net, source, from}, nil
}

// lastName is the last element of a path, that of the folder itself for "." and "..".
func lastName(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	return filepath.Base(path)
}

// modelName is the model file's default name: that of the weights in the current folder.
func modelName(s *settings) string {
	const ending = ".int8.safetensors"
	if name, ok := strings.CutPrefix(s.weights, randomPrefix); ok {
		return "random-" + strings.ToLower(name) + ending
	}
	if name, ok := strings.CutPrefix(s.weights, outliersPrefix); ok {
		return "random-outliers-" + strings.ToLower(name) + ending
	}
	base := lastName(s.weights)
	for _, e := range []string{".pth.tar", ".pth", ".pt", ".bin", ".safetensors.index.json", ".safetensors", ".onnx", ".npz", ".t7"} {
		if name, ok := strings.CutSuffix(base, e); ok && name != "" {
			return name + ending
		}
	}
	return base + ending
}
