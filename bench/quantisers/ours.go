package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/libresnext/libresnext/resnext"
)

// variant is one model that calib made.
type variant struct {
	options string
	model   *resnext.Model
	seconds float64
}

// calibrate runs calib for each variant.
func calibrate(ctx context.Context, o *options) ([]variant, error) {
	var all []variant
	for i, options := range list(o.variants) {
		out := filepath.Join(o.dir, fmt.Sprintf("variant%d.int8.safetensors", i))
		args := []string{"--weights", o.weights, "--limit", strconv.Itoa(o.limit), "--eval-limit", "1", "--json", "--out", out}
		if o.images != "" {
			args = append(args, "--images", o.images)
		}
		args = slices.Concat(args, strings.Fields(o.calibOptions), strings.Fields(options))
		fmt.Fprintln(os.Stderr, "quantisers: calib", strings.Join(args, " "))
		command := exec.CommandContext(ctx, o.calib, args...)
		var talk bytes.Buffer
		command.Stderr = &talk
		text, err := command.Output()
		if err != nil {
			return nil, fmt.Errorf("calib %s: %w\n%s", options, err, &talk)
		}
		var report struct {
			Seconds float64 `json:"seconds"`
		}
		if err := json.Unmarshal(text, &report); err != nil {
			return nil, fmt.Errorf("calib %s: its report: %w", options, err)
		}
		model, err := resnext.Open(out)
		if err != nil {
			return nil, err
		}
		all = append(all, variant{options, model, report.Seconds})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("-variants is empty: give calib's options, such as --acc16 4")
	}
	return all, nil
}

// int8Logits runs a model on pictures, which are ready for it; one after the other on all cores.
func int8Logits(m *resnext.Model, pictures [][]byte) ([]float32, error) {
	s, err := m.NewSession(resnext.SessionOptions{})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var all []float32
	for _, rgb := range pictures {
		logits, err := s.Infer(rgb)
		if err != nil {
			return nil, err
		}
		all = append(all, logits...)
	}
	return all, nil
}
