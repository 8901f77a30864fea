package live

import (
	"math"
	"time"
)

const (
	// lead is by how much more probable another class must be to take the place of the one shown at once, and leadTime
	// how long it must stay ahead, by however little, to take it anyway.
	lead     = 0.1
	leadTime = time.Second
)

// Smoother averages probabilities over time: an exponentially weighted mean, in which a frame's weight falls by e in
// the time constant, whatever the rate of frames. It also holds the shown class steady.
type Smoother struct {
	// MultiLabel is set for a network whose labels do not compete: each has a probability of its own.
	MultiLabel bool

	constant time.Duration

	mean  []float64
	last  time.Time
	shown int
	ahead time.Time // since when another class than shown has been the best; zero if none is
}

// NewSmoother makes a smoother; a constant of 0 takes every frame for itself.
func NewSmoother(constant time.Duration) *Smoother { return &Smoother{constant: constant, shown: -1} }

// Add takes the logits of a frame that came at the time t. It returns the mean probabilities, a new slice, and the class
// to show.
func (s *Smoother) Add(logits []float32, t time.Time) (mean []float64, shown int) {
	p := s.probabilities(logits)
	if len(s.mean) == len(p) && s.constant > 0 {
		keep := math.Exp(-max(t.Sub(s.last), 0).Seconds() / s.constant.Seconds())
		for i, old := range s.mean {
			p[i] += keep * (old - p[i])
		}
	}
	s.mean, s.last = p, t
	s.choose(t)
	return p, s.shown
}

// choose keeps the shown class or changes it.
func (s *Smoother) choose(t time.Time) {
	best := 0
	for i, v := range s.mean {
		if v > s.mean[best] {
			best = i
		}
	}
	switch {
	case best == s.shown:
		s.ahead = time.Time{}
		return
	case s.shown < 0 || s.constant == 0 || s.mean[best] > s.mean[s.shown]+lead:
	case s.ahead.IsZero():
		s.ahead = t
		return
	case t.Sub(s.ahead) < leadTime:
		return
	}
	s.shown, s.ahead = best, time.Time{}
}

// probabilities are those of one frame.
func (s *Smoother) probabilities(logits []float32) []float64 {
	if s.MultiLabel {
		return sigmoid(logits)
	}
	return softmax(logits)
}

// sigmoid turns logits into probabilities, each for itself.
func sigmoid(logits []float32) []float64 {
	p := make([]float64, len(logits))
	for i, v := range logits {
		p[i] = 1 / (1 + math.Exp(-float64(v)))
	}
	return p
}

// softmax turns logits into probabilities that add up to 1.
func softmax(logits []float32) []float64 {
	largest := math.Inf(-1)
	for _, v := range logits {
		largest = max(largest, float64(v))
	}
	p := make([]float64, len(logits))
	var sum float64
	for i, v := range logits {
		p[i] = math.Exp(float64(v) - largest)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// best gives the k largest probabilities, largest first, the lower class first among equals.
func best(p []float64, k int, label func(int) string) []Guess {
	top := make([]Guess, 0, k+1)
	for class, v := range p {
		at := len(top)
		for at > 0 && v > top[at-1].Probability {
			at--
		}
		if at == k {
			continue
		}
		top = append(top, Guess{})
		copy(top[at+1:], top[at:])
		top[at] = Guess{Class: class, Probability: v}
		top = top[:min(len(top), k)]
	}
	for i := range top {
		top[i].Label = label(top[i].Class)
	}
	return top
}
