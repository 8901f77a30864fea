package resnext

import (
	"fmt"
	"math"
	"strings"

	"github.com/libresnext/libresnext/internal/pixel"
	"github.com/libresnext/libresnext/resnext/topology"
)

// Preprocess is how an image becomes the network's input. It is stored in the model file, so that
// calibration, evaluation and device do the same.
type Preprocess struct {
	// Resize is the length in pixels that the shorter side is brought to before the crop; 0 resizes
	// straight to the input size, both sides at once.
	Resize int `json:"resize"`
	// Filter is the resampling filter: "bilinear" or "bicubic", antialiased as Pillow's are; "nearest", Pillow's; or
	// "bilinear-opencv", that of OpenCV's INTER_LINEAR and of PyTorch's tensors without antialias, to a level of 255.
	Filter string `json:"filter"`
	// Mean and Std normalise each channel, R G B, of pixels on the 0..1 scale: (x - mean) / std.
	Mean [3]float32 `json:"mean"`
	Std  [3]float32 `json:"std"`
}

// ImageNetPreprocess returns what the published ImageNet networks were trained with.
func ImageNetPreprocess() Preprocess {
	return Preprocess{Resize: 256, Filter: "bilinear", Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}}
}

// CIFARPreprocess returns what the published CIFAR networks were trained with.
func CIFARPreprocess() Preprocess {
	return Preprocess{Resize: 0, Filter: "bilinear", Mean: [3]float32{0.4914, 0.4822, 0.4465}, Std: [3]float32{0.2470, 0.2435, 0.2616}}
}

// Validate reports a setting that cannot be meant.
func (p Preprocess) Validate() error {
	if p.Resize < 0 || p.Resize > 2*topology.MaxSide {
		return fmt.Errorf("resize is %d pixels, expected 0 to %d", p.Resize, 2*topology.MaxSide)
	}
	if _, err := pixel.ParseFilter(p.Filter); err != nil {
		return fmt.Errorf("filter is %q, expected one of %s", p.Filter, strings.Join(pixel.Filters(), ", "))
	}
	for i := range 3 {
		if m := float64(p.Mean[i]); math.IsNaN(m) || m < -10 || m > 10 {
			return fmt.Errorf("mean of channel %d is %v, expected a number on the 0..1 scale", i, p.Mean[i])
		}
		if s := float64(p.Std[i]); math.IsNaN(s) || s < 1e-4 || s > 100 {
			return fmt.Errorf("standard deviation of channel %d is %v, expected a positive number on the 0..1 scale", i, p.Std[i])
		}
	}
	return nil
}

// validateFor is Validate for networks with cfg's input size.
func (p Preprocess) validateFor(cfg Config) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if p.Resize != 0 && p.Resize < max(cfg.Width, cfg.Height) {
		return fmt.Errorf("resize to %d pixels is smaller than the crop of %dx%d", p.Resize, cfg.Width, cfg.Height)
	}
	return nil
}

// PadBytes is the byte that borders the image in each channel: the one nearest to the mean, which is
// what the zero padding of the normalised image means.
func (p Preprocess) PadBytes() [3]byte {
	var pad [3]byte
	for i, m := range p.Mean {
		pad[i] = byte(math.RoundToEven(math.Min(math.Max(float64(m)*255, 0), 255)))
	}
	return pad
}
