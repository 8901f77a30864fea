package onnx

import (
	"fmt"
	"math"

	"github.com/libresnext/libresnext/resnext"
)

// Ranges are what a graph of 8-bit tensors needs and the network does not know: the ranges of two kinds of
// values that this library never rounds to 8 bits.
type Ranges struct {
	// Branch is, for each block by name, the range of expand's output before the shortcut is added. Blocks
	// that are missing get the widest range that can matter.
	Branch map[string]Range
	// Pooled is the largest value that the average pooling gives; 0 stands for the largest possible.
	Pooled float32
}

// Range is a range of real numbers; Low is at most 0 and High at least 0.
type Range struct{ Low, High float32 }

func (r *Range) add(v float32) { r.Low, r.High = min(r.Low, v), max(r.High, v) }

// quantise gives the step and the zero point of 8 bits over the range.
func (r Range) quantise() (step float32, zero uint8) {
	step = (r.High - r.Low) / math.MaxUint8
	if step == 0 {
		return 1, 0
	}
	return step, uint8(min(math.RoundToEven(float64(-r.Low/step)), math.MaxUint8))
}

// Measure finds the ranges on images, each Height*Width*3 bytes RGB.
//
// A branch itself cannot be seen, and need not be: where the output is the clipped sum of the branch and the
// shortcut r, any value that is clipped too will do, and the nearest is output - r. So the range of output - r
// is what the branch needs for the sum to come out right.
func Measure(m *resnext.Model, images [][]byte) (Ranges, error) {
	s, err := m.NewSession(resnext.SessionOptions{})
	if err != nil {
		return Ranges{}, err
	}
	defer s.Close()
	w := newWatcher(m.Config())
	s.Observe = w.observe
	for i, rgb := range images {
		w.shortcut = w.shortcut[:0]
		if _, err := s.Infer(rgb); err != nil {
			return Ranges{}, fmt.Errorf("image %d: %w", i, err)
		}
	}
	return w.ranges, nil
}

// watcher follows the shortcuts through the blocks of a network.
type watcher struct {
	ranges     Ranges
	blocks     map[string]string // the block that a convolution ends
	projection map[string]bool   // is this convolution one
	last       string            // the last convolution
	shortcut   []float32         // of the block under way; empty where it cannot be seen: behind the max pooling
}

func newWatcher(cfg resnext.Config) *watcher {
	w := &watcher{
		ranges: Ranges{Branch: map[string]Range{}}, blocks: map[string]string{}, projection: map[string]bool{},
	}
	for _, b := range cfg.Blocks() {
		w.blocks[b.Expand.Name] = b.Name
		w.last = b.Expand.Name
		if b.Shortcut != nil {
			w.projection[b.Shortcut.Name] = true
		}
	}
	return w
}

func (w *watcher) observe(name string, height, width, channels int, values []float32) {
	block, ends := w.blocks[name]
	if ends && len(w.shortcut) == len(values) {
		r := w.ranges.Branch[block]
		for i, v := range values {
			r.add(v - w.shortcut[i])
		}
		w.ranges.Branch[block] = r
	}
	if ends || w.projection[name] {
		w.shortcut = append(w.shortcut[:0], values...)
	}
	if name == w.last {
		w.pooled(height*width, channels, values)
	}
}

func (w *watcher) pooled(pixels, channels int, values []float32) {
	for c := range channels {
		sum := float32(0)
		for p := range pixels {
			sum += values[p*channels+c]
		}
		w.ranges.Pooled = max(w.ranges.Pooled, sum/float32(pixels))
	}
}
