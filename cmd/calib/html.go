package main

import (
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/cpuid/v2"

	"github.com/libresnext/libresnext/asm"
	page "github.com/libresnext/libresnext/cmd/calib/report"
	"github.com/libresnext/libresnext/internal/atomicfile"
	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant"
	"github.com/libresnext/libresnext/resnext"
)

// writePage writes the page of --report, if there is to be one, and adds what it shows to r.
func (w *work) writePage(model *resnext.Model, r *report) error {
	path := w.settings.report
	if path == "" {
		return nil
	}
	d, err := w.details(model, r)
	if err != nil {
		return &outputError{path, err}
	}
	if err := atomicfile.Write(path, func(f io.Writer) error { return page.Write(f, d) }); err != nil {
		return &outputError{path, pathCause(err)}
	}
	r.Page, r.Details = path, d
	return nil
}

// outputError is an error about a file that could not be written.
type outputError struct {
	path string
	err  error
}

func (e *outputError) Error() string { return e.path + ": " + e.err.Error() }
func (e *outputError) Unwrap() error { return e.err }

// details gathers what the page shows.
func (w *work) details(model *resnext.Model, r *report) (*page.Data, error) {
	p, s := w.plan, w.settings
	cfg := p.net.Config
	on := r.comparedText()
	if p.on == onEval {
		on = p.comparedText
	}
	d := &page.Data{
		Found: w.foundDetails(r),
		Network: page.Network{
			Name: r.Arch, Parameters: int64(cli.Parameters(cfg)), MACs: cfg.MACs(),
			Width: cfg.Width, Height: cfg.Height, Classes: cfg.Classes, Random: s.random != nil,
		},
		Choices: page.Choices{
			Observer: string(s.observer), Percentile: s.percentile, Depth: w.found.MainDepth(), DepthAuto: s.acc16 == quant.DepthAuto,
			DepthLoss: w.depthLoss(), Techniques: w.found.Techniques, Absorbed: w.found.Absorbed,
			Equalise: w.equaliseFlag(), Images: p.calibration.len(),
			ImagesText: cli.Printable(p.imagesText), AllImages: takesAll(p.calibration, s.limit),
		},
		Summary: page.Summary{
			Images: r.ComparedImages, Labelled: w.comparison.Labelled, ComparedOn: cli.Printable(on), Skipped: len(w.skipped),
			Float:     page.Side{Top1: r.Float.Top1, Top5: r.Float.Top5, Bytes: r.FloatBytes, Milliseconds: &r.FloatMS},
			Int8:      page.Side{Top1: r.Int8.Top1, Top5: r.Int8.Top5, Bytes: r.ModelBytes, Milliseconds: &r.Int8MS},
			Agreement: &r.Agreement, SQNR: &w.comparison.SQNR,
		},
		Labels: p.labels,
		Layers: w.layerDetails(model),
		Run:    w.runDetails(model, r),
	}
	var err error
	if d.Kernels, err = kernelDetails(model); err != nil {
		return nil, err
	}
	d.Answers, err = w.answers.details(p.compared, cfg)
	return d, err
}

// foundDetails are the alarms first of all, then what the network and its file told.
func (w *work) foundDetails(r *report) page.Found {
	f := page.Found{Alarms: r.alarms(), Notes: r.Notes}
	if w.findings != nil {
		for _, row := range w.findings.rows() {
			f.Evidence = append(f.Evidence, page.Setting{Name: row[0], Value: row[1]})
		}
	}
	for i, text := range f.Alarms {
		f.Alarms[i] = cli.Printable(strings.ToUpper(text[:1]) + text[1:])
	}
	return f
}

// depthLoss is what the choice of acc16 depths cost; nil where one was given.
func (w *work) depthLoss() *quant.Decibel {
	if w.settings.acc16 != quant.DepthAuto {
		return nil
	}
	return &w.found.DepthLoss
}

// equalised reports whether the channels of the float network were scaled.
func (w *work) equalised() bool { return slices.Contains(w.found.Techniques, quant.Equalisation) }

// equaliseFlag is what to change for that; empty if they were.
func (w *work) equaliseFlag() string {
	switch {
	case w.equalised():
		return ""
	case w.settings.effort == quant.Fast:
		return "--effort " + string(quant.Default)
	}
	return "no " + string(quant.Equalisation) + " in --without"
}

// takesAll reports whether a source gives every image that there is.
func takesAll(from imageSource, limit int) bool {
	set, ok := from.(*datasetSource)
	return ok && (limit == 0 || set.set.Len() <= limit)
}

// kernelDetails describes the kernels that ran and how much of the work sums in 16 bits.
func kernelDetails(model *resnext.Model) (page.Kernels, error) {
	k, _, err := asm.Select(model.Kernels())
	if err != nil {
		return page.Kernels{}, err
	}
	total := map[int]int64{}
	for _, l := range model.Layers() {
		for products, n := range l.MACsByDepth {
			total[products] += n
		}
	}
	return page.Kernels{Name: k.Name, UseAcc16: len(k.Depths) > 0, Depths: depthShares(total)}, nil
}

// depthShares turns counts by acc16 depth into shares, smallest depth first.
func depthShares(counts map[int]int64) []page.DepthShare {
	total := int64(0)
	var shares []page.DepthShare
	for products, n := range counts {
		total += n
		shares = append(shares, page.DepthShare{Products: products, Share: float64(n)})
	}
	for i := range shares {
		shares[i].Share /= float64(max(1, total))
	}
	slices.SortFunc(shares, func(a, b page.DepthShare) int { return a.Products - b.Products })
	return shares
}

// runDetails says how the model was made.
func (w *work) runDetails(model *resnext.Model, r *report) page.Run {
	d := page.Run{
		Version: resnext.Version, Seed: w.settings.seed, Model: cli.Printable(w.plan.out), Command: shellCommand(w.settings.args),
		Seconds: r.Seconds,
	}
	last := ""
	for _, x := range w.plan.decisions() {
		if x[0] != "" {
			last = x[0]
		}
		d.Settings = append(d.Settings, page.Setting{Name: last, Value: x[1]})
	}
	cpu := cpuid.CPU.BrandName
	if cpu == "" {
		cpu = "not named by the system"
	}
	threads := "all"
	if w.settings.threads > 0 {
		threads = strconv.Itoa(w.settings.threads)
	}
	d.Machine = []page.Setting{
		{Name: "CPU", Value: cpu},
		{Name: "cores", Value: strconv.Itoa(runtime.NumCPU()) + ", used: " + threads},
		{Name: "system", Value: runtime.GOOS + "/" + runtime.GOARCH},
		{Name: "kernel set", Value: model.Kernels()},
	}
	return d
}
