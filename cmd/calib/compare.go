package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/libresnext/libresnext/internal/cli"
)

const aboutCompare = `compare puts two runs of calib side by side: what came out, and which layers
gained or lost. A and B are what "calib --json" printed for each; with --layers
they have the layers too.`

// The bounds of what compare reads and lists: a report of ResNet-152 with layers and details has under 4 MB.
const (
	maxReport    = 64 << 20
	changedDB    = 0.5 // a smaller change of a layer's ratio is not worth a line
	changedCount = 12
)

func compareCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "compare A.json B.json",
		Short: "Put two runs side by side",
		Long:  aboutCompare,
		Example: `  calib --weights M --images photos/ --layers --json --out a >a.json
  calib --weights M --images photos/ --layers --json --out b --observer minmax >b.json
  calib compare a.json b.json`,
		Args: cli.Args(2, 2, "a report"),
		RunE: func(c *cobra.Command, args []string) error {
			var r [2]*report
			for i, path := range args {
				var err error
				if r[i], err = readReport(path); err != nil {
					return err
				}
			}
			printSides(c.OutOrStdout(), args, r[0], r[1])
			return nil
		},
	}
}

// readReport reads what --json printed.
func readReport(path string) (*report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxReport+1))
	if err != nil {
		return nil, err
	}
	var r report
	if len(text) > maxReport {
		err = fmt.Errorf("more than %s", cli.Bytes(maxReport))
	} else if err = json.Unmarshal(text, &r); err == nil && (r.Version == "" || r.Arch == "") {
		err = errors.New("version and arch are missing")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: is not what calib --json prints: %w", path, err)
	}
	return &r, nil
}

// printSides prints two reports side by side.
func printSides(w io.Writer, names []string, a, b *report) {
	t := cli.Table{Right: []bool{false, true, true, true}}
	if short := []string{filepath.Base(names[0]), filepath.Base(names[1])}; short[0] != short[1] {
		names = short
	}
	t.Row("", cli.Printable(names[0]), cli.Printable(names[1]), "change")
	text := func(name, x, y string) {
		change := ""
		if x != y {
			change = "differs"
		}
		t.Row(name, cli.Printable(x), cli.Printable(y), change)
	}
	number := func(name string, x, y *float64, show func(v float64) string, change func(d float64) string) {
		cell := func(v *float64) string {
			if v == nil {
				return "-"
			}
			return show(*v)
		}
		if x == nil && y == nil {
			return
		}
		d := ""
		if x != nil && y != nil {
			d = change(*y - *x)
		}
		t.Row(name, cell(x), cell(y), d)
	}
	points := func(d float64) string { return fmt.Sprintf("%+.2f points", 100*d) }
	dB := func(d float64) string { return fmt.Sprintf("%+.1f dB", d) }
	ratio := func(x, y float64) func(float64) string {
		return func(float64) string {
			if math.Abs(x-y) < 0.005*x {
				return "the same"
			}
			return cli.Times(x, y, "less", "more")
		}
	}
	text("network", a.Arch, b.Arch)
	text("effort", string(a.Effort), string(b.Effort))
	text("observer", string(a.Observer), string(b.Observer))
	text("images", fmt.Sprint(a.Images), fmt.Sprint(b.Images))
	text("compared on", fmt.Sprintf("%d, %s", a.ComparedImages, a.ComparedOn), fmt.Sprintf("%d, %s", b.ComparedImages, b.ComparedOn))
	number("top-1, float", a.Float.Top1, b.Float.Top1, cli.Percent, points)
	number("top-1, int8", a.Int8.Top1, b.Int8.Top1, cli.Percent, points)
	number("agreement", &a.Agreement, &b.Agreement, cli.Percent, points)
	number("logits SQNR", a.SQNR, b.SQNR, func(v float64) string { return decibel(&v) }, dB)
	number("noise for acc16", a.DepthLoss, b.DepthLoss, func(v float64) string { return decibel(&v) }, dB)
	if x, y := a.Findings, b.Findings; x != nil && y != nil && x.Fit != nil && y.Fit != nil {
		nats := func(v float64) string { return fmt.Sprintf("%.4f nats", v) }
		number("from training", &x.Fit.Divergence, &y.Fit.Divergence, nats, func(d float64) string { return fmt.Sprintf("%+.4f nats", d) })
	}
	bytes := func(v float64) string { return cli.Bytes(int64(v)) }
	sizeA, sizeB := float64(a.ModelBytes), float64(b.ModelBytes)
	number("size", &sizeA, &sizeB, bytes, ratio(sizeA, sizeB))
	number("time, int8", &a.Int8MS, &b.Int8MS, func(v float64) string { return fmt.Sprintf("%.2f ms", v) }, ratio(a.Int8MS, b.Int8MS))
	number("calibration", &a.Seconds, &b.Seconds, func(v float64) string { return fmt.Sprintf("%.1f s", v) }, ratio(a.Seconds, b.Seconds))
	t.Print(w)
	for i, r := range []*report{a, b} {
		for _, text := range r.alarms() {
			fmt.Fprintf(w, "%s: %s\n", cli.Printable(names[i]), cli.Printable(text))
		}
	}
	printChangedLayers(w, a.Layers, b.Layers)
}

// printChangedLayers lists the layers whose ratios differ most.
func printChangedLayers(w io.Writer, a, b []layerSQNR) {
	if len(a) == 0 || len(b) == 0 {
		return
	}
	before := map[string]float64{}
	for _, l := range a {
		before[l.Name] = value(l.SQNR)
	}
	type change struct {
		name        string
		from, to, d float64
	}
	var all []change
	for _, l := range b {
		from, ok := before[l.Name]
		if d := value(l.SQNR) - from; ok && math.Abs(d) >= changedDB && !math.IsInf(d, 0) {
			all = append(all, change{l.Name, from, value(l.SQNR), d})
		}
	}
	if len(all) == 0 {
		fmt.Fprintf(w, "\nno layer's SQNR differs by %.1f dB or more\n", changedDB)
		return
	}
	slices.SortStableFunc(all, func(x, y change) int { return cmp.Compare(math.Abs(y.d), math.Abs(x.d)) })
	fmt.Fprintf(w, "\nSQNR of the layers that differ by %.1f dB or more, %d of %d, the most first\n", changedDB, min(changedCount, len(all)), len(all))
	t := cli.Table{Indent: "  ", Right: []bool{true, true, true}}
	for _, c := range all[:min(changedCount, len(all))] {
		t.Row(fmt.Sprintf("%.1f dB", c.from), fmt.Sprintf("%.1f dB", c.to), fmt.Sprintf("%+.1f dB", c.d), cli.Printable(c.name))
	}
	t.Print(w)
}
