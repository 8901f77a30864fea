package report

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/libresnext/libresnext/internal/cli"
)

// layerView is a layer in words.
type layerView struct {
	*Layer
	Marked        bool // worth a look
	Low           bool
	Ratio         string
	Percent       float64 // the bar's length
	Noise         []segment
	Why           string
	Segments      []segment // shares of acc16 depths
	Fill, FillMax string
	FillOver      bool
	Before, After string
}

func (l *layerView) measured() bool { return l.SQNR != nil && !math.IsNaN(float64(*l.SQNR)) }

// Shape says what the layer computes.
func (l *layerView) Shape() string {
	text := fmt.Sprintf("%dx%d, %d→%d", l.Kernel, l.Kernel, l.In, l.Out)
	if l.Groups > 1 {
		text += fmt.Sprintf(", %d groups", l.Groups)
	}
	return text
}

// Tone is the style of a bar or a mark.
func (l *layerView) Tone() string {
	switch {
	case l.Low:
		return "low"
	case l.Marked:
		return "fair"
	}
	return ""
}

// Label is the layer's name, which may be broken at its dots.
func (l *layerView) Label() template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(l.Name), ".", ".<wbr>"))
}

// bounded is the ratio as drawn.
func (l *layerView) bounded() float64 { return min(max(float64(*l.SQNR), -shownRatio), shownRatio) }

// addLayers puts the layers into groups.
func (v *view) addLayers() []*layerView {
	var all []*layerView
	for i := range v.Layers {
		l := &layerView{Layer: &v.Layers[i], Ratio: decibel(v.Layers[i].SQNR)}
		all = append(all, l)
		stage, _, _ := strings.Cut(l.Name, ".")
		if n := len(v.Groups); n == 0 || v.Groups[n-1].Short != stage {
			v.Groups = append(v.Groups, group{Name: stageName(stage), Short: stage})
		}
		g := &v.Groups[len(v.Groups)-1]
		g.Layers = append(g.Layers, l)
	}
	return all
}

// Facts say how many layers there are, and the ratio of the weakest.
func (g group) Facts() string {
	text := cli.Plural(len(g.Layers), "layer")
	var weakest *layerView
	for _, l := range g.Layers {
		if l.measured() && (weakest == nil || *l.SQNR < *weakest.SQNR) {
			weakest = l
		}
	}
	if weakest != nil {
		text += ", the weakest " + weakest.Ratio
	}
	return text
}

// stageName gives "Stage 2" for stage2.
func stageName(s string) string {
	if n, ok := strings.CutPrefix(s, "stage"); ok {
		return "Stage " + n
	}
	if s == "" {
		return "Layers"
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// addRatios draws the layers' ratios, and marks and explains the worst.
func (v *view) addRatios(layers []*layerView) {
	var sorted []*layerView
	top := 1.0
	for _, l := range layers {
		if l.measured() {
			sorted = append(sorted, l)
			top = max(top, l.bounded())
		}
	}
	if v.Measured = len(sorted) > 0; !v.Measured {
		return
	}
	slices.SortStableFunc(sorted, func(a, b *layerView) int { return cmp.Compare(*a.SQNR, *b.SQNR) })
	for i, l := range sorted {
		l.Percent = max(0, 100*l.bounded()/top)
		l.Low = *l.SQNR < LowSQNR
		l.Marked = i < explained && !math.IsInf(float64(*l.SQNR), 1)
		l.Noise = noiseSegments(l.Layer)
	}
	for i := range v.Layers {
		if l := layers[i]; l.Marked {
			var try []suggestion
			l.Why, try = advice(v.Data, i)
			for _, a := range try {
				if !slices.Contains(v.Try, a) {
					v.Try = append(v.Try, a)
				}
			}
		}
	}
	for _, l := range sorted {
		if l.Marked {
			v.Worst = append(v.Worst, l)
		}
	}
	v.RatioWide = ratioPlot(v.Groups, layers, 960, "wide")
	v.RatioNarrow = ratioPlot(v.Groups, layers, 350, "narrow")
}

// noiseSegments shows a layer's noise by cause.
func noiseSegments(l *Layer) []segment {
	shares, ok := l.split()
	if !ok {
		return nil
	}
	var s []segment
	for c, share := range shares {
		s = append(s, segment{fmt.Sprintf("c%d", c), causeNames[c], fmt.Sprintf("%.0f%%", 100*share), 100 * share})
	}
	return s
}

// addHistograms draws the values: large for the stem and the worst layers, small for all others.
func (v *view) addHistograms(layers []*layerView) {
	for i := range v.Groups {
		g := &v.Groups[i]
		for _, l := range g.Layers {
			if l.Values == nil || l.Values.Count == 0 {
				continue
			}
			v.AnyHistogram = true
			if l.Marked || l == layers[0] {
				v.Large = append(v.Large, figure{l.Name, caption(l), histogram(l.Name, l.Values, 340, 190, false)})
			} else {
				g.Small = append(g.Small, figure{l.Name, "range " + number(l.Values.Range), histogram(l.Name, l.Values, 170, 84, true)})
			}
		}
	}
}

func caption(l *layerView) string {
	x := l.Values
	text := fmt.Sprintf("range %s of %s seen", number(x.Range), number(x.Max))
	if x.Clipped > 0 {
		text += ", " + tinyPercent(x.clipped()) + " clipped"
	}
	return text + fmt.Sprintf(", %.0f%% zeros", 100*float64(x.Zeros)/float64(x.Count))
}

// addSpread draws how unlike the channels' weights are.
func (v *view) addSpread(layers []*layerView) {
	for _, l := range layers {
		l.Before, l.After = spread(l.SpreadBefore), spread(l.Spread)
		v.AnySpread = v.AnySpread || l.Spread != nil
		v.Equalised = v.Equalised || l.SpreadBefore != nil
	}
	if v.AnySpread {
		v.SpreadWide = spreadPlot(v.Groups, layers, 960, "wide")
		v.SpreadNarrow = spreadPlot(v.Groups, layers, 350, "narrow")
	}
}

func spread(v *float64) string {
	if v == nil {
		return unknown
	}
	return fmt.Sprintf("%.1f", *v)
}
