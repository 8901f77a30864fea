package quant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/libresnext/libresnext/quant/pass"
	"github.com/libresnext/libresnext/quant/round"
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
	pass     pass.Budget
	rounding round.Budget
}

var budgets = map[Effort]searchBudget{
	Default: {
		pass.Budget{Memory: 768 << 20, Samples: 8192},
		round.Budget{Sweeps: 6, Scales: []float64{1}},
	},
	Max: {
		pass.Budget{Memory: 2 << 30, Samples: 32768},
		round.Budget{Sweeps: 20, Scales: []float64{0.94, 1, 1.06}},
	},
}
