package match

import (
	"fmt"
	"slices"

	"github.com/libresnext/libresnext/resnext/topology"
)

// branch is one of the two ways from a block's input to its addition.
type branch struct {
	// pool and pad come before the convolutions: a pooling or subsampling, and channels of zeros; nil for none.
	pool, pad *Node
	units     []unit
}

// shortcut is how a block's input comes to its addition. The zero shortcut is the identity.
type shortcut struct {
	kind topology.ShortcutKind
	// conv is the projection; one that is padded has its convolution once the number of channels is known.
	conv unit
	// pool and pad are those of branch.
	pool, pad *Node
}

// path follows one branch from c, which takes x's output, to the addition that ends it.
func (m *matcher) path(x, c *Node) (branch, *Node, error) {
	const most = 4
	var b branch
	last := x
	for _, part := range []struct {
		node **Node
		ops  []Op
	}{{&b.pool, []Op{MaxPool, Average, Subsample}}, {&b.pad, []Op{Pad}}} {
		if c == nil || !slices.Contains(part.ops, c.Op) {
			continue
		}
		if c.Problem != "" {
			return b, nil, c.problem()
		}
		*part.node, last, c = c, c, m.only(c)
	}
	for c != nil && c.Op == Conv && len(b.units) < most {
		u, err := m.unit(c)
		if err != nil {
			return b, nil, err
		}
		b.units, last = append(b.units, u), u.last
		c = m.only(last)
	}
	if c == nil || c.Op != Add {
		return b, nil, m.expected("a convolution of the block, or the addition that ends it", last)
	}
	if c.Problem != "" {
		return b, nil, c.problem()
	}
	if len(c.In) != 2 || c.In[0] == c.In[1] {
		return b, nil, fmt.Errorf("%s adds %d tensors; expected a block's output and its shortcut", c.Title, len(c.In))
	}
	return b, c, nil
}

// newShortcut checks what the shortcut of a block with the given stride consists of.
func newShortcut(side branch, stride int) (s shortcut, err error) {
	bad := func(n *Node, format string, args ...any) (shortcut, error) {
		return s, fmt.Errorf("%s: %s", n.Title, fmt.Sprintf(format, args...))
	}
	s = shortcut{pool: side.pool, pad: side.pad}
	if len(side.units) == 0 {
		return s.padded(stride)
	}
	s.conv = side.units[0]
	c := s.conv.conv
	switch {
	case s.pad != nil:
		return bad(s.pad, "comes before a convolution in a shortcut; expected one of both")
	case s.conv.relu:
		return bad(s.conv.last, "is in a shortcut; expected a convolution and normalisation alone")
	case s.conv.gate != nil:
		return bad(s.conv.last, "is in a shortcut; expected gates in a block's branch alone")
	case c.Kernel != 1 || c.Groups != 1:
		return bad(c, "is %dx%d with %d groups; expected a 1x1 convolution without groups as a shortcut", c.Kernel, c.Kernel, c.Groups)
	case s.pool == nil && c.Stride != stride:
		return bad(c, "has stride %d, its block's branch has %d; expected the same", c.Stride, stride)
	case s.pool == nil:
		return s, nil
	case !s.pool.halves():
		return bad(s.pool, "is %dx%d with stride %d before a shortcut's convolution; expected an average pooling, 2x2 and 2", s.pool.Kernel, s.pool.Kernel, s.pool.Stride)
	case c.Stride != 1 || stride != 2:
		return bad(c, "has stride %d behind a pooling, and its block's branch has %d; expected 1 and 2", c.Stride, stride)
	}
	s.kind = topology.AveragedProjection
	return s, nil
}

// padded checks a shortcut without convolutions.
func (s shortcut) padded(stride int) (shortcut, error) {
	by := 1
	if s.pool != nil {
		by = s.pool.Stride
		if s.pool.Kernel != 1 || s.pool.Pad != 0 {
			return s, fmt.Errorf("%s: is %dx%d in a shortcut without a convolution; expected a subsampling, 1x1 (the paper's shortcut A)", s.pool.Title, s.pool.Kernel, s.pool.Kernel)
		}
	}
	if s.pool == nil && s.pad == nil {
		return s, nil
	}
	if by != stride {
		return s, fmt.Errorf("%s: the shortcut has stride %d, its block's branch has %d; expected the same", s.title(), by, stride)
	}
	s.kind = topology.Padded
	return s, nil
}

// title names a shortcut that is padded.
func (s shortcut) title() string {
	if s.pad != nil {
		return s.pad.Title
	}
	return s.pool.Title
}

// maxPadding bounds the weights that are made for padded shortcuts; a ResNet-152 with such has 3 million.
const maxPadding = 1 << 23

// project makes the convolution that a padded shortcut from in to out channels is. made counts the weights of all.
func (s *shortcut) project(in, out int, made *int) error {
	before, after := 0, 0
	if s.pad != nil {
		before, after = s.pad.Before, s.pad.After
	}
	for _, n := range []*int{&before, &after} {
		if *n == AsMany {
			*n = in
		}
	}
	if before > out || after > out || before+in+after != out {
		return fmt.Errorf("%s: makes %d, %d and %d channels of %d; expected %d together, as the block's branch gives", s.title(), before, in, after, in, out)
	}
	if *made += in * out; *made > maxPadding {
		return fmt.Errorf("%s: the shortcuts without weights have more than %d channels times channels; that is no network of this family", s.title(), maxPadding)
	}
	w := &Tensor{Shape: []int{out, in, 1, 1}, Data: make([]float32, out*in)}
	for c := range in {
		w.Data[(before+c)*in+c] = 1
	}
	s.conv = unit{conv: &Node{Op: Conv, Title: s.title(), Kernel: 1, Groups: 1, Weight: w}}
	return nil
}

// halves reports whether a node is the average pooling of topology.Average2x2.
func (n *Node) halves() bool { return n.Op == Average && n.Kernel == 2 && n.Stride == 2 }
