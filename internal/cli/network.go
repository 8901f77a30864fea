package cli

import (
	"fmt"

	"github.com/libresnext/libresnext/resnext"
)

// ArchName is a network's usual name, or a description where it has none.
func ArchName(c resnext.Config) string {
	if c.Name != "" {
		return c.Name
	}
	return fmt.Sprintf("unnamed %d-layer %dx%dd", c.Layers(), c.Cardinality, c.BaseWidth())
}

// Parameters is the number of weights and biases once batch normalisation is folded into them.
func Parameters(c resnext.Config) int {
	n := c.Classes * (c.Features() + 1)
	for _, s := range c.Convs() {
		n += s.Weights() + s.Out
	}
	return n
}

// PreprocessText says in words how an image becomes input.
func PreprocessText(c resnext.Config, p resnext.Preprocess) string {
	if p.Resize == 0 {
		return fmt.Sprintf("resize to %dx%d, %s", c.Width, c.Height, p.Filter)
	}
	return fmt.Sprintf("resize the shorter side to %d, %s; crop %dx%d at the centre", p.Resize, p.Filter, c.Width, c.Height)
}

// Triple gives three channels' numbers: one if they are alike.
func Triple(v [3]float32) string {
	if v[0] == v[1] && v[1] == v[2] {
		return fmt.Sprint(v[0])
	}
	return fmt.Sprintf("%v, %v, %v", v[0], v[1], v[2])
}
