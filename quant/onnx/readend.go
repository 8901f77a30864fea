package onnx

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/libresnext/libresnext/quant/match"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

func (b *builder) sigmoid(n *readNode) (view, error) { return b.simple(match.Sigmoid, n) }

// softmax is one over the classes, or its logarithm.
func (b *builder) softmax(n *readNode) (view, error) {
	made, err := b.simple(match.Softmax, n)
	if axis, given := n.attributes["axis"]; err == nil && given {
		made.overClasses(axis.i)
	}
	return made, err
}

// argMax is the number of the class with the largest logit. Before its axis is given it is that of the batch.
func (b *builder) argMax(n *readNode) (view, error) {
	made, err := b.simple(match.ArgMax, n)
	if err == nil {
		made.overClasses(n.attributes["axis"].i)
	}
	return made, err
}

// overClasses wants an axis to be that of the classes.
func (v view) overClasses(axis int64) {
	if axis != 1 && axis != -1 {
		v.Problem = fmt.Sprintf("is over the axis %d; expected the classes, 1", axis)
	}
}

// maxOutputs bounds the outputs, each of which is followed to the image; networks that give all their maps have tens.
const maxOutputs = 64

// network finds the network of the graph's outputs: of several the one that gives classes, else features.
func (b *builder) network() (*match.Network, error) {
	outputs := b.m.outputs
	if len(outputs) == 0 || len(outputs) > maxOutputs {
		return nil, fmt.Errorf("the graph has %d outputs; expected 1 to %d, the logits among them", len(outputs), maxOutputs)
	}
	var ends []end
	var first, twice error // why an output is none, and why features are not those of another
	for _, v := range outputs {
		e, err := b.end(v.name)
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		if i := slices.IndexFunc(ends, func(other end) bool { return other.classifies() == e.classifies() }); i >= 0 {
			if err := e.is(ends[i]); err != nil && e.classifies() {
				return nil, err
			} else if err != nil {
				twice = err
				continue
			}
			e.network.Layers = ends[i].network.Layers // keeps them once
		}
		ends = append(ends, e)
	}
	if slices.ContainsFunc(ends, end.classifies) {
		ends, twice = slices.DeleteFunc(ends, func(e end) bool { return !e.classifies() }), nil
	}
	switch {
	case twice != nil:
		return nil, twice
	case len(ends) == 0 && len(outputs) > 1:
		return nil, fmt.Errorf("none of the %d outputs is a network's logits or features; the first, %.200q: %w", len(outputs), outputs[0].name, first)
	case len(ends) == 0:
		return nil, first
	}
	chosen := choose(ends)
	if err := checkBiases(chosen.network); err != nil {
		return nil, err
	}
	var left []string
	for _, v := range outputs {
		if v.name != chosen.name {
			left = append(left, fmt.Sprintf("%.60q", v.name))
		}
	}
	if len(left) > 0 {
		chosen.network.Notes = append(chosen.network.Notes, fmt.Sprintf("takes the output %.60q and leaves out %s", chosen.name, strings.Join(left, ", ")))
	}
	return chosen.network, nil
}

// end is an output that is a network's.
type end struct {
	name    string
	op      match.Op // of the last operator
	network *match.Network
}

func (b *builder) end(name string) (end, error) {
	v, err := b.value(name)
	if err != nil {
		return end{}, err
	}
	network, err := match.Match(v.Node, b.height, b.width)
	e := end{name, v.Op, network}
	if v.Op == match.Flat {
		e.op = v.In[0].Op
	}
	return e, err
}

// classifies reports whether an output gives classes, not features.
func (e end) classifies() bool { return e.network.Config.Head != topology.Embedding }

// is wants two outputs to be those of one network.
func (e end) is(other end) error {
	if sameNetwork(e.network, other.network) {
		return nil
	}
	what := "classifiers"
	if !e.classifies() {
		what = "embeddings"
	}
	return fmt.Errorf("the outputs %.200q and %.200q are two different %s; expected one: export the network with the output that is wanted alone", other.name, e.name, what)
}

// choose takes one of several forms of the same logits: softmax and the choice of the largest say that an image has one
// class, the sigmoid alone that it may have several labels.
func choose(ends []end) end {
	oneClass := slices.ContainsFunc(ends, func(e end) bool { return e.op == match.Softmax || e.op == match.ArgMax })
	rank := func(e end) int {
		switch {
		case e.op == match.Sigmoid && oneClass:
			return 4
		case e.op == match.Sigmoid:
			return 0
		case e.op == match.ArgMax:
			return 3
		case e.op == match.Softmax:
			return 2
		}
		return 1
	}
	return slices.MinFunc(ends, func(a, b end) int { return rank(a) - rank(b) })
}

// sameNetwork reports whether two networks have the same numbers, whatever is done to their logits.
func sameNetwork(a, b *match.Network) bool {
	plain := func(cfg resnext.Config) resnext.Config {
		cfg.Head, cfg.Name = "", ""
		return cfg
	}
	if !reflect.DeepEqual(plain(a.Config), plain(b.Config)) || !reflect.DeepEqual(a.Normalisation, b.Normalisation) {
		return false
	}
	for name, l := range a.Layers {
		if !slices.EqualFunc(numbers(l), numbers(b.Layers[name]), slices.Equal) {
			return false
		}
	}
	return true
}

// numbers are all of a layer.
func numbers(l match.Layer) [][]float32 {
	all := [][]float32{l.Weight, l.Bias}
	if s := l.Norm; s != nil {
		all = append(all, s.Gain, s.Shift, s.Mean, s.Variance, []float32{float32(s.Epsilon)})
	}
	return all
}
