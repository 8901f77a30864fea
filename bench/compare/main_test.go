package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// TestMain lets the test binary be a worker: this library's, or, in the place of a Python interpreter, one that
// stands in for another runtime.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 {
		if os.Args[1] == busyArgument {
			busyLoop(os.Stdin)
			os.Exit(0)
		}
		serveAs := map[string]func(io.Reader, io.Writer) error{workerArgument: serve, "scripts/standin_worker.py": serveStandIn}
		if f, ok := serveAs[os.Args[1]]; ok {
			exit(f(os.Stdin, os.Stdout))
		}
		if strings.HasSuffix(os.Args[1], "_worker.py") {
			exit(errors.New("no such runtime"))
		}
	}
	os.Exit(m.Run())
}

// serveStandIn answers as a worker does: all logits are 0 but the first, and everything takes a second.
func serveStandIn(in io.Reader, out io.Writer) error {
	requests, replies := json.NewDecoder(in), json.NewEncoder(out)
	r := reply{Name: "stand-in", Version: "9"}
	var inputs string
	for {
		if err := replies.Encode(r); err != nil {
			return err
		}
		var q request
		if err := requests.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		r = reply{}
		switch q.Do {
		case "load":
			if _, err := os.Stat(q.Model); err != nil || !strings.HasSuffix(q.Model, ".onnx") {
				r.Error = "no ONNX file"
			}
			inputs = q.Inputs
		case "time":
			for range q.Runs {
				r.NS = append(r.NS, 1e9)
			}
		case "logits":
			images, err := os.ReadFile(inputs)
			if err != nil || len(images)%paddedBytes != 0 {
				r.Error = "not the padded images"
			}
			one := []byte{0, 0, 128, 63, 0, 0, 0, 0, 0, 0, 0, 0} // 1, 0, 0
			if err := os.WriteFile(q.Out, []byte(strings.Repeat(string(one), len(images)/paddedBytes)), 0o666); err != nil {
				r.Error = err.Error()
			}
		case "profile":
			r.Layers = map[string]float64{"stem.conv_7": 2e6, "Transpose_1": 1e6}
		}
	}
}
