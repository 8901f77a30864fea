package onnx

import (
	"fmt"
	"math"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
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
		if _, err := s.Infer(rgb); err != nil {
			return Ranges{}, fmt.Errorf("image %d: %w", i, err)
		}
	}
	return w.ranges, nil
}

// watcher follows the shortcuts through the blocks of a network.
type watcher struct {
	ranges  Ranges
	program *topology.Program
	steps   map[string]topology.Step // by name
	maps    map[topology.MapID][]float32
	uses    []topology.Uses
}

func newWatcher(cfg resnext.Config) *watcher {
	w := &watcher{
		ranges: Ranges{Branch: map[string]Range{}}, program: topology.Lower(cfg), steps: map[string]topology.Step{},
		maps: map[topology.MapID][]float32{},
	}
	w.uses = w.program.Uses()
	for _, s := range w.program.Steps {
		w.steps[s.Name] = s
	}
	return w
}

// observe sees the outputs of convolutions and gates. What a gate makes of a branch is added as it is. A shortcut that comes from the max pooling cannot be seen.
func (w *watcher) observe(name string, height, width, channels int, values []float32) {
	s, ok := w.steps[name]
	if !ok {
		return
	}
	if s.Op == topology.Conv && s.Add != topology.None {
		if shortcut := w.maps[s.Add]; len(shortcut) == len(values) {
			r := w.ranges.Branch[s.Block]
			for i, v := range values {
				r.add(v - shortcut[i])
			}
			w.ranges.Branch[s.Block] = r
		}
	}
	if len(w.uses[s.Out].Adders) > 0 {
		w.maps[s.Out] = append(w.maps[s.Out][:0], values...)
	}
	if s.Out == w.program.Head().In {
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
