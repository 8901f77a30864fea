package resnext

import (
	"github.com/libresnext/libresnext/asm"
	i8 "github.com/libresnext/libresnext/int8"
	"github.com/libresnext/libresnext/resnext/topology"
)

// spec is a convolution as the operators know it, without its numbers.
func spec(s ConvShape) i8.ConvSpec {
	return i8.ConvSpec{
		In: i8.Grouped(s.In, s.InGroups), Out: i8.Grouped(s.Out, s.OutGroups), Stem: s.Image,
		Kernel: s.Kernel, Stride: s.Stride, Groups: s.Groups,
	}
}

// mapOf is a map in memory. The image is an i8.Image instead.
func mapOf(m topology.Map) i8.Map {
	return i8.Map{H: m.H, W: m.W, Border: m.Border, Layout: i8.Grouped(m.Channels, m.Groups)}
}

// imageOf is the network's input in memory.
func imageOf(m topology.Map) i8.Image { return i8.Image{H: m.H, W: m.W, Border: m.Border} }

// epilogueOf is what a convolution's epilogue does.
func epilogueOf(p *topology.Program, s topology.Step) asm.Epilogue {
	switch {
	case s.Add == topology.None && p.Maps[s.Out].Signed:
		return asm.Signed
	case s.Add == topology.None:
		return asm.ReLU
	case p.Maps[s.Add].Signed:
		return asm.AddSigned
	}
	return asm.AddUnsigned
}

// LaneLimit is how large the weights of one sign that share a lane may sum up to, see Lanes.
const LaneLimit = i8.LaneLimit

// Lanes returns which weights of an output channel share a 16-bit lane of the accumulation at an acc16 depth of so many
// products (2, 4 or 8): for each weight, [Kernel][Kernel][In/Groups], its lane's number, and how many
// lanes there are. Where the weights of each sign in every lane of a channel sum up to at most LaneLimit,
// loading proves the depth and CPUs that profit use it. Results never depend on it.
func Lanes(s ConvShape, depth int) (lane []int, lanes int) {
	return spec(s).Lanes(depth)
}
