// Command calls runs what bench/arm64 watches under emulation:
//
//	calls infer   one inference of a network
//	calls layers  a few calls of each kernel, and how many of them each layer of the network is made of
//
// What is to be watched lies between the calls of begin and end.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// begin and end are the marks that the plugin looks for by name.
//
//go:noinline
func begin() {}

//go:noinline
func end() {}

func main() {
	network := flag.String("network", "resnext50_32x4d", "architecture")
	set := flag.String("set", "neon", "kernel set")
	depth := flag.Int("acc16", 4, "products in a 16-bit sum that the weights allow; 2 proves nothing")
	threads := flag.Int("threads", 4, "threads that layers cut their tasks for")
	flag.Parse()
	if err := run(*network, *set, weight(*depth), *threads, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "calls:", err)
		os.Exit(1)
	}
}

// weight is the largest that allows sums of that many products with activations of -128..127.
func weight(depth int) int8 { return int8(min(127, 256/max(2, depth))) }

func run(network, set string, weight int8, threads int, what string) error {
	cfg, err := resnext.Named(network)
	if err != nil {
		return err
	}
	switch what {
	case "infer":
		return infer(cfg, set, weight)
	case "layers":
		k, _, err := asm.Select(set)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(sampleLayers(cfg, k, weight, threads))
	}
	return fmt.Errorf("%q: expected infer or layers", what)
}

// infer runs a network on one thread, once to warm up and once between the marks.
func infer(cfg resnext.Config, set string, weight int8) error {
	m, err := resnext.New(constant(cfg, weight), resnext.Options{Kernels: set})
	if err != nil {
		return err
	}
	s, err := m.NewSession(resnext.SessionOptions{Threads: 1})
	if err != nil {
		return err
	}
	defer s.Close()
	rgb := make([]byte, cfg.Height*cfg.Width*3)
	if _, err := s.Infer(rgb); err != nil {
		return err
	}
	begin()
	_, err = s.Infer(rgb)
	end()
	return err
}

// constant is a network whose weights are all the same. No kernel's path depends on its data, but which kernel runs
// depends on the sums that the weights of convolutions allow.
func constant(cfg resnext.Config, weight int8) *resnext.Quantised {
	q := testnet.Quantised(cfg, func(s resnext.ConvShape) (resnext.ConvParams, float32) {
		w := weight
		if s.Name == resnext.ClassifierName {
			w = 1
		}
		return params(s.Out, s.Weights()/s.Out, w), 1
	})
	q.Gates, q.Sigmoid = map[string]float32{}, make([]uint16, resnext.SigmoidSteps)
	for _, s := range topology.Lower(cfg).Steps {
		if s.Op != topology.Gated {
			continue
		}
		for _, l := range s.Gate {
			q.Convs[l.Name] = params(l.Out, l.In, 1)
		}
		q.Scale[s.Name], q.Gates[s.Name], q.Residual[s.Block] = 1, 1, 1
	}
	return q
}

func params(out, perChannel int, weight int8) resnext.ConvParams {
	return resnext.ConvParams{
		Weight: slices.Repeat([]int8{weight}, out*perChannel), Bias: make([]int32, out), Multiplier: make([]float32, out),
	}
}
