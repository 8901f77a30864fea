package match

import (
	"fmt"
	"strings"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// block finds the block that begins with x and gives the ReLU after its addition.
func (m *matcher) block(x *Node) (*Node, error) {
	var ways [2]branch
	var sum *Node
	takers := m.consumers[x]
	if len(takers) != len(ways) {
		return nil, m.expected("a block (two nodes: its first convolution and its shortcut) or the average at the end", x)
	}
	for i, c := range takers {
		way, add, err := m.path(x, c)
		if err != nil {
			return nil, err
		}
		if sum != nil && add != sum {
			return nil, fmt.Errorf("the two branches after %s end in different additions, %s and %s; expected one that joins them", x.Title, sum.Title, add.Title)
		}
		ways[i], sum = way, add
	}
	main, side := ways[0], ways[1]
	if len(side.units) > len(main.units) {
		main, side = side, main
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

// newBlock checks what a block consists of.
func newBlock(x *Node, way, side branch) (block, error) {
	main := way.units
	b := block{branch: main}
	bad := func(n *Node, format string, args ...any) (block, error) {
		return b, fmt.Errorf("%s: %s", n.Title, fmt.Sprintf(format, args...))
	}
	kind, ok := kindOf(main)
	if !ok || len(side.units) > 1 {
		return bad(x, "the block after it has branches of %d and %d convolutions; expected %s, and a shortcut of one or none", len(main), len(side.units), kindsText())
	}
	for _, n := range []*Node{way.pool, way.pad} {
		if n != nil {
			return bad(n, "comes before the convolutions of a block; expected it in the shortcut")
		}
	}
	b.kind = kind
	links := kind.Branch()
	for i, u := range main {
		switch c, last := u.conv, i == len(main)-1; {
		case c.Kernel != links[i].Kernel:
			return bad(c, "is %dx%d; expected the %dx%d convolution of a %s", c.Kernel, c.Kernel, links[i].Kernel, links[i].Kernel, kindText(kind))
		case c.Groups != 1 && !links[i].Grouped:
			return bad(c, "has %d groups; expected 1, only a bottleneck's 3x3 convolution has more", c.Groups)
		case !last && !u.relu:
			return bad(u.last, "is not followed by a ReLU; expected one after each convolution of a %s but the last", kind)
		case last && u.relu:
			return bad(u.last, "comes before the addition; expected it after it")
		case u.stride() != 1 && b.strided != nil:
			return bad(c, "has stride %d, and so has %s before it; expected a stride of one convolution in a block", u.stride(), b.strided.conv.Title)
		case u.stride() != 1:
			b.strided, b.strideOn = &main[i], links[i].Role
		}
		if u.gate != nil {
			if b.gate.Kind != topology.NoGate {
				return bad(u.last, "is the second gate of its block; expected one")
			}
			b.gate = u.gate.config(links[i].Role)
		}
		if links[i].Grouped {
			b.cardinality = u.conv.Groups
		}
	}
	var err error
	b.shortcut, err = newShortcut(side, b.stride())
	return b, err
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
	return b.strided.stride()
}

func (b *block) first() *Node { return b.branch[0].conv }
func (b *block) last() *Node  { return b.branch[len(b.branch)-1].conv }

// stage is a stage of one such block.
func (b *block) stage() resnext.Stage {
	s := resnext.Stage{
		Kind: b.kind, Blocks: 1, Inner: b.first().out(), Out: b.last().out(), Cardinality: max(1, b.cardinality), Stride: b.stride(),
		Shortcut: b.shortcut.kind, Gate: b.gate,
	}
	if b.strideOn != b.kind.Stride() {
		s.StrideOn = b.strideOn
	}
	if b.strided != nil && b.strided.pool != nil {
		s.AntiAlias = topology.Average2x2
	}
	return s
}
