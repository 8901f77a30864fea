package resnext

import (
	"errors"
	"fmt"
	"image"

	"github.com/libresnext/libresnext/internal/pixel"
)

// Preparer turns images into a network's input bytes: RGB, resized with antialiasing as Pillow does it, to
// the bit, and cropped at the centre. A steady stream of images of one size allocates nothing. It belongs
// to one goroutine at a time.
type Preparer struct {
	config  Config
	process Preprocess
	resizer *pixel.Resizer
	out     pixel.Image
}

// NewPreparer makes a Preparer for networks with cfg's input size.
func NewPreparer(cfg Config, p Preprocess) (*Preparer, error) {
	if err := p.validateFor(cfg); err != nil {
		return nil, err
	}
	filter, err := pixel.ParseFilter(p.Filter)
	if err != nil {
		return nil, err
	}
	out, err := pixel.NewImage(cfg.Width, cfg.Height)
	if err != nil {
		return nil, err
	}
	return &Preparer{config: cfg, process: p, resizer: pixel.NewResizer(filter), out: out}, nil
}

// Prepare returns the Height*Width*3 bytes for Session.Infer, valid until the next call.
func (p *Preparer) Prepare(img image.Image) ([]byte, error) {
	if img == nil {
		return nil, errors.New("resnext: there is no picture: the image is nil")
	}
	size := img.Bounds().Size()
	if size.X < 1 || size.Y < 1 {
		return nil, fmt.Errorf("resnext: the picture is empty: %dx%d pixels", size.X, size.Y)
	}
	w, h, x, y := p.scale(size.X, size.Y)
	if err := p.resizer.ResizeCropImage(p.out, img, w, h, x, y); err != nil {
		return nil, err
	}
	return p.out.Pix, nil
}

// PrepareRGB is Prepare for w by h pixels of RGB, 3 bytes a pixel.
func (p *Preparer) PrepareRGB(rgb []byte, w, h int) ([]byte, error) {
	if w < 1 || h < 1 || len(rgb) != w*h*3 {
		return nil, fmt.Errorf("resnext: the picture has %d bytes, expected %dx%d pixels of 3", len(rgb), w, h)
	}
	src := pixel.Image{W: w, H: h, Stride: 3 * w, Pix: rgb}
	w, h, x, y := p.scale(w, h)
	if err := p.resizer.ResizeCrop(p.out, src, w, h, x, y); err != nil {
		return nil, err
	}
	return p.out.Pix, nil
}

// scale returns the size to which an image of w by h pixels is resized, and where the crop begins in it.
func (p *Preparer) scale(w, h int) (width, height, x, y int) {
	if p.process.Resize == 0 {
		return p.config.Width, p.config.Height, 0, 0
	}
	width, height = pixel.ShortSide(w, h, p.process.Resize)
	return width, height, pixel.CenterOffset(width, p.config.Width), pixel.CenterOffset(height, p.config.Height)
}

// Classify prepares an image, infers its logits and returns the k most probable classes, as Model.Top does.
func (s *Session) Classify(img image.Image, k int) ([]Prediction, error) {
	if s.prepare == nil {
		p, err := NewPreparer(s.model.config, s.model.preprocess)
		if err != nil {
			return nil, err
		}
		s.prepare = p
	}
	rgb, err := s.prepare.Prepare(img)
	if err != nil {
		return nil, err
	}
	logits, err := s.Infer(rgb)
	if err != nil {
		return nil, err
	}
	return s.model.Top(logits, k), nil
}
