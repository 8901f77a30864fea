package resnext

import (
	"cmp"
	"math"
	"slices"

	"github.com/libresnext/libresnext/resnext/topology"
)

// Ranked is one class with its probability: by softmax over all classes, or its own by sigmoid where any of them may be
// right, see Model.Rank.
type Ranked struct {
	Class              uint32
	Probability, Logit float32
}

// Prediction is a ranked class with its name.
type Prediction struct {
	Class       int
	Label       string
	Probability float32
	Logit       float32
}

// Softmax turns logits into probabilities that add up to 1: exp(v) / sum of all exp, taken relative to the largest
// logit so that nothing overflows. probabilities has as many numbers as logits and may be the same memory.
func Softmax(probabilities, logits []float32) {
	largest, sum := partition(logits)
	for i, v := range logits {
		probabilities[i] = probability(v, largest, sum)
	}
}

// partition returns the largest logit and the sum of all exp(v - largest).
func partition(logits []float32) (largest float32, sum float64) {
	largest = float32(math.Inf(-1))
	for _, v := range logits {
		largest = max(largest, v)
	}
	for _, v := range logits {
		sum += math.Exp(float64(v - largest))
	}
	return largest, sum
}

func probability(v, largest float32, sum float64) float32 {
	return float32(math.Exp(float64(v-largest)) / sum)
}

// Sigmoid turns the logits of labels any of which may be right into probabilities, each for itself: 1 / (1 + exp(-v)).
// probabilities has as many numbers as logits and may be the same memory.
func Sigmoid(probabilities, logits []float32) {
	for i, v := range logits {
		probabilities[i] = sigmoid(v)
	}
}

func sigmoid(v float32) float32 { return float32(1 / (1 + math.Exp(-float64(v)))) }

// before reports whether a is the more probable class: the larger logit, or the lower number among equals.
func (a Ranked) before(b Ranked) bool {
	return a.Logit > b.Logit || (a.Logit == b.Logit && a.Class < b.Class)
}

// Rank fills best with the most probable classes, best first (lowest class first among equals), and returns the part
// that it filled: all, or as many as there are classes. Probabilities are those of Softmax. It allocates nothing.
func Rank(best []Ranked, logits []float32) []Ranked {
	largest, sum := partition(logits)
	best = order(best, logits)
	for i := range best {
		best[i].Probability = probability(best[i].Logit, largest, sum)
	}
	return best
}

// Rank is the function Rank with probabilities as the model's head asks for them: those of Sigmoid where it is
// topology.MultiLabel, else those of Softmax.
func (m *Model) Rank(best []Ranked, logits []float32) []Ranked {
	if m.config.Head != topology.MultiLabel {
		return Rank(best, logits)
	}
	best = order(best, logits)
	for i := range best {
		best[i].Probability = sigmoid(best[i].Logit)
	}
	return best
}

// order is Rank without probabilities.
func order(best []Ranked, logits []float32) []Ranked {
	kept := best[:0]
	for class, v := range logits {
		r := Ranked{Class: uint32(class), Logit: v}
		switch {
		case len(kept) < len(best):
			kept = append(kept, r)
			if len(kept) == len(best) {
				heapify(kept)
			}
		case len(kept) > 0 && r.before(kept[0]):
			kept[0] = r
			sink(kept, 0)
		}
	}
	slices.SortFunc(kept, func(a, b Ranked) int {
		return cmp.Or(cmp.Compare(b.Logit, a.Logit), cmp.Compare(a.Class, b.Class))
	})
	return kept
}

// heapify makes a heap of ranked classes, the least probable first.
func heapify(h []Ranked) {
	for i := len(h)/2 - 1; i >= 0; i-- {
		sink(h, i)
	}
}

// sink moves h[i] down to its place in the heap.
func sink(h []Ranked, i int) {
	for {
		last := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h[last].before(h[child]) {
				last = child
			}
		}
		if last == i {
			return
		}
		h[i], h[last] = h[last], h[i]
		i = last
	}
}

// Top returns the k most probable classes with their names, as Model.Rank orders them. k is cut to the number of classes.
func (m *Model) Top(logits []float32, k int) []Prediction {
	ranked := m.Rank(make([]Ranked, max(0, min(k, len(logits)))), logits)
	top := make([]Prediction, len(ranked))
	for i, r := range ranked {
		top[i] = Prediction{int(r.Class), m.Label(int(r.Class)), r.Probability, r.Logit}
	}
	return top
}

// TopAbove is Top without the classes that are less probable than threshold (0 to 1): of a model whose head is
// topology.MultiLabel, what an image shows, which may be nothing.
func (m *Model) TopAbove(logits []float32, k int, threshold float32) []Prediction {
	top := m.Top(logits, k)
	below := slices.IndexFunc(top, func(p Prediction) bool { return p.Probability < threshold })
	if below < 0 {
		return top
	}
	return top[:below]
}
