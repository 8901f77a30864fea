package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant"
)

// echo prints what was decided.
func (p *plan) echo(w io.Writer) {
	cfg, s := p.net.Config, p.settings
	kind := "ImageNet form"
	if cfg.CIFAR() {
		kind = "CIFAR form"
	}
	t := cli.Table{}
	t.Row("weights", cli.Printable(p.net.source))
	t.Row("network", fmt.Sprintf("%s, %s, %s", cli.ArchName(cfg), kind, cli.Plural(cfg.Classes, "class")))
	t.Row("", fmt.Sprintf("%s parameters, %s multiply-accumulates", cli.Count(cli.Parameters(cfg)), cli.Count(cfg.MACs())))
	t.Row("input", fmt.Sprintf("%dx%d pixels RGB, width x height (%s)", cfg.Width, cfg.Height, p.sizeReason))
	t.Row("prepare", cli.PreprocessText(cfg, p.preprocess))
	t.Row("mean", cli.Triple(p.preprocess.Mean)+given(s.mean != nil))
	t.Row("std", cli.Triple(p.preprocess.Std)+given(s.std != nil))
	t.Row("labels", p.labelText())
	t.Row("calibrate", cli.Printable(p.pictures))
	t.Row("compare", cli.Printable(p.comparedText))
	t.Row("observer", p.observerText())
	t.Row("chains", p.chainsText())
	t.Row("write", cli.Printable(p.out))
	t.Print(w)
	fmt.Fprintln(w)
}

func given(yes bool) string {
	if yes {
		return " (given)"
	}
	return " (usual for this form; --mean and --std change it)"
}

func (p *plan) observerText() string {
	if p.settings.observer == quant.Percentile {
		return fmt.Sprintf("%s, %v%%", quant.Percentile, p.settings.percentile)
	}
	return string(p.settings.observer)
}

func (p *plan) chainsText() string {
	if p.settings.chains == 0 {
		return "off (--chains makes some CPUs faster)"
	}
	return "of " + cli.Plural(p.settings.chains, "product")
}

// labelText shows the first labels.
func (p *plan) labelText() string {
	const shown = 3
	if len(p.labels) == 0 {
		return "none (--labels gives them)"
	}
	first := strings.Join(p.labels[:min(shown, len(p.labels))], ", ")
	if len(p.labels) > shown {
		first += ", ..."
	}
	return cli.Printable(fmt.Sprintf("%s, from %s", first, p.labelSource))
}

// warn says what may be unwise.
func (p *plan) warn(stderr io.Writer) {
	if n := p.calibration.len(); n < fewImages {
		cli.Warn(stderr, tool, "only %s to calibrate with; a few hundred are good", cli.Plural(n, "picture"))
	}
	if p.settings.random != nil {
		cli.Warn(stderr, tool, "random weights: good for measuring speed, the answers mean nothing")
	}
}
