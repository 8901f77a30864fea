package report

import (
	"fmt"
	"strconv"

	"github.com/libresnext/libresnext/internal/cli"
)

// addChains shows the proved accumulation.
func (v *view) addChains(layers []*layerView) {
	v.TotalChains = chainSegments(v.Kernels.Chains)
	for _, l := range layers {
		l.Segments = chainSegments(l.Chains)
		v.AnyChains = v.AnyChains || len(l.Segments) > 0
		if l.Lanes != nil {
			v.AnyLanes = true
			l.Fill = fmt.Sprintf("%.0f%%", 100*l.Lanes.Mean)
			l.FillMax = fmt.Sprintf("%.0f%%", 100*l.Lanes.Largest)
			l.FillOver = l.Lanes.Largest > 1
		}
	}
	v.Speeds, v.SpeedMachine = speeds(v.Choices), speedMachine
}

// ChainLoss is what the choice of chains cost, in words; empty if it is not known.
func (v *view) ChainLoss() string {
	if v.Choices.ChainLoss == nil {
		return ""
	}
	return decibel(v.Choices.ChainLoss)
}

func chainSegments(chains []ChainShare) []segment {
	var s []segment
	for _, c := range chains {
		if c.Share > 0 {
			s = append(s, segment{chainClass(c.Products), chainName(c.Products), cli.Percent(c.Share), 100 * c.Share})
		}
	}
	return s
}

// chainClass names the style of a chain length: that of the longest shown one up to it.
func chainClass(products int) string {
	shown := 0
	for _, n := range []int{2, 4, 6, 8, 12} {
		if products >= n {
			shown = n
		}
	}
	return fmt.Sprintf("p%d", shown)
}

func chainName(products int) string {
	if products == 0 {
		return "no chain"
	}
	return strconv.Itoa(products) + " products"
}

// speedRow is what chains of one length were measured to buy.
type speedRow struct {
	Name, Time, Ratio string
	// Mark says what of this model has such chains; empty for nothing.
	Mark string
}

// speedMachine names the machine of chainTimes.
const speedMachine = "ResNeXt-50 32x4d at 224x224 on one core of an AMD EPYC (Zen 3, AVX2 without VNNI), version 0.1.0"

// chainTimes are the medians of bench/README.md in milliseconds by chain length; chains of 2 were not timed.
var chainTimes = []struct {
	products int
	ms       float64
}{{0, 94.3}, {4, 50.0}, {8, 46.2}}

// speeds compares the chain lengths, and marks the one that this model was made for.
func speeds(c Choices) []speedRow {
	used := "this model"
	if c.ChainsAuto {
		used = "most of this model"
	}
	var rows []speedRow
	for _, t := range chainTimes {
		name := "chains off"
		if t.products > 0 {
			name = fmt.Sprintf("chains of %d", t.products)
		}
		row := speedRow{name, fmt.Sprintf("%.1f ms", t.ms), fmt.Sprintf("%.1f times", chainTimes[0].ms/t.ms), ""}
		if t.products == c.Chains {
			row.Mark = used
		}
		rows = append(rows, row)
	}
	return rows
}
