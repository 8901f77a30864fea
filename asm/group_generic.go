package asm

import "unsafe"

// GroupReference is the pure Go direct grouped 3x3 convolution with width channels a group, for weights in the
// order that GroupKernel documents: the reference for every set's Group4 and Group8.
func GroupReference(a *GroupArgs, width, panelChannels int, order GroupOrder, flip byte) {
	panel := 9 * width * panelChannels
	weights := unsafe.Slice(a.W, a.Panels*panel)
	channels := a.Panels * panelChannels
	bias, mult := unsafe.Slice(a.Bias, channels), unsafe.Slice(a.Mult, channels)
	lo, hi := ReLU.limits()
	for y := range a.Rows {
		for x := range a.Cols {
			in := unsafe.Add(unsafe.Pointer(a.In), y*a.InRow+x*a.InCol)
			out := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(a.Out), y*a.OutRow+x*a.OutCol)), channels)
			for c := range channels {
				acc := bias[c]
				w := weights[c/panelChannels*panel:]
				for tap := range 9 {
					at := tap/3*a.TapRow + tap%3*a.TapCol + c/width*width
					px := unsafe.Slice((*byte)(unsafe.Add(in, at)), width)
					for i, b := range px {
						acc += activation(b, flip) * int32(w[groupIndex(tap, c%panelChannels, i, width, panelChannels, order)])
					}
				}
				out[c] = ReLU.stored(requantise(acc, mult[c], 0, lo, hi), flip)
			}
		}
	}
}

// groupIndex is GroupKernel.Index.
func groupIndex(tap, c, i, width, channels int, order GroupOrder) int {
	if order == ByOutput {
		return ((tap*width+c%width)*(channels/width)+c/width)*width + i
	}
	return ((tap*(width/4)+i/4)*channels+c)*4 + i%4
}

// Index is the place within a panel of the weight of tap (0..8), output channel c of the panel and input
// channel i of its group, for groups of width channels.
func (g GroupKernel) Index(tap, c, i, width int) int {
	return groupIndex(tap, c, i, width, g.Channels, g.Order)
}
