package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/libresnext/libresnext/internal/safetensors"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// The network as network.py reads it.
type (
	networkFile struct {
		Height  int        `json:"height"`
		Width   int        `json:"width"`
		Classes int        `json:"classes"`
		Mean    [3]float32 `json:"mean"`
		Std     [3]float32 `json:"std"`
		Steps   []stepFile `json:"steps"`
	}
	// stepFile is one step of the network, in order. Maps are numbered; the image is 0, and -1 is none.
	stepFile struct {
		Op       string `json:"op"`
		Name     string `json:"name"`
		Block    string `json:"block"`
		In       int    `json:"in"`
		Out      int    `json:"out"`
		Add      int    `json:"add"`
		ReLU     bool   `json:"relu"`
		Channels int    `json:"channels"` // of In
		Filters  int    `json:"filters"`
		Kernel   int    `json:"kernel"`
		Stride   int    `json:"stride"`
		Groups   int    `json:"groups"`
		// Layers are the names of those in a gate: two linear ones, or one of neighbouring channels.
		Layers []string `json:"layers"`
	}
)

// ops are the names of what steps do.
var ops = map[topology.Op]string{
	topology.Conv: "conv", topology.MaxPool: "max_pool", topology.AveragePool: "average_pool", topology.Gated: "gate",
	topology.Classify: "classify",
}

// dump writes the float network and the pictures for the Python quantisers.
func dump(dir string, net *float.Net, p resnext.Preprocess, pictures *pictures) error {
	cfg := net.Config
	about := networkFile{Height: cfg.Height, Width: cfg.Width, Classes: cfg.Classes, Mean: p.Mean, Std: p.Std}
	var tensors []safetensors.Tensor
	add := func(name string, shape []int, c *float.Conv, weight []float32) {
		tensors = append(tensors,
			safetensors.Tensor{Name: name + ".weight", DType: "F32", Shape: shape, Data: bytesOf(weight)},
			safetensors.Tensor{Name: name + ".bias", DType: "F32", Shape: shape[:1], Data: bytesOf(c.Bias)})
	}
	for _, s := range topology.Lower(cfg).Steps {
		if ops[s.Op] == "" {
			return fmt.Errorf("%s: the Python quantisers do not know this operator", s.Name)
		}
		c, layers := s.Conv, []string{}
		for _, l := range s.Gate {
			layers = append(layers, l.Name)
			add(l.Name, []int{l.Out, l.In}, net.Convs[l.Name], net.Convs[l.Name].Weight)
		}
		about.Steps = append(about.Steps, stepFile{
			ops[s.Op], s.Name, s.Block, int(s.In), int(s.Out), int(s.Add), c.ReLU, c.In, c.Out, c.Kernel, c.Stride, c.Groups, layers,
		})
		switch s.Op {
		case topology.Conv:
			depth, w := c.In/c.Groups, net.Convs[s.Name]
			add(s.Name, []int{c.Out, depth, c.Kernel, c.Kernel}, w, channelsFirst(w.Weight, c.Kernel*c.Kernel, depth))
		case topology.Classify:
			add(s.Name, []int{c.Out, c.In}, &net.Classifier, net.Classifier.Weight)
		}
	}
	text, err := json.MarshalIndent(about, "", " ")
	if err != nil {
		return err
	}
	if _, err := safetensors.Write(filepath.Join(dir, "weights.safetensors"), nil, tensors); err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		"network.json":    text,
		"calibration.rgb": bytes.Join(pictures.calibration, nil),
		"evaluation.rgb":  bytes.Join(pictures.evaluation, nil),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// channelsFirst brings weights from [out][taps][depth] to [out][depth][taps].
func channelsFirst(w []float32, taps, depth int) []float32 {
	t := make([]float32, len(w))
	for at := 0; at < len(w); at += taps * depth {
		for i := range taps * depth {
			t[at+i%depth*taps+i/depth] = w[at+i]
		}
	}
	return t
}

func bytesOf(v []float32) []byte {
	b, _ := binary.Append(nil, binary.LittleEndian, v) // cannot fail for this type
	return b
}
