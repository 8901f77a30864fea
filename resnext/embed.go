package resnext

import (
	"errors"
	"fmt"
	"math"

	"github.com/libresnext/libresnext/resnext/topology"
)

// Features is how many numbers Session.Embed gives: the channels of the last map.
func (m *Model) Features() int { return m.config.Features() }

// Embed computes the features of one image, given as for Infer: the average over the last map of each channel, which is
// what the classifier reads and what a network without one is for. Images that look alike have features that point the
// same way, see Normalise. Every model gives them, but those of two models are not to be compared: calibration scales the
// channels where a classifier can undo it, so that without one the same weights have other features. They are finite, not
// negative, and like logits the same to the bit on every CPU, with every kernel set and any number of threads. The
// returned slice, Model.Features numbers, is valid until the next call of Embed. It performs no heap allocations.
func (s *Session) Embed(rgb []byte) ([]float32, error) {
	if err := s.run(rgb, true); err != nil {
		return nil, err
	}
	return s.features, nil
}

// Normalise divides v by its Euclidean length, computed in float64, so that the sum of products of two vectors is their
// cosine similarity: 1 where they point the same way, 0 where they have nothing in common. A vector of zeros stays as it
// is. The numbers must be finite.
func Normalise(v []float32) {
	var squares float64
	for _, x := range v {
		squares += float64(x) * float64(x) // exact, so that it does not matter whether a CPU fuses the sum
	}
	if squares == 0 {
		return
	}
	length := math.Sqrt(squares)
	for i, x := range v {
		v[i] = float32(float64(x) / length)
	}
}

// errNoClasses is the error of asking a network without a classifier for logits.
var errNoClasses = errors.New("resnext: the network has no classifier and gives features alone: use Embed")

// checkClasses reports that a network has no logits.
func (m *Model) checkClasses() error {
	if m.config.Head == Embedding {
		return errNoClasses
	}
	return nil
}

// averagedScale returns the real value of one step of the map that the head averages, which is stored for the step that
// writes it; poolings leave the scale as it is.
func (b *builder) averagedScale(id topology.MapID) (float32, error) {
	steps := b.model.program.Steps
	at := len(steps) - 1
	for ; steps[at].Out != id || steps[at].Pools(); at-- {
		if steps[at].Out == id {
			id = steps[at].In
		}
	}
	name := steps[at].Name
	scale, err := b.params.outputScale(name)
	if err == nil && !(math.MaxUint8*float64(scale) <= math.MaxFloat32) {
		err = fmt.Errorf("%s: the output scale is %v, of which features cannot be finite: expected less than 1e36", name, scale)
	}
	return scale, err
}
