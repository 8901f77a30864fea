package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	page "github.com/libresnext/libresnext/cmd/calib/report"
	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// lowSQNR is the ratio in dB below which a layer is marked.
const lowSQNR = page.LowSQNR

// report is what came out, and the object of --json. What was not measured is null.
type report struct {
	Version    string         `json:"version"`
	Model      string         `json:"model"`
	ModelBytes int64          `json:"model_bytes"`
	Arch       string         `json:"arch"`
	Observer   quant.Observer `json:"observer"`
	Effort     quant.Effort   `json:"effort"`
	Images     int            `json:"images"` // calibration images
	// DepthShares is the share of the work by the acc16 depth that the weights make safe, "0" for none, and
	// DepthLoss by how many dB --acc16 auto let the layers' noise grow for that, on average.
	DepthShares    map[int]float64 `json:"chain_shares"`
	DepthLoss      *float64        `json:"chain_loss_db"`
	ComparedOn     comparedOn      `json:"compared_on"`
	ComparedImages int             `json:"compared_images"`
	Float          accuracy        `json:"float"`
	Int8           accuracy        `json:"int8"`
	Agreement      float64         `json:"agreement"`   // see quant.Comparison
	SQNR           *float64        `json:"sqnr_db"`     // null if infinite
	FloatBytes     int64           `json:"float_bytes"` // the same numbers as float32
	FloatMS        float64         `json:"float_ms"`    // of one image on one thread
	Int8MS         float64         `json:"int8_ms"`
	Seconds        float64         `json:"seconds"`
	// Doubt says what is wrong with the labels, or with the float network, by its accuracy; empty for nothing.
	Doubt string `json:"doubt,omitempty"`
	// Notes say what of the weights' file was taken, set aside or understood as something else; Findings what the network's
	// statistics said of its reading; and Warnings what of that the user should know first.
	Notes        []string    `json:"notes"`
	Findings     *findings   `json:"evidence"`
	Warnings     []string    `json:"warnings"`
	Layers       []layerSQNR `json:"layers,omitempty"`
	SkippedCount int         `json:"skipped_count"`     // images that could not be read
	Skipped      []badImage  `json:"skipped"`           // the first of them
	ONNX         string      `json:"onnx,omitempty"`    // the file of --export-onnx
	Page         string      `json:"report,omitempty"`  // the file of --report
	Details      *page.Data  `json:"details,omitempty"` // what it shows

	unlisted bool // the layers are not for the terminal
	head     topology.Head
}

// accuracy holds shares from 0 to 1.
type accuracy struct {
	Top1 *float64 `json:"top1"`
	Top5 *float64 `json:"top5"` // null for 5 classes and fewer
}

type layerSQNR struct {
	Name string   `json:"name"`
	SQNR *float64 `json:"sqnr_db"`
}

func newReport(w *work, c *quant.Comparison, size int64) *report {
	cfg := w.plan.net.Config
	r := &report{
		Version: resnext.Version, Model: w.plan.out, ModelBytes: size, Arch: cli.ArchName(cfg),
		Observer: w.settings.observer, Effort: w.settings.effort, DepthShares: w.found.DepthShares, Images: w.plan.calibration.len(),
		ComparedOn: w.plan.on, ComparedImages: c.Images,
		Agreement: c.Agreement, SQNR: finite(c.SQNR), FloatBytes: 4 * int64(cli.Parameters(cfg)),
		FloatMS: 1e3 * c.FloatSeconds, Int8MS: 1e3 * c.Int8Seconds, Seconds: time.Since(w.begin).Seconds(),
		SkippedCount: len(w.skipped), Skipped: reported(w.skipped),
		ONNX: w.settings.exportONNX, unlisted: !w.settings.layers, head: cfg.Head,
	}
	r.Notes, r.Warnings, r.Findings = []string{}, []string{}, w.findings
	if from := w.plan.net.from; from != nil {
		r.Notes = append(r.Notes, from.Notes...)
	}
	if w.findings != nil {
		r.Warnings = append(r.Warnings, w.findings.warnings()...)
	}
	if loss := w.depthLoss(); loss != nil {
		r.DepthLoss = finite(*loss)
	}
	if c.Labelled > 0 {
		r.Float, r.Int8 = shares(c.Float, cfg.Classes), shares(c.Int8, cfg.Classes)
	}
	for _, l := range c.Layers {
		r.Layers = append(r.Layers, layerSQNR{l.Name, finite(l.SQNR)})
	}
	return r
}

// alarms are what the user should know before the figures.
func (r *report) alarms() []string {
	var all []string
	if r.Doubt != "" {
		all = append(all, r.Doubt)
	}
	return append(all, r.Warnings...)
}

func shares(a quant.Accuracy, classes int) accuracy {
	if classes <= 5 {
		return accuracy{Top1: &a.Top1}
	}
	return accuracy{&a.Top1, &a.Top5}
}

// finite is nil for what JSON cannot say.
func finite(d quant.Decibel) *float64 {
	v := float64(d)
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return nil
	}
	return &v
}

func (r *report) printJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// print writes the report for people.
func (r *report) print(w io.Writer) {
	if !r.unlisted {
		r.printLayers(w)
	}
	fmt.Fprintln(w)
	t := cli.Table{Right: []bool{false, true, true}}
	t.Row("", "float", "int8")
	for _, top := range []struct {
		name        string
		float, int8 *float64
	}{{"top-1", r.Float.Top1, r.Int8.Top1}, {"top-5", r.Float.Top5, r.Int8.Top5}} {
		if top.float != nil {
			t.Row(top.name, cli.Percent(*top.float), cli.Percent(*top.int8), fmt.Sprintf("%+.2f points", 100*(*top.int8-*top.float)))
		}
	}
	t.Row("size", cli.Bytes(r.FloatBytes), cli.Bytes(r.ModelBytes), cli.Times(float64(r.FloatBytes), float64(r.ModelBytes), "smaller", "larger"))
	t.Row("time", fmt.Sprintf("%.2f ms", r.FloatMS), fmt.Sprintf("%.2f ms", r.Int8MS), cli.Times(r.FloatMS, r.Int8MS, "faster", "slower")+", for an image on one core")
	t.Print(w)
	if r.DepthLoss != nil {
		fmt.Fprintf(w, "acc16 depth: %s of the work; the layers' noise grew by at most %.1f dB for that\n", cli.DepthShares(r.DepthShares), *r.DepthLoss)
	}
	fmt.Fprintln(w, r.agreementText())
	fmt.Fprintf(w, "\nwrote %s (%s)\n", cli.Printable(r.Model), cli.Bytes(r.ModelBytes))
	if r.ONNX != "" {
		fmt.Fprintf(w, "wrote %s\n", cli.Printable(r.ONNX))
	}
	if r.Page != "" {
		fmt.Fprintf(w, "wrote %s\n", cli.Printable(r.Page))
	}
	command := "classify"
	if r.head == resnext.Embedding {
		command = "embed"
	}
	fmt.Fprintf(w, "next: resnext %s %s photo.jpg\n", command, shellWord(r.Model))
}

// agreementText says how alike the answers of the two networks are.
func (r *report) agreementText() string {
	agreement, on, sqnr := cli.Percent(r.Agreement), r.comparedText(), decibel(r.SQNR)
	switch r.head {
	case resnext.Embedding:
		return fmt.Sprintf("vectors: mean cosine similarity %.5f on %s, SQNR %s", r.Agreement, on, sqnr)
	case resnext.MultiLabel:
		return fmt.Sprintf("same decision for %s of the labels on %s, logits SQNR %s", agreement, on, sqnr)
	}
	return fmt.Sprintf("same answer for %s of %s, logits SQNR %s", agreement, on, sqnr)
}

func (r *report) comparedText() string {
	switch r.ComparedOn {
	case onEval:
		return fmt.Sprintf("%d labelled images", r.ComparedImages)
	case onSynthetic:
		return fmt.Sprintf("%d made-up images", r.ComparedImages)
	}
	return fmt.Sprintf("%d of the calibration images", r.ComparedImages)
}

// printLayers lists the layers' ratios, worst first.
func (r *report) printLayers(w io.Writer) {
	if len(r.Layers) == 0 {
		return
	}
	sorted := slices.Clone(r.Layers)
	slices.SortStableFunc(sorted, func(a, b layerSQNR) int {
		switch x, y := value(a.SQNR), value(b.SQNR); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	fmt.Fprintln(w, "\nSQNR of each layer's output, with the error of all layers before it, worst first")
	t := cli.Table{Indent: "  ", Right: []bool{true}}
	low := false
	for _, l := range sorted {
		mark := ""
		if value(l.SQNR) < lowSQNR {
			mark, low = "low", true
		}
		t.Row(decibel(l.SQNR), l.Name, mark)
	}
	t.Print(w)
	if low {
		fmt.Fprintf(w, "Layers below %d dB lose much: try another --observer, or other images.\n", lowSQNR)
	}
}

// value is a ratio that sorts; nil is infinite.
func value(sqnr *float64) float64 {
	if sqnr == nil {
		return math.Inf(1)
	}
	return *sqnr
}

func decibel(sqnr *float64) string {
	if sqnr == nil {
		return "infinite"
	}
	return fmt.Sprintf("%.1f dB", *sqnr)
}
