package main

import (
	"math"
	"slices"
	"strconv"
	"strings"

	page "github.com/libresnext/libresnext/cmd/calib/report"
	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant"
	"github.com/libresnext/libresnext/resnext"
)

const (
	// defaultLimit is how many calibration images are used; more hardly change the ranges.
	defaultLimit = 512
	// defaultSynthetic is the same where images are made up.
	defaultSynthetic = 64
	// defaultCompared is how many images networks are compared on without --eval, and layers always.
	defaultCompared = 64
	// exportDepth is the acc16 depth, in products, of a network that other runtimes are to run too: on x86-64 CPUs
	// without VNNI their 16-bit sums overflow wherever calibration has not bounded them, which auto leaves to it.
	exportDepth = 4
	// fewImages is how many calibration images are worth a warning.
	fewImages = page.FewImages
	// randomPrefix and outliersPrefix mark weights that are made up, with even and with very uneven channels;
	// oldOutliersPrefix is what the latter was called before.
	randomPrefix      = "random:"
	outliersPrefix    = "random-outliers:"
	oldOutliersPrefix = "random-heavy:"
)

// options are the flags as they are given.
type options struct {
	weights, images, out, eval, labels, arch, key, observer string
	crop, filter, mean, std, acc16, effort, without         string
	head                                                    string
	reading                                                 readingOptions
	percentile                                              float64
	limit, evalLimit, resize, threads                       int
	seed                                                    uint64
	memory                                                  int64 // bytes; 0 is the effort's own
	layers, json                                            bool
	report                                                  string
	strict                                                  bool
	exportONNX                                              string
}

// settings are the options once they are checked and read. What is nil was not given.
type settings struct {
	options
	random    *resnext.Config // of random:NAME and random-outliers:NAME
	outliers  bool            // the latter
	observer  quant.Observer
	effort    quant.Effort
	without   []quant.Technique
	acc16     int     // depth in products, 0 is off, or quant.DepthAuto
	size      *[2]int // width, height
	mean, std *[3]float32
	resize    *int
	// bytesScale reports whether --mean and --std are on the scale of 0..255.
	bytesScale bool
	// filterGiven reports whether --resize-filter was given.
	filterGiven bool
	args        []string // the command line
}

// settings checks what can be checked without opening a file.
func (o *options) settings(given func(flag string) bool) (*settings, error) {
	s := &settings{options: *o}
	for _, step := range []func() error{
		s.readWeights, s.reading.check, s.readHead, s.readQuantisation, s.readNumbers, s.readPreprocess,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	s.filterGiven = given(filterFlag) || given(oldFilterFlag)
	if s.exportONNX != "" && !given(acc16Flag) && !given(oldAcc16Flag) {
		s.acc16 = exportDepth
	}
	if given("resize") {
		s.resize = &s.options.resize
	}
	if s.images == "" && !given("limit") {
		s.limit = defaultSynthetic
	}
	return s, nil
}

func (s *settings) readWeights() error {
	if s.weights == "" {
		return cli.Usage(`--weights is missing: give a checkpoint, or random:NAME; see "calib --help"`)
	}
	if s.arch == "" {
		s.arch = "auto"
	}
	if s.arch != "auto" {
		if _, err := resnext.Named(s.arch); err != nil {
			return cli.Usage("--arch: %v", err)
		}
	}
	name, ok := strings.CutPrefix(s.weights, randomPrefix)
	if !ok {
		name, ok = strings.CutPrefix(s.weights, outliersPrefix)
		s.outliers = ok
	}
	if ok {
		cfg, err := resnext.Named(name)
		if err != nil {
			return cli.Usage("--weights: %v", err)
		}
		if s.arch != "auto" {
			return cli.Usage("--arch is given by %s: leave it out", s.weights)
		}
		s.random = &cfg
	} else if s.images == "" {
		return cli.Usage("--images is missing: give a folder or zip archive of images to calibrate with")
	}
	return nil
}

func (s *settings) readQuantisation() error {
	var err error
	if s.observer, err = quant.ParseObserver(s.options.observer); err != nil {
		return cli.Usage("--observer: %v", err)
	}
	if !(s.percentile > 0 && s.percentile <= 100) {
		return cli.Usage("--percentile is %v, expected more than 0 and at most 100", s.percentile)
	}
	if s.effort, err = quant.ParseEffort(s.options.effort); err != nil {
		return cli.Usage("--effort: %v", err)
	}
	if s.without, err = quant.ParseTechniques(s.options.without); err != nil {
		return cli.Usage("--without: %v", err)
	}
	depths := map[string]int{"auto": quant.DepthAuto, "off": 0, "2": 2, "4": 4, "8": 8}
	var ok bool
	if s.acc16, ok = depths[s.options.acc16]; !ok {
		return cli.Usage("--%s is %q, expected auto, off, 2, 4 or 8", acc16Flag, s.options.acc16)
	}
	return nil
}

func (s *settings) readNumbers() error {
	for _, f := range []struct {
		name  string
		value int
	}{
		{"limit", s.limit}, {"eval-limit", s.evalLimit}, {"resize", s.options.resize}, {"threads", s.threads},
	} {
		if f.value < 0 {
			return cli.Usage("--%s is %d, expected 0 or more", f.name, f.value)
		}
	}
	return nil
}

func (s *settings) readPreprocess() error {
	var err error
	if s.size, err = parseSize(s.crop); err != nil {
		return err
	}
	if s.mean, err = parseTriple("mean", s.options.mean); err != nil {
		return err
	}
	if s.std, err = parseTriple("std", s.options.std); err != nil {
		return err
	}
	s.rescale()
	return nil
}

// rescale brings a mean and a standard deviation that are on the scale of 0..255 to that of 0..1. Of what is given one
// number is enough to tell: no colour's mean is more than 1, and hardly a deviation more than 3.
func (s *settings) rescale() {
	const mostMean, mostStd = 1.5, 3
	tells := func(t *[3]float32, most float32) bool { return t != nil && slices.Max(t[:]) > most }
	if s.bytesScale = tells(s.mean, mostMean) || tells(s.std, mostStd); !s.bytesScale {
		return
	}
	for _, t := range []*[3]float32{s.mean, s.std} {
		for i := range 3 {
			if t != nil {
				t[i] /= math.MaxUint8
			}
		}
	}
}

// parseSize reads "224" or "256x128"; nil for "".
func parseSize(text string) (*[2]int, error) {
	if text == "" {
		return nil, nil
	}
	w, h, both := strings.Cut(strings.ToLower(text), "x")
	if !both {
		h = w
	}
	width, err1 := strconv.Atoi(w)
	height, err2 := strconv.Atoi(h)
	if err1 != nil || err2 != nil || width < 1 || height < 1 {
		return nil, cli.Usage("--crop is %q, expected a size in pixels such as 224 or 256x128 (width x height)", text)
	}
	return &[2]int{width, height}, nil
}

// parseTriple reads one number or three; nil for "".
func parseTriple(flag, text string) (*[3]float32, error) {
	if text == "" {
		return nil, nil
	}
	parts := strings.Split(text, ",")
	if len(parts) == 1 {
		parts = []string{text, text, text}
	}
	bad := cli.Usage("--%s is %q, expected a number on the scale of 0..1 or of 0..255, or three as R,G,B", flag, text)
	if len(parts) != 3 {
		return nil, bad
	}
	var t [3]float32
	for i, p := range parts {
		v, err := strconv.ParseFloat(strings.TrimSpace(p), 32)
		if err != nil {
			return nil, bad
		}
		t[i] = float32(v)
	}
	return &t, nil
}
