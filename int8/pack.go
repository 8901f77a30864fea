package int8

// arrange writes the weights of output channel oc to dst in the order that order gave. What lies between
// them stays zero.
func (s ConvSpec) arrange(dst []int8, order []int, oc int) {
	w := s.Weight[oc*len(order) : (oc+1)*len(order)]
	for i, at := range order {
		dst[at] = w[i]
	}
}

// order returns for each weight of an output channel, [Kernel][Kernel][in/Groups], its place in taps runs of
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

// taps returns the number of taps and the products of each as the kernels see them. A stem's tap is a whole
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

// deepest returns the last of ascending acc16 depths, or 0.
func deepest(depths []int) int {
	if len(depths) == 0 {
		return 0
	}
	return depths[len(depths)-1]
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
