package main

import (
	"bytes"
	"fmt"

	"github.com/libresnext/libresnext/internal/images"
	"github.com/libresnext/libresnext/internal/synthetic"
	"github.com/libresnext/libresnext/resnext"
)

// madeUp is how many pictures are compared where they are made up and no number is asked for.
const madeUp = 64

// pictures are ready for the network: height x width pixels of RGB.
type pictures struct {
	calibration, evaluation [][]byte
	labels                  []int // of evaluation; nil if there are none
	about                   string
}

func readPictures(o *options, m *resnext.Model) (*pictures, error) {
	p := &pictures{}
	var err error
	if p.calibration, _, err = readSet(o.images, images.Train, o.limit, seed, m.Config(), m.Preprocess()); err != nil {
		return nil, err
	}
	limit := o.evalLimit
	if o.eval == "" && limit == 0 {
		limit = madeUp
	}
	// Other pictures than those of the calibration, where both are made up.
	if p.evaluation, p.labels, err = readSet(o.eval, images.Test, limit, seed+1, m.Config(), m.Preprocess()); err != nil {
		return nil, err
	}
	p.about = fmt.Sprintf("%d to calibrate with, %d to compare on", len(p.calibration), len(p.evaluation))
	return p, nil
}

// readSet reads and prepares up to limit pictures (0: all) with calib's choice, or makes them up. Of IDX files in a
// folder it takes a part.
func readSet(path string, part images.Part, limit int, seed uint64, cfg resnext.Config, p resnext.Preprocess) (all [][]byte, labels []int, err error) {
	if path == "" {
		for i := range limit {
			rgb, err := synthetic.Picture(cfg.Width, cfg.Height, seed, uint64(i))
			if err != nil {
				return nil, nil, err
			}
			all = append(all, rgb)
		}
		return all, nil, nil
	}
	set, err := images.OpenPart(path, part)
	if err != nil {
		return nil, nil, err
	}
	defer set.Close()
	prepare, err := resnext.NewPreparer(cfg, p)
	if err != nil {
		return nil, nil, err
	}
	for _, i := range set.Sample(limit, 1) {
		img, err := set.Load(i)
		if err != nil {
			return nil, nil, err
		}
		rgb, err := prepare.Prepare(img)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %s: %w", path, set.Item(i).Name, err)
		}
		all = append(all, bytes.Clone(rgb))
		if class := set.Item(i).Class; class != images.Unlabelled && class < cfg.Classes {
			labels = append(labels, class)
		}
	}
	if len(labels) != len(all) {
		labels = nil
	}
	return all, labels, nil
}
