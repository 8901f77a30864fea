package match

import "fmt"

// block finds the bottleneck that begins with x and gives the ReLU after its addition.
func (m *matcher) block(x *Node) (*Node, error) {
	var main, side []unit
	var sum *Node
	takers := m.consumers[x]
	if len(takers) != 2 {
		return nil, m.expected("a bottleneck (two nodes: its first convolution and its shortcut) or the average at the end", x)
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
	b, err := bottleneck(x, main, side)
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
		return nil, nil, m.expected("a convolution of the bottleneck, or the addition that ends it", last)
	}
	if c.Problem != "" {
		return nil, nil, c.problem()
	}
	if len(c.In) != 2 || c.In[0] == c.In[1] {
		return nil, nil, fmt.Errorf("%s adds %d tensors; expected a bottleneck's output and its shortcut", c.Title, len(c.In))
	}
	return units, c, nil
}

// bottleneck checks what a block consists of.
func bottleneck(x *Node, main, side []unit) (block, error) {
	var b block
	bad := func(n *Node, format string, args ...any) (block, error) {
		return b, fmt.Errorf("%s: %s", n.Title, fmt.Sprintf(format, args...))
	}
	switch {
	case len(main) == 2 && len(side) <= 1:
		return bad(main[0].conv, "begins %s", NoBasicBlocks)
	case len(main) != 3 || len(side) > 1:
		return bad(x, "the block after it has branches of %d and %d convolutions; expected a bottleneck of three, and a shortcut of one or none", len(main), len(side))
	}
	b.reduce, b.transform, b.expand = main[0], main[1], main[2]
	kernels := []int{1, 3, 1}
	for i, u := range main {
		switch c := u.conv; {
		case c.Kernel != kernels[i]:
			return bad(c, "is %dx%d; expected the %dx%d convolution of a bottleneck (1x1, 3x3, 1x1)", c.Kernel, c.Kernel, kernels[i], kernels[i])
		case i == 0 && c.Stride != 1:
			return bad(c, "has stride %d: %s", c.Stride, FirstStride)
		case i == 2 && c.Stride != 1:
			return bad(c, "has stride %d; expected 1 for the last convolution of a bottleneck", c.Stride)
		case i != 1 && c.Groups != 1:
			return bad(c, "has %d groups; expected 1, only the 3x3 convolution has more", c.Groups)
		case i < 2 && !u.relu:
			return bad(u.last, "is not followed by a ReLU; expected one after the first two convolutions of a bottleneck")
		case i == 2 && u.relu:
			return bad(u.last, "comes before the addition; expected it after it")
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
	case c.Stride != b.transform.conv.Stride:
		return bad(c, "has stride %d, its block's 3x3 convolution %s has %d; expected the same", c.Stride, b.transform.conv.Title, b.transform.conv.Stride)
	}
	return b, nil
}
