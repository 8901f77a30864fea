package main

import (
	"runtime"
	"strings"
	"sync"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/weights"
	"github.com/libresnext/libresnext/resnext"
)

// randomPrefix and outliersPrefix mark networks that calib makes up.
const (
	randomPrefix   = "random:"
	outliersPrefix = "random-outliers:"
	seed           = 1 // calib's default
)

// readFloat gives the network that calib read, at the input size of cfg, that of the model it made.
func readFloat(path string, cfg resnext.Config) (*float.Net, error) {
	for prefix, random := range map[string]func(resnext.Config, uint64) *float.Net{randomPrefix: float.Random, outliersPrefix: float.RandomHeavy} {
		if name, ok := strings.CutPrefix(path, prefix); ok {
			named, err := resnext.Named(name)
			if err != nil {
				return nil, err
			}
			net := random(named, seed)
			return net, net.SetInputSize(cfg.Height, cfg.Width)
		}
	}
	net, _, err := weights.Open(path, weights.Options{})
	if err != nil {
		return nil, err
	}
	return net, net.SetInputSize(cfg.Height, cfg.Width)
}

// floatLogits runs the float network, a picture on each core.
func floatLogits(net *float.Net, p resnext.Preprocess, pictures [][]byte) ([]float32, error) {
	classes := net.Config.Classes
	all := make([]float32, len(pictures)*classes)
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			r := net.NewRunner()
			for i := w; i < len(pictures); i += workers {
				copy(all[i*classes:], r.Forward(pictures[i], p))
			}
		})
	}
	wg.Wait()
	return all, nil
}
