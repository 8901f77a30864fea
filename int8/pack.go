package int8

// place writes the weights of output channel oc to dst in the order that order gave. What lies between
// them stays zero.
func (s ConvSpec) place(dst []int8, order []int, oc int) {
	w := s.Weight[oc*len(order) : (oc+1)*len(order)]
	for i, at := range order {
		dst[at] = w[i]
	}
}

// order tells for each weight of an output channel, [Kernel][Kernel][in/Groups], its place in taps runs of
// k as a kernel meets them.
func (s ConvSpec) order(taps, k int) []int {
	width := s.Kernel * s.Kernel / taps * s.inPerGroup() // weights of a tap
	order := make([]int, taps*width)
	for i := range order {
		c := i % width
		if !s.Stem && s.Groups == 1 {
			c = s.In.At(c)
		}
		order[i] = i/width*k + c
	}
	return order
}

// inPerGroup is the number of input channels of a group.
func (s ConvSpec) inPerGroup() int {
	if s.Stem {
		return 3
	}
	return s.In.Channels() / s.Groups
}

// taps gives the number of taps and the products of each as the kernels see them. A stem's tap is a whole
// row of its window.
func (s ConvSpec) taps() (taps, k int) {
	switch {
	case s.Stem:
		return s.Kernel, roundUp(3*s.Kernel, 8)
	case s.Groups > 1:
		return s.Kernel * s.Kernel, s.In.Padded
	}
	return s.Kernel * s.Kernel, s.In.Total
}

// packIGEMM packs panels of each group for the indirect GEMM.
func (c *Conv) packIGEMM(s ConvSpec) {
	taps, k := s.taps()
	padded := s.Out.Padded // output channels of a group
	if s.Groups == 1 {
		padded = s.Out.Total
	}
	c.weights = alignedInt8(s.Groups * padded * taps * k)
	logical := inverse(s.Out)
	order, row := s.order(taps, k), make([]int8, taps*k)
	for g := range s.Groups {
		for at := 0; at < padded; {
			nr := widest(c.kernels.Widths, padded-at)
			channel := g*padded + at
			chain, useful := c.longestChain(), 0
			panel := c.weights[channel*taps*k:][:nr*taps*k]
			for n := range nr {
				oc := logical[channel+n]
				if oc < 0 {
					continue
				}
				s.place(row, order, oc)
				chain = min(chain, Chain(row, taps, c.kernels.Chains, c.kernels))
				scatter(panel, row, n, nr, k, c.kernels.KB)
				useful += len(order)
			}
			if useful > 0 {
				c.macs[chain] += useful
			}
			c.addPanel(run{in: g * s.In.Padded, weights: channel * taps * k, panel: nr * taps * k,
				channel: channel, nr: nr, panels: 1, chain: chain, taps: taps, k: k})
			at += nr
		}
	}
}

// scatter puts one channel's weights into their places in a panel: tap after tap, blocks of kb
// consecutive k of each of nr channels. Where kb is 16 a tap may end with a block of 8.
func scatter(panel, row []int8, n, nr, k, kb int) {
	for t := 0; t < len(row); t += k {
		for b := 0; b < k; b += kb {
			width := min(kb, k-b)
			copy(panel[t*nr+b*nr+n*width:], row[t+b:t+b+width])
		}
	}
}

// addPanel appends a panel, joining it to the run before it where one call can cover both.
func (c *Conv) addPanel(p run) {
	if len(c.runs) > 0 {
		last := &c.runs[len(c.runs)-1]
		if last.in == p.in && last.nr == p.nr && last.chain == p.chain && last.channel+last.nr*last.panels == p.channel {
			last.panels++
			return
		}
	}
	c.runs = append(c.runs, p)
}

// packGroup packs panels of whole groups for the direct grouped kernels.
func (c *Conv) packGroup(s ConvSpec) {
	width := s.In.Padded
	kernel := c.kernels.Group(width)
	g := &groupRun{kernel: kernel, panel: 9 * width * kernel.Lanes, panels: s.Out.Total / kernel.Lanes}
	c.weights = alignedInt8(g.panels * g.panel)
	if n := len(kernel.Chains); n > 0 {
		g.chain = kernel.Chains[n-1]
	}
	order, row := s.order(9, width), make([]int8, 9*width)
	for oc := range s.Out.Channels() {
		s.place(row, order, oc)
		// The direct kernels run chains across taps.
		g.chain = min(g.chain, Chain(row, 1, kernel.Chains, c.kernels))
		at := s.Out.At(oc)
		panel := c.weights[at/kernel.Lanes*g.panel:]
		for tap := range 9 {
			for i := range width {
				panel[kernel.Index(tap, at%kernel.Lanes, i, width)] = row[tap*width+i]
			}
		}
	}
	c.macs[g.chain] += len(s.Weight)
	c.group = g
}

func (c *Conv) longestChain() int {
	if n := len(c.kernels.Chains); n > 0 {
		return c.kernels.Chains[n-1]
	}
	return 0
}

// inverse lists the channel at each place of a pixel, -1 for padding.
func inverse(l Layout) []int {
	inv := make([]int, l.Total)
	for i := range inv {
		inv[i] = -1
	}
	for c := range l.Channels() {
		inv[l.At(c)] = c
	}
	return inv
}

// widest is the widest panel that fits n channels. Widths descend, and n is a multiple of the last.
func widest(widths []int, n int) int {
	for _, w := range widths {
		if w <= n {
			return w
		}
	}
	return widths[len(widths)-1]
}
