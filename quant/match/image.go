package match

import (
	"fmt"
	"math"
)

// Image says how the channels that a file's first convolution takes come from those of its image.
type Image struct {
	// Of is the input that the file declares.
	Of *Node
	// Bytes reports whether the image's values are bytes, from 0 to 255.
	Bytes bool
	// Planes has an entry for each channel that is taken.
	Planes []Plane
}

// Plane is a channel of the image, by number, times Factor plus Shift.
type Plane struct {
	Channel       int
	Factor, Shift float64
}

// sameImage reports whether two inputs are preparations of one image.
func (n *Node) sameImage(other *Node) bool {
	return n.Image != nil && other.Image != nil && n.Image.Of == other.Image.Of
}

// Bounds of what a normalisation may be: a mean is a colour, and a deviation of images is not as small as rounding.
const (
	colourTolerance = 0.05
	leastDeviation  = 1e-4
	mostDeviation   = 100
)

// prepare takes what the file does to its image out of the graph: the normalisation goes to the network's images, and
// the order of channels into the stem's weights, so that the network takes RGB.
func (m *matcher) prepare(input *Node) error {
	image := input.Image
	if image == nil {
		return nil
	}
	if len(image.Planes) != channels {
		return fmt.Errorf("%s gives the stem %d channels of the image; expected %d", input.Title, len(image.Planes), channels)
	}
	turned := image.Planes[0].Channel != 0
	for i, p := range image.Planes {
		if want := inOrder(i, turned); p.Channel != want {
			return fmt.Errorf("%s gives channel %d of the image where %d was expected; channels in another order than RGB or BGR do not run here", input.Title, p.Channel, want)
		}
	}
	mean, std, err := image.statistics(input.Title, turned)
	if err != nil {
		return err
	}
	if mean == nil {
		return m.turn(turned)
	}
	bgr := isTurned(*mean)
	n := &Normalisation{}
	for i := range channels {
		n.Mean[i], n.Std[i] = float32(mean[inOrder(i, bgr)]), float32(std[inOrder(i, bgr)])
	}
	m.normalisation = n
	scale := "0..1"
	if image.isBytes() {
		scale = "0..255"
	}
	m.note("normalises its images itself: mean %.4g %.4g %.4g, std %.4g %.4g %.4g (on the 0..1 scale), input %s",
		n.Mean[0], n.Mean[1], n.Mean[2], n.Std[0], n.Std[1], n.Std[2], scale)
	if turned && bgr {
		m.note("takes images in BGR and turns them to RGB itself: left out, images are RGB here")
	}
	return m.turn(turned != bgr)
}

// channels of an image.
const channels = 3

// inOrder is the channel at i, or that in the reverse order.
func inOrder(i int, turned bool) int {
	if turned {
		return channels - 1 - i
	}
	return i
}

// statistics are the mean and standard deviation, on the 0..1 scale, of the image's channels in the order of the
// image; nil if it is taken as it is.
func (image *Image) statistics(title string, turned bool) (mean, std *[channels]float64, err error) {
	mean, std = new([channels]float64), new([channels]float64)
	unit, plain := 1.0, true
	if image.isBytes() {
		unit, plain = 255, false
	}
	for i := range channels {
		p := image.Planes[inOrder(i, turned)]
		if !(p.Factor > 0) || math.IsInf(p.Factor, 0) || math.IsNaN(p.Shift) || math.IsInf(p.Shift, 0) {
			return nil, nil, fmt.Errorf("%s: channel %d of the image comes times %.4g plus %.4g; expected a normalisation, whose factors are positive", title, i, p.Factor, p.Shift)
		}
		plain = plain && p.Factor == 1 && p.Shift == 0
		mean[i], std[i] = -p.Shift/p.Factor/unit, 1/p.Factor/unit
		if mean[i] < -colourTolerance || mean[i] > 1+colourTolerance || std[i] < leastDeviation || std[i] > mostDeviation {
			return nil, nil, fmt.Errorf("%s: channel %d of the image is normalised by the mean %.4g and std %.4g on the 0..1 scale, which is no colour's: "+
				"it seems to expect images that were normalised before; export the network without its preprocessing", title, i, mean[i], std[i])
		}
		mean[i] = max(mean[i], 0) // and no -0
	}
	if plain {
		return nil, nil, nil
	}
	return mean, std, nil
}

// isBytes reports whether the values of an image go to 255: it is of bytes, or the numbers that are subtracted and
// divided by are too large for values up to 1.
func (image *Image) isBytes() bool {
	const largeMean, largeDeviation = 1.5, 3
	for _, p := range image.Planes {
		if 1/p.Factor > largeDeviation || -p.Shift/p.Factor > largeMean {
			return true
		}
	}
	return image.Bytes
}

// isTurned reports whether a mean is that of ImageNet from blue to red, as only images in BGR have it.
func isTurned(mean [channels]float64) bool {
	const tolerance = 0.02
	for i, want := range [channels]float64{0.406, 0.456, 0.485} {
		if math.Abs(mean[i]-want) > tolerance {
			return false
		}
	}
	return true
}

// turn reverses the input channels of the stem's first convolution.
func (m *matcher) turn(yes bool) error {
	if !yes {
		return nil
	}
	c := *m.stem[0].conv
	if c.Weight.Shape[1] != channels || c.Groups != 1 {
		return fmt.Errorf("%s: the stem takes %d channels in %d groups; expected %d channels in one", c.Title, c.Weight.Shape[1]*c.Groups, c.Groups, channels)
	}
	taps := c.Kernel * c.Kernel
	w := make([]float32, len(c.Weight.Data))
	for at := 0; at < len(w); at += taps {
		filter := at - at%(channels*taps)
		copy(w[at:at+taps], c.Weight.Data[filter+inOrder(at/taps%channels, true)*taps:])
	}
	c.Weight = &Tensor{Shape: c.Weight.Shape, Data: w}
	m.stem[0].conv = &c
	m.note("takes BGR; the stem's channels are turned")
	return nil
}

// note adds a remark for people.
func (m *matcher) note(format string, args ...any) {
	m.notes = append(m.notes, fmt.Sprintf(format, args...))
}
