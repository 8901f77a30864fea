package main

import (
	"fmt"
	"io"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant"
	"github.com/libresnext/libresnext/quant/evidence"
	"github.com/libresnext/libresnext/resnext"
)

// echo prints what was decided.
func (p *plan) echo(w io.Writer) {
	t := cli.Table{}
	for _, r := range p.decisions() {
		t.Row(r[0], r[1])
	}
	t.Print(w)
	fmt.Fprintln(w)
}

// decisions name what was decided, and say how.
func (p *plan) decisions() [][2]string {
	cfg, s := p.net.Config, p.settings
	kind := "ImageNet form"
	if cfg.CIFAR() {
		kind = "CIFAR form"
	}
	rows := [][2]string{
		{"weights", cli.Printable(p.net.source)},
	}
	if p.net.from != nil {
		for _, note := range p.net.from.Notes {
			rows = append(rows, [2]string{"", cli.Printable(note)})
		}
	}
	rows = append(rows, [][2]string{
		{"network", fmt.Sprintf("%s, %s, %s", cli.ArchName(cfg), kind, headText(cfg))},
		{"", fmt.Sprintf("%s parameters, %s multiply-accumulates", cli.Count(cli.Parameters(cfg)), cli.Count(cfg.MACs()))},
	}...)
	if p.guessed() {
		rows = append(rows, [2]string{"", "strides and poolings as usual, tensors do not tell them (--arch, --stride-on, --anti-alias and --stem do)"})
	}
	return append(rows, [][2]string{
		{"input", fmt.Sprintf("%dx%d pixels RGB, width x height (%s)", cfg.Width, cfg.Height, p.sizeReason)},
		{"prepare", cli.PreprocessText(cfg, p.preprocess)},
		{"mean", cli.Triple(p.preprocess.Mean) + p.given(s.mean != nil)},
		{"std", cli.Triple(p.preprocess.Std) + p.given(s.std != nil)},
		{"labels", p.labelText()},
		{"calibrate", cli.Printable(p.imagesText)},
		{"compare", cli.Printable(p.comparedText)},
		{"observer", p.observerText()},
		{"effort", p.effortText()},
		{"", p.carriedText()},
		{"acc16", p.acc16Text()},
		{"write", cli.Printable(p.out)},
	}...)
}

// guessed reports whether nobody says where the strides are and whether the network is anti-aliased: a state dict does not,
// and images cannot where batch normalisation is folded in already.
func (p *plan) guessed() bool {
	from := p.net.from
	return from != nil && from.Open.Strides && !evidence.Any(p.net.Net)
}

func (p *plan) given(yes bool) string {
	switch {
	case yes && p.settings.bytesScale:
		return " (given on the scale of 0..255)"
	case yes:
		return " (given)"
	case p.net.inFile() != nil:
		return " (from the weights' file)"
	case p.net.sidecar() != nil:
		return " (" + fromSidecar + ")"
	}
	return " (usual for this form; --mean and --std change it)"
}

func (p *plan) observerText() string {
	if p.settings.observer == quant.Percentile {
		return fmt.Sprintf("%s, %v%%", quant.Percentile, p.settings.percentile)
	}
	return string(p.settings.observer)
}

func (p *plan) effortText() string {
	text := string(p.settings.effort)
	if p.settings.options.without != "" {
		text += ", without " + cli.Printable(p.settings.options.without)
	}
	return text
}

// carriedText says how many images what is done with.
func (p *plan) carriedText() string {
	w, text := p.expected, ""
	if n := p.calibration.len(); w.Collect < n {
		text = fmt.Sprintf("ranges from %d of the %d images; ", w.Collect, n)
	}
	switch {
	case w.Last == 0:
		return text + "no images carried through both networks"
	case w.First == w.Last:
		return text + fmt.Sprintf("%s carried through both networks", cli.Plural(w.Last, "image"))
	}
	return text + fmt.Sprintf("%d images carried through the first layers of both networks, growing to %d", w.First, w.Last)
}

func (p *plan) acc16Text() string {
	switch p.settings.acc16 {
	case quant.DepthAuto:
		return "auto: as deep as precision allows in each layer"
	case 0:
		return "off (--acc16 makes some CPUs faster)"
	}
	return fmt.Sprintf("depth %d", p.settings.acc16)
}

// labelText shows the first labels.
func (p *plan) labelText() string {
	if p.net.Config.Head == resnext.Embedding {
		return "none, since there are no classes"
	}
	if len(p.labels) == 0 {
		return "none (--labels gives them)"
	}
	return cli.Printable(fmt.Sprintf("%s, from %s", shortList(p.labels), p.labelSource))
}

// warn says what may be unwise.
func (p *plan) warn(stderr io.Writer) {
	if n := p.calibration.len(); n < fewImages {
		cli.Warn(stderr, tool, "only %s to calibrate with; a few hundred are good", cli.Plural(n, "image"))
	}
	if least := p.expected.Memory; p.settings.memory > 0 && p.settings.memory < least {
		cli.Warn(stderr, tool, "--memory %d: calibrating this network takes about %s all the same", p.settings.memory>>20, cli.Bytes(least))
	}
	if p.classOrder != "" {
		cli.Warn(stderr, tool, "%s", p.classOrder)
	}
	if p.net.from != nil {
		for _, text := range p.net.from.Warnings {
			cli.Warn(stderr, tool, "%s", text)
		}
	}
	if n := resnext.SessionBytes(p.net.Config); n > resnext.DefaultMemoryLimit {
		cli.Warn(stderr, tool, "a device will need %s for this network at %dx%d pixels, and refuses more than %s unless %s allows it: give a smaller --crop",
			cli.Bytes(n), p.net.Config.Width, p.net.Config.Height, cli.Bytes(resnext.DefaultMemoryLimit), resnext.MemoryLimitEnv)
	}
	if p.relabelled > 0 {
		cli.Warn(stderr, tool, "%s of %s: control characters are replaced", cli.Plural(p.relabelled, "label"), p.labelSource)
	}
	if p.settings.random != nil {
		cli.Warn(stderr, tool, "random weights: good for measuring speed, the answers mean nothing")
	}
}
