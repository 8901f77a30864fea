package cli

import (
	"fmt"
	"slices"

	"github.com/libresnext/libresnext/resnext"
)

// ArchName is a network's usual name, or a description where it has none.
func ArchName(c resnext.Config) string {
	if c.Name != "" {
		return c.Name
	}
	name := fmt.Sprintf("unnamed %d-layer", c.Layers())
	if uniform(c) {
		name += fmt.Sprintf(" %dx%dd", c.Stages[0].Cardinality, c.BaseWidth())
	}
	return name
}

// Groups says what the groups of a network's 3x3 convolutions are like: the cardinality and base width where all stages
// have the same cardinality, as in a ResNeXt, and the width of a group where that is the same, as in a RegNet.
func Groups(c resnext.Config) string {
	sameWidth := !slices.ContainsFunc(c.Stages, func(s resnext.Stage) bool { return s.Inner/s.Cardinality != c.BaseWidth() })
	switch {
	case uniform(c):
		return fmt.Sprintf("cardinality %d, base width %d", c.Stages[0].Cardinality, c.BaseWidth())
	case sameWidth:
		return fmt.Sprintf("groups of %d channels", c.BaseWidth())
	}
	return "groups that differ from stage to stage"
}

// uniform reports whether all stages have the same cardinality.
func uniform(c resnext.Config) bool {
	return !slices.ContainsFunc(c.Stages, func(s resnext.Stage) bool { return s.Cardinality != c.Stages[0].Cardinality })
}

// Parameters is the number of weights and biases once batch normalisation is folded into them.
func Parameters(c resnext.Config) int {
	n := c.Classes * (c.Features() + 1) // none where there are no classes
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
