package main

import (
	"errors"
	"image"
	"math"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/images"
	"github.com/libresnext/libresnext/resnext"
)

const (
	// smallSide is the largest side of images that a network of the CIFAR form takes as they are.
	smallSide = 64
	// looked is how many images are looked at to find their common size.
	looked = 16
)

// decideInput fixes the network's input size and how images are prepared for it.
func (p *plan) decideInput(set *images.Set) error {
	s, net := p.settings, p.net
	w, h := net.Config.Width, net.Config.Height
	p.sizeReason = "usual for this network"
	if s.size != nil {
		w, h = s.size[0], s.size[1]
		p.sizeReason = "--crop"
	} else if net.from != nil && net.from.Sized {
		p.sizeReason = "fixed by the weights' file"
	} else if sidecar := net.sidecar(); sidecar != nil && !net.Config.CIFAR() {
		w, h = sidecar.Size, sidecar.Size
		p.sizeReason = fromSidecar
	} else if net.Config.CIFAR() && set != nil {
		if size := commonSize(set); size.X > 0 && max(size.X, size.Y) <= smallSide {
			w, h = size.X, size.Y
			p.sizeReason = "the size of the images"
		}
	}
	if err := net.SetInputSize(h, w); err != nil {
		return cli.Usage("%v", err)
	}
	p.preprocess = choosePreprocess(net.Config, s)
	p.prepareAsSidecar()
	if err := errors.Join(p.normaliseAsFile(), p.normaliseGray()); err != nil {
		return err
	}
	if err := p.preprocess.Validate(); err != nil {
		return cli.Usage("%v", err)
	}
	// Sizes that cannot go together are found here, before any image is read.
	if _, err := resnext.NewPreparer(net.Config, p.preprocess); err != nil {
		return cli.Usage("%v", err)
	}
	return nil
}

// choosePreprocess is what the kind of network was published with, but for what is given.
func choosePreprocess(cfg resnext.Config, s *settings) resnext.Preprocess {
	p := resnext.CIFARPreprocess()
	if !cfg.CIFAR() {
		p = resnext.ImageNetPreprocess()
		// The published ratio of resizing and crop, 256 to 224, at any size.
		p.Resize = int(math.Round(float64(max(cfg.Width, cfg.Height)) * 256 / 224))
	}
	p.Filter = s.filter
	if s.resize != nil {
		p.Resize = *s.resize
	}
	if s.mean != nil {
		p.Mean = *s.mean
	}
	if s.std != nil {
		p.Std = *s.std
	}
	return p
}

// commonSize is the size of the first images of a set that can be read if they are all alike, else 0, 0.
func commonSize(set *images.Set) image.Point {
	var common image.Point
	seen := 0
	for i := 0; i < min(set.Len(), 4*looked) && seen < looked; i++ {
		img, err := set.Load(i)
		if err != nil {
			continue // validateImages reports it
		}
		size := img.Bounds().Size()
		if seen++; seen > 1 && size != common {
			return image.Point{}
		}
		common = size
	}
	return common
}
