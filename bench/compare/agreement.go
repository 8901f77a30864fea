package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
)

// Agreement compares the answers of a runtime with those of this library, whose own line holds its accuracy.
type Agreement struct {
	Runtime string `json:"runtime"`
	Network string `json:"network"`
	Images  int    `json:"images"`
	// Equal is the share of images for which both answer the same class.
	Equal float64 `json:"equal_predictions"`
	// SQNR is the power of this library's logits over that of the difference, in dB; 999 for equal logits.
	SQNR float64 `json:"sqnr_db"`
	// Largest is the largest difference of two logits, of which Highest is the largest in size.
	Largest float64 `json:"largest_difference"`
	Highest float64 `json:"largest_logit"`
	// Correct is the share of labelled images that the runtime gets right; nil without labels.
	Correct *float64 `json:"top1,omitempty"`
}

const identical = 999

// agree compares all runtimes on all networks.
func (c *comparison) agree(ctx context.Context) ([]Agreement, error) {
	var all []Agreement
	for _, n := range c.networks {
		var ours []float32
		for _, e := range c.engines {
			name, logits, err := logitsOf(ctx, e, n, c.inputs, filepath.Join(c.dir, "logits"))
			if err != nil {
				return nil, err
			}
			if ours == nil {
				ours = logits
			}
			if len(logits) != len(ours) {
				return nil, fmt.Errorf("%s: %d logits, expected %d", name, len(logits), len(ours))
			}
			a := compare(ours, logits, n.q.Config.Classes, c.inputs.classes)
			a.Runtime, a.Network = name, n.label
			all = append(all, a)
		}
	}
	return all, nil
}

// logitsOf runs a network on all images.
func logitsOf(ctx context.Context, e engine, n *network, in *inputs, path string) (name string, logits []float32, err error) {
	c, err := e.load(ctx, n, in, 1)
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	if _, err := c.ask(request{Do: "logits", Out: path}); err != nil {
		return "", nil, err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", nil, err
	}
	logits = make([]float32, len(b)/4)
	_, err = binary.Decode(b, binary.LittleEndian, logits)
	return c.name, logits, err
}

// compare gives the figures of one runtime; logits are [images][classes].
func compare(ours, theirs []float32, classes int, labels []int) Agreement {
	a := Agreement{Images: len(ours) / classes}
	var signal, noise float64
	for i, v := range ours {
		d := float64(v) - float64(theirs[i])
		signal += float64(v) * float64(v)
		noise += d * d
		a.Largest = max(a.Largest, math.Abs(d))
		a.Highest = max(a.Highest, math.Abs(float64(v)))
	}
	a.SQNR = identical
	if noise > 0 {
		a.SQNR = min(10*math.Log10(signal/noise), identical)
	}
	equal, correct, labelled := 0, 0, 0
	for i := range a.Images {
		answer := best(theirs[i*classes:][:classes])
		if answer == best(ours[i*classes:][:classes]) {
			equal++
		}
		if labels[i] != unlabelled {
			labelled++
		}
		if answer == labels[i] {
			correct++
		}
	}
	a.Equal = float64(equal) / float64(a.Images)
	if labelled > 0 {
		share := float64(correct) / float64(labelled)
		a.Correct = &share
	}
	return a
}

// best is the class of the largest logit, the first of equals.
func best(logits []float32) int {
	at := 0
	for i, v := range logits {
		if v > logits[at] {
			at = i
		}
	}
	return at
}
