package quant

import (
	"math"
	"time"

	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// accuracyCounter adds up what Comparison reports, for one image or many.
type accuracyCounter struct {
	images, labelled  int
	agreed            float64 // see Comparison.Agreement
	floatTop, int8Top topCount
	logits            observe.Power
	layers            map[string]observe.Power
	float, int8       time.Duration
	answer            Answer // of one image, where it was asked for
}

// topCount is how many images have the right class first, and among the first five.
type topCount struct{ one, five int }

// score counts one image, without its times and layers.
func score(head topology.Head, want, got []float32, label int) accuracyCounter {
	t := accuracyCounter{images: 1, agreed: agreement(head, want, got)}
	t.logits.Add(want, got)
	if label != Unlabelled {
		t.labelled = 1
		t.floatTop = top(want, label)
		t.int8Top = top(got, label)
	}
	return t
}

// agreement is how far both networks give the same answer, from 0 to 1, see Comparison.
func agreement(head topology.Head, want, got []float32) float64 {
	switch head {
	case topology.Embedding:
		return cosine(want, got)
	case topology.MultiLabel:
		same := 0
		for i, v := range want {
			if (v >= 0) == (got[i] >= 0) {
				same++
			}
		}
		return float64(same) / float64(len(want))
	}
	if rank(want, argmax(got)) == 0 {
		return 1
	}
	return 0
}

// cosine is the cosine similarity of two vectors: 1 where both are all zeros, 0 where one is.
func cosine(a, b []float32) float64 {
	var products, squaresA, squaresB float64
	for i, v := range a {
		x, y := float64(v), float64(b[i])
		products += x * y
		squaresA += x * x
		squaresB += y * y
	}
	switch {
	case squaresA == 0 && squaresB == 0:
		return 1
	case squaresA == 0 || squaresB == 0:
		return 0
	}
	return products / math.Sqrt(squaresA) / math.Sqrt(squaresB)
}

// rank is how many classes come before the given one: those with larger logits, and those with the same
// and a lower index.
func rank(logits []float32, class int) int {
	n := 0
	for i, v := range logits {
		if v > logits[class] || v == logits[class] && i < class {
			n++
		}
	}
	return n
}

// argmax is the class of rank 0.
func argmax(logits []float32) int {
	best := 0
	for i, v := range logits {
		if v > logits[best] {
			best = i
		}
	}
	return best
}

func top(logits []float32, label int) topCount {
	var t topCount
	r := rank(logits, label)
	if r < 1 {
		t.one = 1
	}
	if r < 5 {
		t.five = 1
	}
	return t
}

func (t *accuracyCounter) merge(o accuracyCounter) {
	t.images += o.images
	t.labelled += o.labelled
	t.agreed += o.agreed
	t.floatTop.one += o.floatTop.one
	t.floatTop.five += o.floatTop.five
	t.int8Top.one += o.int8Top.one
	t.int8Top.five += o.int8Top.five
	t.float += o.float
	t.int8 += o.int8
	t.logits.Merge(o.logits)
	if t.layers == nil {
		t.layers = make(map[string]observe.Power)
	}
	for name, p := range o.layers {
		sum := t.layers[name]
		sum.Merge(p)
		t.layers[name] = sum
	}
}

func (t *accuracyCounter) comparison(cfg resnext.Config) *Comparison {
	n := float64(t.images)
	c := &Comparison{
		Images: t.images, Labelled: t.labelled,
		Float: t.floatTop.accuracy(t.labelled, cfg.Classes), Int8: t.int8Top.accuracy(t.labelled, cfg.Classes),
		Agreement: t.agreed / n, SQNR: t.logits.SQNR(),
		FloatSeconds: t.float.Seconds() / n, Int8Seconds: t.int8.Seconds() / n,
	}
	for _, s := range cfg.Convs() {
		if p, ok := t.layers[s.Name]; ok {
			c.Layers = append(c.Layers, LayerSQNR{s.Name, p.SQNR()})
		}
	}
	return c
}

func (c topCount) accuracy(labelled, classes int) Accuracy {
	var a Accuracy
	if labelled == 0 {
		return a
	}
	a.Top1 = float64(c.one) / float64(labelled)
	if classes > 5 {
		a.Top5 = float64(c.five) / float64(labelled)
	}
	return a
}

// Top is the class that logits answer: the first of the largest.
func Top(logits []float32) int { return argmax(logits) }
