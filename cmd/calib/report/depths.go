package report

import (
	"fmt"
	"strconv"

	"github.com/libresnext/libresnext/internal/cli"
)

// addDepths shows the proved accumulation.
func (v *view) addDepths(layers []*layerView) {
	v.TotalDepths = depthSegments(v.Kernels.Depths)
	for _, l := range layers {
		l.Segments = depthSegments(l.Depths)
		v.AnyDepths = v.AnyDepths || len(l.Segments) > 0
		if l.Lanes != nil {
			v.AnyLanes = true
			l.Fill = fmt.Sprintf("%.0f%%", 100*l.Lanes.Mean)
			l.FillMax = fmt.Sprintf("%.0f%%", 100*l.Lanes.Largest)
			l.FillOver = l.Lanes.Largest > 1
		}
	}
	v.Speeds, v.SpeedMachine = speeds(v.Choices), speedMachine
}

// DepthLoss is what the choice of acc16 depths cost, in words; empty if it is not known.
func (v *view) DepthLoss() string {
	if v.Choices.DepthLoss == nil {
		return ""
	}
	return decibel(v.Choices.DepthLoss)
}

func depthSegments(shares []DepthShare) []segment {
	var s []segment
	for _, c := range shares {
		if c.Share > 0 {
			s = append(s, segment{depthClass(c.Products), depthName(c.Products), cli.Percent(c.Share), 100 * c.Share})
		}
	}
	return s
}

// depthClass names the style of an acc16 depth: that of the largest shown one up to it.
func depthClass(products int) string {
	shown := 0
	for _, n := range []int{2, 4, 6, 8, 12} {
		if products >= n {
			shown = n
		}
	}
	return fmt.Sprintf("p%d", shown)
}

func depthName(products int) string {
	if products == 0 {
		return "none"
	}
	return "depth " + strconv.Itoa(products)
}

// speedRow is what one acc16 depth was measured to buy.
type speedRow struct {
	Name, Time, Ratio string
	// Mark says what of this model has that depth; empty for nothing.
	Mark string
}

// speedMachine names the machine of depthTimes.
const speedMachine = "ResNeXt-50 32x4d at 224x224 on one core of an AMD EPYC (Zen 3, AVX2 without VNNI), version 0.1.0"

// depthTimes are the medians of bench/README.md in milliseconds by acc16 depth; 2 was not timed.
var depthTimes = []struct {
	products int
	ms       float64
}{{0, 94.3}, {4, 50.0}, {8, 46.2}}

// speeds compares the acc16 depths, and marks the one that this model was made for.
func speeds(c Choices) []speedRow {
	used := "this model"
	if c.DepthAuto {
		used = "most of this model"
	}
	var rows []speedRow
	for _, t := range depthTimes {
		name := "acc16 off"
		if t.products > 0 {
			name = fmt.Sprintf("acc16 depth %d", t.products)
		}
		row := speedRow{name, fmt.Sprintf("%.1f ms", t.ms), fmt.Sprintf("%.1f times", depthTimes[0].ms/t.ms), ""}
		if t.products == c.Depth {
			row.Mark = used
		}
		rows = append(rows, row)
	}
	return rows
}
