package match

import (
	"fmt"
	"slices"

	"github.com/libresnext/libresnext/resnext/topology"
)

// atHead reports whether the last block is done.
func (m *matcher) atHead(x *Node) bool {
	c := m.only(x)
	return c != nil && c.Op == Average
}

// findHead finds the average, and the classifier unless the average is the end.
func (m *matcher) findHead(x *Node) (err error) {
	if m.mean, err = m.next(Average, "an average over the map", x); err != nil {
		return err
	}
	if len(m.blocks) == 0 {
		return fmt.Errorf("no block between %s and %s", m.stem[0].conv.Title, m.mean.Title)
	}
	end := m.overFlat(m.mean)
	if end == m.output {
		m.head = topology.Embedding
		m.note("ends in the averaged features: it becomes an embedding, without classes")
		return nil
	}
	if m.classifier, err = m.full("the classifier, a linear layer", end); err != nil {
		return err
	}
	if m.classifier.out() == 1 {
		m.head = topology.MultiLabel
		m.note("%s has one output: a yes or no by a sigmoid, as networks of several labels have (multilabel)", m.classifier.Title)
	}
	return m.findEnd(m.overFlat(m.classifier))
}

// findEnd follows what is done to the logits. Softmax and the choice of the largest leave their order as it is, and
// the sigmoid says what they are for.
func (m *matcher) findEnd(end *Node) error {
	for _, step := range []struct {
		ops  []Op
		note string
	}{
		{[]Op{Softmax, Sigmoid}, "%s at the end is left out: the network gives logits"},
		{[]Op{ArgMax}, "%s at the end is left out: the network gives the logits of all classes"},
	} {
		c := m.only(end)
		if c == nil || !slices.Contains(step.ops, c.Op) {
			continue
		}
		if c.Problem != "" {
			return c.problem()
		}
		end = m.overFlat(c)
		if c.Op == Sigmoid {
			m.head = topology.MultiLabel
		} else {
			m.note(step.note, c.Title)
		}
	}
	if end != m.output {
		return m.expected("the end, the logits", end)
	}
	return nil
}

// overFlat is n, or the flattening of what n gives.
func (m *matcher) overFlat(n *Node) *Node {
	if c := m.only(n); c != nil && c.Op == Flat {
		return c
	}
	return n
}
