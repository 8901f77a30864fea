package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/images"
	"github.com/libresnext/libresnext/quant"
	"github.com/libresnext/libresnext/resnext"
)

// plan is everything that is decided before the work starts.
type plan struct {
	settings   *settings
	net        *floatNetwork
	preprocess resnext.Preprocess
	labels     []string
	// evalClasses are the classes of --eval's labels; nil where they are in order.
	evalClasses []int
	// relabelled counts the labels whose text had to be changed.
	relabelled int
	// classOrder warns of the order of folders, if it may not be meant.
	classOrder string
	out        string

	calibration imageSource
	compared    imageSource
	on          comparedOn

	// Why the input has its size, where the labels come from, and the images, in words.
	sizeReason, labelSource, imagesText, comparedText string

	expected quant.Plan // of the images as they were listed

	sets []*images.Set // to be closed
}

// comparedOn is the kind of images on which the networks are compared.
type comparedOn string

const (
	onEval        comparedOn = "eval"
	onCalibration comparedOn = "calibration"
	onSynthetic   comparedOn = "synthetic"
)

// newPlan opens the images and decides what was not given. Close it after use.
func newPlan(s *settings, net *floatNetwork) (*plan, error) {
	p := &plan{settings: s, net: net, out: s.out}
	if err := p.decide(); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (p *plan) close() error {
	var err error
	for _, s := range p.sets {
		err = errors.Join(err, s.Close())
	}
	return err
}

func (p *plan) decide() error {
	calibration, err := p.open(p.settings.images, images.Train)
	if err != nil {
		return err
	}
	eval, err := p.open(p.settings.eval, images.Test)
	if err != nil {
		return err
	}
	if err := p.checkHead(); err != nil {
		return err
	}
	if err := p.decideInput(calibration); err != nil {
		return err
	}
	if err := p.decideLabels(calibration, eval); err != nil {
		return err
	}
	if err := p.decideSources(calibration, eval); err != nil {
		return err
	}
	if p.expected, err = p.expect(); err != nil {
		return err
	}
	if p.out == "" {
		p.out = modelName(p.settings)
	}
	return p.checkOutputs(calibration, eval)
}

// expect plans the work on the calibration images.
func (p *plan) expect() (quant.Plan, error) {
	return quant.NewPlan(p.net.Config, p.calibration.len(), p.settings.quantOptions())
}

// open lists the images at path, of IDX files those of a part; nil if there is no path.
func (p *plan) open(path string, part images.Part) (*images.Set, error) {
	if path == "" {
		return nil, nil
	}
	set, err := images.OpenPart(path, part)
	if err == nil {
		p.sets = append(p.sets, set)
	}
	return set, err
}

// decideSources chooses the images.
func (p *plan) decideSources(calibration, eval *images.Set) error {
	s, cfg := p.settings, p.net.Config
	if calibration == nil {
		p.calibration = &syntheticSource{cfg, max(1, s.limit), s.seed}
		p.imagesText = fmt.Sprintf("%s made up (smooth random colours, seed %d)", cli.Plural(p.calibration.len(), "image"), s.seed)
	} else {
		chosen := calibration.Sample(s.limit, s.seed)
		f, err := newDatasetSource(calibration, chosen, cfg, p.preprocess)
		if err != nil {
			return cli.Usage("%v", err)
		}
		p.calibration, p.imagesText = f, sampleText(calibration, len(chosen), s.seed)
	}
	p.decideCompared(calibration == nil)
	if eval == nil {
		return nil
	}
	chosen := eval.Sample(s.evalLimit, s.seed)
	f, err := newDatasetSource(eval, chosen, cfg, p.preprocess)
	if err != nil {
		return err
	}
	f.labelled, f.classes = true, p.evalClasses
	p.compared, p.on, p.comparedText = f, onEval, sampleText(eval, len(chosen), s.seed)
	return nil
}

// decideCompared chooses calibration images to compare on, for want of labelled ones.
func (p *plan) decideCompared(synthetic bool) {
	n := p.settings.evalLimit
	if n == 0 {
		n = defaultCompared
	}
	p.compared = subsample{p.calibration, n}
	p.on = onCalibration
	if synthetic {
		p.on = onSynthetic
	}
	p.comparedText = fmt.Sprintf("%d of these", p.compared.len())
	if p.net.Config.Head == resnext.OneClass {
		p.comparedText += ", without labels (--eval gives labelled ones)"
	}
}

// sampleText says which images of a set are used.
func sampleText(set *images.Set, n int, seed uint64) string {
	text := fmt.Sprintf("all %d of %s", n, set.Path())
	if n < set.Len() {
		text = fmt.Sprintf("%d of the %d of %s, seed %d", n, set.Len(), set.Path(), seed)
	}
	if file := set.LabelFile(); file != "" {
		text += "; labels in " + filepath.Base(file)
	}
	if skipped := set.Skipped(); skipped > 0 {
		text += fmt.Sprintf(" (%s skipped)", cli.Plural(skipped, "other file"))
	}
	return text
}
