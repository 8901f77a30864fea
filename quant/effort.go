package quant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/libresnext/libresnext/resnext/topology"
)

// Effort names how much work calibration does.
type Effort string

const (
	// Fast rounds every layer on its own, by the means and variances that Collect gathered: seconds.
	Fast Effort = "fast"
	// Default carries the images through both networks and rounds layer after layer by what the int8
	// network really feeds it, see Techniques: a few minutes for a ResNeXt-50.
	Default Effort = "default"
	// Max is Default with more pixels, more memory, more scales and more sweeps.
	Max Effort = "max"
)

// Efforts lists every effort, the least first.
func Efforts() []Effort { return []Effort{Fast, Default, Max} }

// ParseEffort returns the effort of that name, in any case.
func ParseEffort(name string) (Effort, error) {
	if e := Effort(strings.ToLower(name)); slices.Contains(Efforts(), e) {
		return e, nil
	}
	return "", fmt.Errorf("unknown effort %q: expected one of %v", name, Efforts())
}

// searchBudget is what an effort may spend.
type searchBudget struct {
	// memory bounds the bytes that the images' maps take; images that do not fit only help to choose ranges.
	memory int64
	// samples is how many pixels of each layer are looked at, over all images.
	samples int
	// sweeps bounds how often each filter's weights are gone through.
	sweeps int
	// scales are tried for each filter, as ratios of the one that is best for plain rounding.
	scales []float64
}

var budgets = map[Effort]searchBudget{
	Default: {memory: 768 << 20, samples: 8192, sweeps: 6, scales: []float64{1}},
	Max:     {memory: 2 << 30, samples: 32768, sweeps: 20, scales: []float64{0.94, 1, 1.06}},
}

// images chooses as many of n as fit the memory, evenly, and alternating between those that Moments.Low knows and the
// others.
func (b searchBudget) images(program *topology.Program, n int) []int {
	m := min(int64(n), max(1, b.memory/imageBytes(program)))
	chosen := make([]int, m)
	first := func(i int) int { return int(int64(i) * int64(n) / m) }
	for i := range chosen {
		chosen[i] = first(i)
		if (chosen[i]-i)%2 != 0 && chosen[i]+1 < first(i+1) {
			chosen[i]++
		}
	}
	return chosen
}
