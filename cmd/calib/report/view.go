package report

import (
	"html/template"
)

const (
	// LowSQNR is the ratio in dB below which a layer loses much.
	LowSQNR = 20
	// explained is how many of the worst layers are marked and explained.
	explained = 3
	// shownRatio bounds the ratios that are drawn; more is as good as exact.
	shownRatio = 60
	// unknown stands for what was not measured.
	unknown = "not measured"
)

// view is Data in words and drawings, as the template wants it.
type view struct {
	*Data
	Verdict verdict
	Rows    []row
	Groups  []group
	Worst   []*layerView
	Try     []suggestion // for the worst layers
	// Measured reports whether the layers were compared, Equalised whether ranges before equalisation are known.
	Measured, Equalised                bool
	RatioWide, RatioNarrow             template.HTML
	SpreadWide, SpreadNarrow           template.HTML
	Large                              []figure
	Cells                              []cellView
	MoreCells                          int
	Images                             []imageView
	TotalDepths                        []segment
	Speeds                             []speedRow
	SpeedMachine                       string
	AnyHistogram, AnySpread, AnyDepths bool
	AnyLanes                           bool
	LowSQNR                            int
}

func newView(d *Data) *view {
	v := &view{Data: d, Verdict: newVerdict(d), Rows: summaryRows(d), LowSQNR: LowSQNR}
	layers := v.addLayers()
	v.addRatios(layers)
	v.addHistograms(layers)
	v.addSpread(layers)
	v.addDepths(layers)
	v.addAnswers()
	return v
}

// group is the layers of one stage.
type group struct {
	Name, Short string
	Layers      []*layerView
	Small       []figure // histograms
}

// figure is a drawing with a caption.
type figure struct {
	Name, Caption string
	Drawing       template.HTML
}

// segment is a piece of a bar, Percent of it long.
type segment struct {
	Class, Name, Text string
	Percent           float64
}
