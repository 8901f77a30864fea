package match

import (
	"fmt"
	"strings"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// block finds the block that begins with x and gives the ReLU after its addition.
func (m *matcher) block(x *Node) (*Node, error) {
	var main, side []unit
	var sum *Node
	takers := m.consumers[x]
	if len(takers) != 2 {
		return nil, m.expected("a block (two nodes: its first convolution and its shortcut) or the average at the end", x)
	}
	for _, c := range takers {
		path, add, err := m.path(x, c)
		if err != nil {
			return nil, err
		}
		if sum != nil && add != sum {
			return nil, fmt.Errorf("the two branches after %s end in different additions, %s and %s; expected one that joins them", x.Title, sum.Title, add.Title)
		}
		sum = add
		if len(path) > len(main) {
			main, side = path, main
		} else {
			side = path
		}
	}
	b, err := newBlock(x, main, side)
	if err != nil {
		return nil, err
	}
	relu, err := m.next(ReLU, "a ReLU", sum)
	if err != nil {
		return nil, err
	}
	m.blocks = append(m.blocks, b)
	return relu, nil
}

// path follows one branch from c, which takes x's output, to the addition that ends it.
func (m *matcher) path(x, c *Node) ([]unit, *Node, error) {
	const most = 4
	var units []unit
	last := x
	for c != nil && c.Op == Conv && len(units) < most {
		u, err := m.unit(c)
		if err != nil {
			return nil, nil, err
		}
		units, last = append(units, u), u.last
		c = m.only(last)
	}
	if c == nil || c.Op != Add {
		return nil, nil, m.expected("a convolution of the block, or the addition that ends it", last)
	}
	if c.Problem != "" {
		return nil, nil, c.problem()
	}
	if len(c.In) != 2 || c.In[0] == c.In[1] {
		return nil, nil, fmt.Errorf("%s adds %d tensors; expected a block's output and its shortcut", c.Title, len(c.In))
	}
	return units, c, nil
}

// newBlock checks what a block consists of.
func newBlock(x *Node, main, side []unit) (block, error) {
	b := block{branch: main}
	bad := func(n *Node, format string, args ...any) (block, error) {
		return b, fmt.Errorf("%s: %s", n.Title, fmt.Sprintf(format, args...))
	}
	kind, ok := kindOf(main)
	if !ok || len(side) > 1 {
		return bad(x, "the block after it has branches of %d and %d convolutions; expected %s, and a shortcut of one or none", len(main), len(side), kindsText())
	}
	b.kind = kind
	branch := kind.Branch()
	for i, u := range main {
		switch c, last := u.conv, i == len(main)-1; {
		case c.Kernel != branch[i].Kernel:
			return bad(c, "is %dx%d; expected the %dx%d convolution of a %s", c.Kernel, c.Kernel, branch[i].Kernel, branch[i].Kernel, kindText(kind))
		case c.Groups != 1 && !branch[i].Grouped:
			return bad(c, "has %d groups; expected 1, only a bottleneck's 3x3 convolution has more", c.Groups)
		case !last && !u.relu:
			return bad(u.last, "is not followed by a ReLU; expected one after each convolution of a %s but the last", kind)
		case last && u.relu:
			return bad(u.last, "comes before the addition; expected it after it")
		case c.Stride != 1 && b.strided != nil:
			return bad(c, "has stride %d, and so has %s before it; expected a stride of one convolution in a block", c.Stride, b.strided.Title)
		case c.Stride != 1:
			b.strided, b.strideOn = c, branch[i].Role
		}
		if branch[i].Grouped {
			b.cardinality = u.conv.Groups
		}
	}
	if len(side) == 0 {
		return b, nil
	}
	b.shortcut = side[0]
	switch c := b.shortcut.conv; {
	case b.shortcut.relu:
		return bad(b.shortcut.last, "is in a shortcut; expected a convolution and normalisation alone")
	case c.Kernel != 1 || c.Groups != 1:
		return bad(c, "is %dx%d with %d groups; expected a 1x1 convolution without groups as a shortcut", c.Kernel, c.Kernel, c.Groups)
	case c.Stride != b.stride():
		return bad(c, "has stride %d, its block's branch has %d; expected the same", c.Stride, b.stride())
	}
	return b, nil
}

// kindOf finds the kind of block whose branch has as many convolutions, of the same kernels where there is a choice.
func kindOf(main []unit) (kind topology.Kind, found bool) {
	for _, k := range topology.Kinds() {
		branch := k.Branch()
		if len(branch) != len(main) {
			continue
		}
		fits := true
		for i, l := range branch {
			fits = fits && main[i].conv.Kernel == l.Kernel
		}
		if fits {
			return k, true
		}
		if !found {
			kind, found = k, true
		}
	}
	return kind, found
}

// kindText describes a kind: "bottleneck (1x1, 3x3, 1x1)".
func kindText(k topology.Kind) string {
	var kernels []string
	for _, l := range k.Branch() {
		kernels = append(kernels, fmt.Sprintf("%dx%d", l.Kernel, l.Kernel))
	}
	return fmt.Sprintf("%s (%s)", k, strings.Join(kernels, ", "))
}

func kindsText() string {
	var all []string
	for _, k := range topology.Kinds() {
		all = append(all, "a "+kindText(k))
	}
	return strings.Join(all, " or ")
}

// stride is by how much the block shrinks its map.
func (b *block) stride() int {
	if b.strided == nil {
		return 1
	}
	return b.strided.Stride
}

func (b *block) first() *Node { return b.branch[0].conv }
func (b *block) last() *Node  { return b.branch[len(b.branch)-1].conv }

// stage is a stage of one such block.
func (b *block) stage() resnext.Stage {
	s := resnext.Stage{
		Kind: b.kind, Blocks: 1, Inner: b.first().out(), Out: b.last().out(), Cardinality: max(1, b.cardinality), Stride: b.stride(),
	}
	if b.strideOn != b.kind.Stride() {
		s.StrideOn = b.strideOn
	}
	return s
}
