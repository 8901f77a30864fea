package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// print writes the inspection for people.
func (r *inspection) print(w io.Writer, layers bool) {
	cfg := r.network
	about := cli.Table{}
	about.Row("model", cli.Printable(r.Model))
	about.Row("file", fmt.Sprintf("%s, format version %s, checksum %s", cli.Bytes(r.FileBytes), r.FormatVersion, r.Checksum))
	about.Row("network", fmt.Sprintf("%s: %d layers, %s", cli.Printable(r.Arch), cfg.Layers(), cli.Groups(cfg)))
	about.Row("parameters", fmt.Sprintf("%s weights and biases", cli.Count(r.Parameters)))
	about.Row("work", fmt.Sprintf("%s multiply-accumulates for one image", cli.Count(r.MACs)))
	about.Row("input", fmt.Sprintf("%dx%d pixels RGB (width x height)", cfg.Width, cfg.Height))
	about.Row("images", cli.PreprocessText(cfg, r.Preprocess))
	about.Row("mean", cli.Triple(r.Preprocess.Mean)+"; standard deviation "+cli.Triple(r.Preprocess.Std))
	about.Row("gives", headText(cfg))
	if cfg.Head != resnext.Embedding {
		about.Row("labels", labelText(r.Labels, cfg.Classes))
	}
	about.Row("kernels", r.Kernels)
	about.Row("acc16 depth", depthText(r.Depths))
	about.Row("memory", fmt.Sprintf("%s packed weights, %s for each session", cli.Bytes(int64(r.PackedBytes)), cli.Bytes(int64(r.ArenaBytes))))
	about.Print(w)

	fmt.Fprintln(w, "\nstages")
	r.printStages(w)
	if len(r.Calibration) > 0 {
		fmt.Fprintln(w, "\ncalibration")
		notes := cli.Table{Indent: "  "}
		for _, key := range slices.Sorted(maps.Keys(r.Calibration)) {
			notes.Row(cli.Printable(key), cli.Printable(r.Calibration[key]))
		}
		notes.Print(w)
	}
	if layers {
		fmt.Fprintln(w, "\nlayers")
		r.printLayers(w)
	}
}

// printStages lists the stem, the stages and, where there is one, the classifier.
func (r *inspection) printStages(w io.Writer) {
	cfg := r.network
	t := cli.Table{Indent: "  ", Right: []bool{false, true, true, true, true, true, true}}
	t.Row("", "blocks", "width", "out", "groups", "a group", "map", "")
	kind := "stem"
	for _, c := range cfg.Stem.Convs {
		kind += fmt.Sprintf(" %dx%d", c.Kernel, c.Kernel)
	}
	if cfg.Stem.Pool != topology.NoPool {
		kind += ", pooling"
	}
	p := topology.Lower(cfg)
	ends := map[int]topology.Map{} // the last map of each stage, -1 for the stem
	for _, s := range p.Steps {
		if s.Out != topology.None {
			ends[s.Stage] = p.Maps[s.Out]
		}
	}
	size := func(stage int) string { return fmt.Sprintf("%dx%d", ends[stage].W, ends[stage].H) }
	t.Row(kind, "", "", cfg.Stem.Out(), "", "", size(-1))
	for i, s := range cfg.Stages {
		t.Row(fmt.Sprintf("stage %d", i+1), s.Blocks, s.Inner, s.Out, s.Cardinality, s.Inner/s.Cardinality, size(i), stageText(s))
	}
	if cfg.Head != resnext.Embedding {
		t.Row("classifier", "", "", cfg.Classes, "", "", "")
	}
	t.Print(w)
}

// stageText says what is special about a stage: "basic blocks, a gate of 16 hidden channels". A bottleneck is not, nor is
// a stride on its 3x3 convolution, nor a projection.
func stageText(s resnext.Stage) string {
	var parts []string
	if s.Kind != resnext.Bottleneck {
		parts = append(parts, s.Kind.String()+"s")
	}
	if s.Stride > 1 && s.StrideRole() != s.Kind.Stride() {
		parts = append(parts, "stride on "+string(s.StrideRole()))
	}
	if s.AntiAlias != resnext.NoPool {
		parts = append(parts, "anti-aliased")
	}
	switch s.Shortcut {
	case topology.AveragedProjection:
		parts = append(parts, "averaged shortcut")
	case topology.Padded:
		parts = append(parts, "shortcut padded with zeros")
	}
	switch s.Gate.Kind {
	case topology.SqueezeExcite:
		parts = append(parts, fmt.Sprintf("gate of %s after %s", cli.Plural(s.Gate.Hidden, "hidden channel"), s.Gate.After))
	case topology.NeighbourGate:
		parts = append(parts, fmt.Sprintf("gate of %s after %s", cli.Plural(s.Gate.Kernel, "neighbour"), s.Gate.After))
	}
	return strings.Join(parts, ", ")
}

func (r *inspection) printLayers(w io.Writer) {
	t := cli.Table{Indent: "  ", Right: []bool{false, true, true, true, true, true, true}}
	t.Row("", "in", "out", "kernel", "groups", "map", "MACs", "acc16 depth")
	for _, l := range r.Layers {
		kernel := fmt.Sprintf("%dx%d", l.Kernel, l.Kernel)
		if l.Stride > 1 {
			kernel += fmt.Sprintf("/%d", l.Stride)
		}
		t.Row(l.Name, l.In, l.Out, kernel, l.Groups, fmt.Sprintf("%dx%d", l.OutW, l.OutH), cli.Count(l.MACs), depthList(l.Depths))
	}
	cfg := r.network
	if cfg.Head != resnext.Embedding {
		t.Row(resnext.ClassifierName, cfg.Features(), cfg.Classes, "", "", "", cli.Count(cfg.Features()*cfg.Classes))
	}
	t.Print(w)
}

// headText says what a network answers with.
func headText(cfg resnext.Config) string {
	vector := fmt.Sprintf("a vector of %s", cli.Plural(cfg.Features(), "number"))
	switch cfg.Head {
	case resnext.Embedding:
		return vector + ", and no classes"
	case resnext.MultiLabel:
		return fmt.Sprintf("a probability for each of %s, any of which may be right; %s", cli.Plural(cfg.Classes, "label"), vector)
	}
	return fmt.Sprintf("the most probable of %s; %s", cli.Plural(cfg.Classes, "class"), vector)
}

// labelText shows how many labels there are and the first of them.
func labelText(labels []string, classes int) string {
	const most = 44
	if len(labels) == 0 {
		return fmt.Sprintf("none for %s", cli.Plural(classes, "class"))
	}
	shown := 0
	var text strings.Builder
	for ; shown < len(labels); shown++ {
		label := cli.Printable(labels[shown])
		if shown > 0 && text.Len()+len(label) > most {
			break
		}
		if shown > 0 {
			text.WriteString(", ")
		}
		text.WriteString(label)
	}
	if shown < len(labels) {
		text.WriteString(", ...")
	}
	return fmt.Sprintf("%d: %s", len(labels), text.String())
}

// depthText says which share of the work has which acc16 depth, the largest first.
func depthText(shares []depthShare) string {
	if len(shares) == 1 && shares[0].Products == 0 {
		return "none: all work runs on kernels that need no proof"
	}
	return depthList(shares) + " of the work"
}

func depthList(shares []depthShare) string {
	byDepth := map[int]float64{}
	for _, s := range shares {
		byDepth[s.Products] = s.Share
	}
	return cli.DepthShares(byDepth)
}

// printJSON writes one object, indented for people who look at it.
func printJSON(w io.Writer, v any) error {
	e := jsonEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
