package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

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
// folder it takes a part; those of the test part have labels, if there are any. Like calib it skips pictures that
// cannot be read, as long as they are not more than half.
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
	chosen := set.Sample(limit, 1)
	all, read, err := prepareAll(set, chosen, cfg, p)
	if err != nil || part != images.Test {
		return all, nil, err
	}
	labels, err = readLabels(set, read, cfg.Classes)
	return all, labels, err
}

// prepareAll gives the pictures that can be read, and which they are.
func prepareAll(set *images.Set, chosen []int, cfg resnext.Config, p resnext.Preprocess) (all [][]byte, read []int, err error) {
	prepare, err := resnext.NewPreparer(cfg, p)
	if err != nil {
		return nil, nil, err
	}
	for _, i := range chosen {
		var rgb []byte
		img, bad := set.Load(i)
		if bad == nil {
			rgb, bad = prepare.Prepare(img)
		}
		if bad != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", set.Where(i), bad))
			continue
		}
		all, read = append(all, bytes.Clone(rgb)), append(read, i)
	}
	if skipped := len(chosen) - len(all); 2*skipped > len(chosen) {
		return nil, nil, fmt.Errorf("%s: %d of %d images cannot be read, more than half:\n%w", set.Path(), skipped, len(chosen), err)
	} else if skipped > 0 {
		fmt.Fprintf(os.Stderr, "quantisers: %s: %d of %d images cannot be read and are skipped:\n%v\n", set.Path(), skipped, len(chosen), err)
	}
	return all, read, nil
}

// readLabels gives the classes of pictures, which must be the network's; nil if the set has none.
func readLabels(set *images.Set, pictures []int, classes int) ([]int, error) {
	folders := len(set.Labels())
	if folders == 0 && set.LabelFile() == "" {
		return nil, nil
	}
	if folders > 0 && folders != classes {
		return nil, fmt.Errorf("%s: it has %d folders of images, the network has %d classes: give one folder for each class, sorted as in training", set.Path(), folders, classes)
	}
	var labels []int
	for _, i := range pictures {
		item := set.Item(i)
		if item.Class == images.Unlabelled {
			return nil, fmt.Errorf("%s: it is in no class's folder: move it to one or remove it", set.Where(i))
		}
		if item.Class >= classes {
			return nil, fmt.Errorf("%s: its label is %d, the network has %d classes (0 to %d): give labels of this network", set.Where(i), item.Class, classes, classes-1)
		}
		labels = append(labels, item.Class)
	}
	return labels, nil
}
