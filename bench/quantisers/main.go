// Command quantisers calibrates one float network with this library, ONNX Runtime and PyTorch on the same images,
// and prints how near each int8 network is to the float one. run.sh sets it up; bench/quantisers/README.md says how
// it compares.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
)

// options are the flags.
type options struct {
	weights, images, eval string
	limit, evalLimit      int
	calib, calibOptions   string
	variants              string
	dir, scripts          string
	ort, torch            string
	methods               string
	json                  bool
}

func main() {
	var o options
	flag.StringVar(&o.weights, "weights", "", "`checkpoint` of the float network, or what calib makes up, such as random:resnext50_32x4d or random-outliers:resnext50_32x4d")
	flag.StringVar(&o.images, "images", "", "`folder` or archive of images to calibrate with; made up without it")
	flag.StringVar(&o.eval, "eval", "", "`folder` or archive of labelled images to compare on; made up without it")
	flag.IntVar(&o.limit, "limit", 512, "`number` of images to calibrate with")
	flag.IntVar(&o.evalLimit, "eval-limit", 0, "`number` of images to compare on; 0 is all, or 64 made-up ones")
	flag.StringVar(&o.calib, "calib", "build/bench/calib", "calib's `program`")
	flag.StringVar(&o.calibOptions, "calib-options", "", "further `options` for calib, separated by blanks")
	flag.StringVar(&o.variants, "variants", "--acc16 auto;--acc16 8;--effort fast --acc16 4", "calib's `options` to compare, separated by semicolons")
	flag.StringVar(&o.dir, "dir", "build/bench/quantised", "`folder` for everything that is made")
	flag.StringVar(&o.scripts, "scripts", "bench/quantisers", "`folder` of the Python scripts")
	flag.StringVar(&o.ort, "ort", "", "Python `interpreter` that has ONNX Runtime; without it, it is left out")
	flag.StringVar(&o.torch, "torch", "", "Python `interpreter` that has PyTorch; without it, it is left out")
	flag.StringVar(&o.methods, "methods", "MinMax,Entropy,Percentile", "ONNX Runtime's calibration `methods`")
	flag.BoolVar(&o.json, "json", false, "print one JSON object")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := compare(ctx, &o); err != nil {
		fmt.Fprintln(os.Stderr, "quantisers:", err)
		os.Exit(1)
	}
}

func compare(ctx context.Context, o *options) error {
	if o.weights == "" {
		return fmt.Errorf("-weights is missing: give a checkpoint, or a network to make up")
	}
	if err := os.MkdirAll(o.dir, 0o777); err != nil {
		return err
	}
	ours, err := calibrate(ctx, o)
	if err != nil {
		return err
	}
	net, err := readFloat(o.weights, ours[0].model.Config())
	if err != nil {
		return err
	}
	p, err := readPictures(o, ours[0].model)
	if err != nil {
		return err
	}
	t := &table{Weights: o.weights, Pictures: p.about, Classes: net.Config.Classes, labels: p.labels}
	if t.float, err = floatLogits(net, ours[0].model.Preprocess(), p.evaluation); err != nil {
		return err
	}
	t.add(result{Runtime: "float", Method: "this library's float32"}, t.float)
	for _, v := range ours {
		logits, err := int8Logits(v.model, p.evaluation)
		if err != nil {
			return err
		}
		t.add(result{Runtime: "libresnext", Method: v.options, Seconds: v.seconds}, logits)
	}
	if err := dump(o.dir, net, ours[0].model.Preprocess(), p); err != nil {
		return err
	}
	for _, other := range []struct{ python, script string }{{o.ort, "ort_quantise.py"}, {o.torch, "torch_quantise.py"}} {
		if other.python == "" {
			continue
		}
		err := runScript(ctx, other.python, filepath.Join(o.scripts, other.script), []string{o.dir, o.methods}, t)
		if err != nil {
			return err
		}
	}
	if o.json {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(t)
	}
	t.print(os.Stdout)
	return nil
}

// list cuts text at semicolons and drops empty parts.
func list(text string) []string {
	var parts []string
	for p := range strings.SplitSeq(text, ";") {
		if p = strings.TrimSpace(p); p != "" {
			parts = append(parts, p)
		}
	}
	return parts
}
