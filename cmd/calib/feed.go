package main

import (
	"bytes"
	"image"
	"sync"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/images"
	"github.com/libresnext/libresnext/quant"
	"github.com/libresnext/libresnext/resnext"
)

// feed gives input images that are ready for the network. load may be called by several goroutines at once.
type feed interface {
	len() int
	load(i int) (rgb []byte, label int, err error)
	// name is what people call picture i.
	name(i int) string
}

// setFeed prepares chosen pictures of a set.
type setFeed struct {
	set      *images.Set
	chosen   []int
	kept     [][]byte // pixels of chosen pictures that need not be decoded again; nil where they must
	labelled bool
	classes  []int // the class of each of the set's labels; nil where they are in order
	workers  sync.Pool
}

// newSetFeed fails where the preprocessing is impossible. The pictures are without labels.
func newSetFeed(set *images.Set, chosen []int, cfg resnext.Config, p resnext.Preprocess) (*setFeed, error) {
	first, err := resnext.NewPreparer(cfg, p)
	if err != nil {
		return nil, err
	}
	f := &setFeed{set: set, chosen: chosen}
	f.workers.New = func() any {
		worker, err := resnext.NewPreparer(cfg, p)
		if err != nil { // the first was made from the same
			panic(err)
		}
		return worker
	}
	f.workers.Put(first)
	return f, nil
}

func (f *setFeed) len() int { return len(f.chosen) }

func (f *setFeed) load(i int) ([]byte, int, error) {
	item := f.chosen[i]
	if i < len(f.kept) && f.kept[i] != nil {
		return bytes.Clone(f.kept[i]), f.label(item), nil
	}
	var rgb []byte
	err := f.set.Use(item, func(img image.Image) (err error) {
		if rgb, err = f.prepare(img); err != nil {
			err = &images.LoadError{Image: f.set.Where(item), Err: cli.Plain(err)}
		}
		return err
	})
	if err != nil {
		return nil, 0, cli.Plain(err)
	}
	return rgb, f.label(item), nil
}

func (f *setFeed) name(i int) string { return f.set.Item(f.chosen[i]).Name }

func (f *setFeed) prepare(img image.Image) ([]byte, error) {
	worker := f.workers.Get().(*resnext.Preparer)
	defer f.workers.Put(worker)
	rgb, err := worker.Prepare(img)
	return bytes.Clone(rgb), err
}

// label is the class of a picture.
func (f *setFeed) label(item int) int {
	class := f.set.Item(item).Class
	switch {
	case !f.labelled || class == images.Unlabelled:
		return quant.Unlabelled
	case f.classes != nil:
		return f.classes[class]
	}
	return class
}

// spread is a feed of n images of another, evenly chosen.
type spread struct {
	feed
	n int
}

func (s spread) len() int { return min(s.n, s.feed.len()) }

func (s spread) load(i int) ([]byte, int, error) { return s.feed.load(s.place(i)) }

func (s spread) name(i int) string { return s.feed.name(s.place(i)) }

// place is the other feed's number of picture i.
func (s spread) place(i int) int { return i * s.feed.len() / s.len() }
