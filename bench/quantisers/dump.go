package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
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
		Height  int         `json:"height"`
		Width   int         `json:"width"`
		Classes int         `json:"classes"`
		Mean    [3]float32  `json:"mean"`
		Std     [3]float32  `json:"std"`
		MaxPool bool        `json:"max_pool"`
		Blocks  []blockFile `json:"blocks"`
		Layers  []layerFile `json:"layers"`
	}
	blockFile struct {
		Name       string `json:"name"`
		Projection bool   `json:"projection"`
	}
	layerFile struct {
		Name   string `json:"name"`
		In     int    `json:"in"`
		Out    int    `json:"out"`
		Kernel int    `json:"kernel"`
		Stride int    `json:"stride"`
		Groups int    `json:"groups"`
	}
)

// dump writes the float network and the pictures for the Python quantisers.
func dump(dir string, net *float.Net, p resnext.Preprocess, pictures *pictures) error {
	cfg := net.Config
	about := networkFile{Height: cfg.Height, Width: cfg.Width, Classes: cfg.Classes, Mean: p.Mean, Std: p.Std, MaxPool: cfg.Stem.MaxPool}
	var tensors []safetensors.Tensor
	add := func(name string, shape []int, c *float.Conv, weight []float32) {
		tensors = append(tensors,
			safetensors.Tensor{Name: name + ".weight", DType: "F32", Shape: shape, Data: bytesOf(weight)},
			safetensors.Tensor{Name: name + ".bias", DType: "F32", Shape: shape[:1], Data: bytesOf(c.Bias)})
	}
	for _, s := range cfg.Convs() {
		about.Layers = append(about.Layers, layerFile{s.Name, s.In, s.Out, s.Kernel, s.Stride, s.Groups})
		depth := s.In / s.Groups
		c := net.Convs[s.Name]
		add(s.Name, []int{s.Out, depth, s.Kernel, s.Kernel}, c, channelsFirst(c.Weight, s.Kernel*s.Kernel, depth))
	}
	program := topology.Lower(cfg)
	for _, s := range program.Steps {
		if s.Add != topology.None {
			about.Blocks = append(about.Blocks, blockFile{s.Block, program.Maps[s.Add].Signed})
		}
	}
	add(resnext.ClassifierName, []int{cfg.Classes, cfg.Features()}, &net.Classifier, net.Classifier.Weight)
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
