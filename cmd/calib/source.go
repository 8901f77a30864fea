package main

import (
	"bytes"
	"image"
	"sync"
	"sync/atomic"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/images"
	"github.com/libresnext/libresnext/quant"
	"github.com/libresnext/libresnext/resnext"
)

// imageSource gives input images that are ready for the network. load may be called by several goroutines at once.
type imageSource interface {
	len() int
	load(i int) (rgb []byte, label int, err error)
	// name is the display name of image i.
	name(i int) string
}

// datasetSource prepares chosen images of a set.
type datasetSource struct {
	set      *images.Set
	chosen   []int
	kept     [][]byte // pixels of chosen images that need not be decoded again; nil where they must
	labelled bool
	classes  []int // the class of each of the set's labels; nil where they are in order
	workers  sync.Pool
	// deep counts images that were loaded and are gray in 16 bits.
	deep atomic.Int64
}

// newDatasetSource fails where the preprocessing is impossible. The images are without labels.
func newDatasetSource(set *images.Set, chosen []int, cfg resnext.Config, p resnext.Preprocess) (*datasetSource, error) {
	first, err := resnext.NewPreparer(cfg, p)
	if err != nil {
		return nil, err
	}
	d := &datasetSource{set: set, chosen: chosen}
	d.workers.New = func() any {
		worker, err := resnext.NewPreparer(cfg, p)
		if err != nil { // the first was made from the same
			panic(err)
		}
		return worker
	}
	d.workers.Put(first)
	return d, nil
}

func (d *datasetSource) len() int { return len(d.chosen) }

func (d *datasetSource) load(i int) ([]byte, int, error) {
	item := d.chosen[i]
	if i < len(d.kept) && d.kept[i] != nil {
		return bytes.Clone(d.kept[i]), d.label(item), nil
	}
	var rgb []byte
	err := d.set.Use(item, func(img image.Image) (err error) {
		if _, ok := img.(*image.Gray16); ok {
			d.deep.Add(1)
		}
		if rgb, err = d.prepare(img); err != nil {
			err = &images.LoadError{Image: d.set.Where(item), Err: cli.Plain(err)}
		}
		return err
	})
	if err != nil {
		return nil, 0, cli.Plain(err)
	}
	return rgb, d.label(item), nil
}

func (d *datasetSource) name(i int) string { return d.set.Item(d.chosen[i]).Name }

func (d *datasetSource) prepare(img image.Image) ([]byte, error) {
	worker := d.workers.Get().(*resnext.Preparer)
	defer d.workers.Put(worker)
	rgb, err := worker.Prepare(img)
	return bytes.Clone(rgb), err
}

// label is the class of an image.
func (d *datasetSource) label(item int) int {
	class := d.set.Item(item).Class
	switch {
	case !d.labelled || class == images.Unlabelled:
		return quant.Unlabelled
	case d.classes != nil:
		return d.classes[class]
	}
	return class
}

// subsample is a source of n images of another, evenly spaced.
type subsample struct {
	imageSource
	n int
}

func (s subsample) len() int { return min(s.n, s.imageSource.len()) }

func (s subsample) load(i int) ([]byte, int, error) { return s.imageSource.load(s.index(i)) }

func (s subsample) name(i int) string { return s.imageSource.name(s.index(i)) }

// index is the position of image i in the whole source.
func (s subsample) index(i int) int { return i * s.imageSource.len() / s.len() }
