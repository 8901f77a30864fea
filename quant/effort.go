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
	// Fast chooses ranges by what Collect gathered, and carries a few images through both networks to correct and round
	// the smaller layers by; without images it rounds every layer on its own: seconds.
	Fast Effort = "fast"
	// Default carries the images through both networks and rounds layer after layer by what the int8
	// network really feeds it, see Techniques: a minute or two for a ResNeXt-50.
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
	// collect bounds how many images Collect is worth running on, in multiply-accumulates, but not below fewestImages; 0
	// is no bound.
	collect  int64
	pass     pass.Budget
	rounding round.Budget
}

const (
	// DefaultMemory and MaxMemory are how much memory calibration takes about, unless told otherwise.
	DefaultMemory = 640 << 20
	MaxMemory     = 2 << 30
	// leastPass is what images and layers get where the networks leave less.
	leastPass = 32 << 20
)

var budgets = map[Effort]searchBudget{
	Fast: {
		192 << 30, pass.Budget{Hessian: 576, Samples: 4096, Fewest: 16, Work: 64 << 30},
		round.Budget{Sweeps: 1, Scales: []float64{1}},
	},
	Default: {
		0, pass.Budget{Hessian: 2304, Samples: 8192, Fewest: 64, Work: 400 << 30},
		round.Budget{Sweeps: 6, Scales: []float64{1}},
	},
	Max: {
		0, pass.Budget{Hessian: 2304, Samples: 32768, Fewest: 128, Work: 1 << 40},
		round.Budget{Sweeps: 20, Scales: []float64{0.94, 1, 1.06}},
	},
}
