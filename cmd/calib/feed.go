package main

import (
	"bytes"
	"fmt"
	"image"
	"slices"
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
}

// setFeed prepares chosen pictures of a set.
type setFeed struct {
	set     *images.Set
	chosen  []int
	classes []string // the folders' names where folders are classes, else nil
	workers sync.Pool
}

// newSetFeed fails where the preprocessing is impossible. With byFolder pictures are labelled by their
// folder.
func newSetFeed(set *images.Set, chosen []int, cfg resnext.Config, p resnext.Preprocess, byFolder bool) (*setFeed, error) {
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
	if byFolder {
		f.classes = set.Labels()
	}
	return f, nil
}

func (f *setFeed) len() int { return len(f.chosen) }

func (f *setFeed) load(i int) ([]byte, int, error) {
	item := f.chosen[i]
	img, err := f.set.Load(item)
	if err != nil {
		return nil, 0, cli.Plain(err)
	}
	rgb, err := f.prepare(img)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %s: %w", f.set.Path(), f.set.Item(item).Name, cli.Plain(err))
	}
	return rgb, f.label(item), nil
}

func (f *setFeed) prepare(img image.Image) ([]byte, error) {
	worker := f.workers.Get().(*resnext.Preparer)
	defer f.workers.Put(worker)
	rgb, err := worker.Prepare(img)
	return bytes.Clone(rgb), err
}

// label is the class of a picture: its folder's place among the sorted folders.
func (f *setFeed) label(item int) int {
	if class, ok := slices.BinarySearch(f.classes, f.set.Item(item).Label); ok {
		return class
	}
	return quant.Unlabelled
}

// spread is a feed of n images of another, evenly chosen.
type spread struct {
	feed
	n int
}

func (s spread) len() int { return min(s.n, s.feed.len()) }

func (s spread) load(i int) ([]byte, int, error) { return s.feed.load(i * s.feed.len() / s.len()) }
