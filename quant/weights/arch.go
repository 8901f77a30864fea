package weights

import (
	"fmt"
	"strings"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// adopt gives a network what a named one has and its tensors do not show: strides, poolings, the usual input size. shown
// reports whether the tensors tell a shortcut that is averaged.
func adopt(found *resnext.Config, named resnext.Config, shown bool) {
	if len(found.Stem.Convs) != len(named.Stem.Convs) || len(found.Stages) != len(named.Stages) {
		return
	}
	found.Height, found.Width, found.Stem.Pool = named.Height, named.Width, named.Stem.Pool
	for i := range found.Stem.Convs {
		found.Stem.Convs[i].Stride = named.Stem.Convs[i].Stride
	}
	for i := range found.Stages {
		s, n := &found.Stages[i], named.Stages[i]
		s.Stride, s.StrideOn, s.AntiAlias = n.Stride, n.StrideOn, n.AntiAlias
		if !shown && s.Shortcut == topology.Projection && n.Shortcut == topology.AveragedProjection {
			s.Shortcut = n.Shortcut
		}
	}
}

// adoptArchitecture takes from the architecture that a hub names what names and shapes of tensors do not show, where the
// tensors can be that network, and reports whether they can; a name that is not known here, or of another network, says
// nothing.
func adoptArchitecture(cfg *resnext.Config, architecture string, d *dialect) bool {
	named, err := resnext.Named(architecture)
	if err != nil {
		return false
	}
	trial := cfg.Clone()
	adopt(&trial, named, d.showsAverage())
	if agree(architecture, named, trial) != nil {
		return false
	}
	trial.Name = named.Name
	*cfg = trial
	return true
}

// agree reports in what the network that was found differs from the architecture that the caller named. The number of
// classes and the input size are not part of an architecture.
func agree(arch string, named, found resnext.Config) error {
	if resnext.SameShape(named, found) {
		return nil
	}
	var diffs []string
	differ := func(what string, want, got any) {
		if want != got {
			diffs = append(diffs, fmt.Sprintf("%s: %s has %v, the tensors have %v", what, arch, want, got))
		}
	}
	differ("stem", stemText(named.Stem), stemText(found.Stem))
	differ("number of stages", len(named.Stages), len(found.Stages))
	for i := range min(len(named.Stages), len(found.Stages)) {
		want, got := named.Stages[i], found.Stages[i]
		differ(fmt.Sprintf("blocks of stage %d", i+1), want.Blocks, got.Blocks)
		differ(fmt.Sprintf("kind of the blocks of stage %d", i+1), want.Kind, got.Kind)
		differ(fmt.Sprintf("cardinality of stage %d", i+1), want.Cardinality, got.Cardinality)
		differ(fmt.Sprintf("inner width of stage %d", i+1), want.Inner, got.Inner)
		differ(fmt.Sprintf("output channels of stage %d", i+1), want.Out, got.Out)
		differ(fmt.Sprintf("stride of stage %d", i+1), strideText(want), strideText(got))
		differ(fmt.Sprintf("shortcut of stage %d", i+1), shortcutText(want), shortcutText(got))
		differ(fmt.Sprintf("gate of stage %d", i+1), gateText(want.Gate), gateText(got.Gate))
	}
	name := found.Name
	if name == "" {
		name = "a network without a usual name"
	}
	return fmt.Errorf("the tensors are not %s but %s (leave the architecture out to take what they hold):\n  %s",
		arch, name, strings.Join(diffs, "\n  "))
}

// stemText describes a stem: "7x7, 64 channels".
func stemText(s resnext.Stem) string {
	var convs []string
	for _, c := range s.Convs {
		convs = append(convs, fmt.Sprintf("%dx%d, %d channels", c.Kernel, c.Kernel, c.Width))
	}
	return strings.Join(convs, "; ")
}

// strideText says how a stage halves the map: "2 on transform".
func strideText(s resnext.Stage) string {
	switch {
	case s.Stride == 1:
		return "1"
	case s.AntiAlias != topology.NoPool:
		return fmt.Sprintf("%d by %s pooling behind %s", s.Stride, s.AntiAlias, s.StrideRole())
	}
	return fmt.Sprintf("%d on %s", s.Stride, s.StrideRole())
}

// shortcutText says how a stage's first shortcut changes its shape.
func shortcutText(s resnext.Stage) string {
	switch {
	case s.Shortcut == topology.AveragedProjection && s.Stride != 1:
		return "an average pooling and a projection"
	case s.Shortcut == topology.Padded:
		return "padding"
	}
	return "a projection where the shape changes"
}

// gateText describes a gate: "se after expand, 16 hidden channels".
func gateText(g topology.Gate) string {
	switch g.Kind {
	case topology.NoGate:
		return "none"
	case topology.NeighbourGate:
		return fmt.Sprintf("%s after %s, kernel %d", g.Kind, g.After, g.Kernel)
	}
	return fmt.Sprintf("%s after %s, %d hidden channels", g.Kind, g.After, g.Hidden)
}
