package report

import (
	"fmt"
	"html/template"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// histogram draws magnitudes, their counts on a logarithmic scale, with the chosen range. A small one has no
// scale but the largest magnitude.
func histogram(name string, v *Values, width, height float64, small bool) template.HTML {
	p := newPlot()
	top := 0.0
	for _, n := range v.Bins {
		top = max(top, level(n))
	}
	p.X.Min, p.X.Max = 0, max(v.Max, v.Range, math.SmallestNonzeroFloat32)
	p.Y.Min, p.Y.Max = 0, max(1, top*1.05)
	p.X.Tick.Marker, p.Y.Tick.Marker = roundTicks{0, p.X.Max, 5}, powers{}
	if small {
		p.X.Tick.Marker, p.Y.Tick.Marker = ends{p.X.Max}, plot.ConstantTicks(nil)
	} else {
		p.X.Label.Text, p.Y.Label.Text = "magnitude", "values"
	}
	p.Add(plotter(func(c *draw.Canvas, x, y func(float64) vg.Length) {
		bars(c, v, p.X.Max, x, y)
		at := x(v.Range)
		line(c, inkMark, vg.Point{X: at, Y: c.Min.Y}, vg.Point{X: at, Y: c.Max.Y})
	}))
	title := fmt.Sprintf("%s: histogram of magnitudes up to %s, range %s", name, number(v.Max), number(v.Range))
	return drawing(p, width, height, "plot", title)
}

// bars fills one shape for what is kept and one for what is clipped.
func bars(c *draw.Canvas, v *Values, end float64, x, y func(float64) vg.Length) {
	for _, part := range []struct {
		ink      ink
		from, to float64
	}{{inkGood, 0, v.Range}, {inkLow, v.Range, end}} {
		var p vg.Path
		for i, n := range v.Bins {
			lo, hi := max(part.from, float64(i)*v.Width), min(part.to, float64(i+1)*v.Width, end)
			if lo >= hi {
				continue
			}
			if p == nil {
				p.Move(vg.Point{X: x(lo), Y: y(0)})
			}
			p.Line(vg.Point{X: x(lo), Y: y(level(n))})
			p.Line(vg.Point{X: x(hi), Y: y(level(n))})
		}
		if p != nil {
			p.Line(vg.Point{X: p[len(p)-1].Pos.X, Y: y(0)})
			p.Close()
			c.SetColor(part.ink)
			c.Fill(p)
		}
	}
}

// level is a count's height: 0 for none, 1 for one, then one more for each power of ten.
func level(n int64) float64 {
	if n < 1 {
		return 0
	}
	return 1 + math.Log10(float64(n))
}

// powers are the ticks of level.
type powers struct{}

func (powers) Ticks(_, top float64) []plot.Tick {
	names := []string{"1", "10", "100", "1 k", "10 k", "100 k", "1 M", "10 M", "100 M", "1 G", "10 G", "100 G", "1 T"}
	step := 1 + int(top)/4
	var ticks []plot.Tick
	for i := 0; i < len(names) && float64(i+1) <= top; i += step {
		ticks = append(ticks, plot.Tick{Value: float64(i + 1), Label: names[i]})
	}
	return ticks
}

// ends labels the two ends of an axis that begins at 0.
type ends struct{ end float64 }

func (e ends) Ticks(_, _ float64) []plot.Tick {
	return []plot.Tick{{Value: 0, Label: "0"}, {Value: e.end, Label: number(e.end)}}
}

// roundTicks are about n round numbers.
type roundTicks struct {
	lo, hi float64
	n      int
}

func (r roundTicks) Ticks(_, _ float64) []plot.Tick {
	step := roundStep((r.hi - r.lo) / float64(r.n))
	var ticks []plot.Tick
	for i := math.Ceil(r.lo / step); i*step <= r.hi && len(ticks) < 4*r.n; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: strconv.FormatFloat(i*step, 'g', 6, 64)})
	}
	return ticks
}

// roundStep is the least of 1, 2 and 5 times a power of ten that is not below v.
func roundStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= v {
			return m * power
		}
	}
	return 10 * power
}

// depth is a plot of one number for each layer, in the order in which they run, over a band for each other
// stage. width decides how many names of stages fit.
func depth(groups []group, layers int, bottom, top, width float64) *plot.Plot {
	p := newPlot()
	p.X.Min, p.X.Max = -0.5, float64(layers)-0.5
	p.Y.Min, p.Y.Max = bottom, top
	var names []plot.Tick
	first := 0
	for _, g := range groups {
		n := len(g.Layers)
		if float64(n)/float64(layers)*width > float64(len(g.Short)*7) {
			names = append(names, plot.Tick{Value: float64(first) + float64(n-1)/2, Label: g.Short})
		}
		first += n
	}
	p.X.Tick.Marker = plot.ConstantTicks(names)
	p.X.Tick.Width = 0
	p.Add(plotter(func(c *draw.Canvas, x, y func(float64) vg.Length) {
		first := 0
		for i, g := range groups {
			next := first + len(g.Layers)
			if i%2 == 1 {
				box(c, inkBand, x(float64(first)-0.5), c.Min.Y, x(float64(next)-0.5), c.Max.Y)
			}
			first = next
		}
	}))
	return p
}

// tones are the colours of a layer's tone.
var tones = map[string]ink{"": inkGood, "fair": inkFair, "low": inkLow}

// ratioPlot draws the SQNR along the network.
func ratioPlot(groups []group, layers []*layerView, width float64, class string) template.HTML {
	top, bottom := 0.0, 0.0
	for _, l := range layers {
		if l.measured() {
			top, bottom = max(top, l.bounded()), min(bottom, l.bounded())
		}
	}
	top = math.Ceil(max(top, LowSQNR+1)/10) * 10
	p := depth(groups, len(layers), math.Floor(bottom/10)*10, top, width)
	p.Y.Tick.Marker = roundTicks{p.Y.Min, top, 4}
	p.Y.Label.Text = "SQNR, dB"
	p.Add(plotter(func(c *draw.Canvas, x, y func(float64) vg.Length) {
		line(c, inkMark, vg.Point{X: c.Min.X, Y: y(LowSQNR)}, vg.Point{X: c.Max.X, Y: y(LowSQNR)})
		var points []vg.Point
		for i, l := range layers {
			if l.measured() {
				points = append(points, vg.Point{X: x(float64(i)), Y: y(l.bounded())})
			}
		}
		if len(points) > 1 {
			line(c, inkPale, points...)
		}
		for _, marked := range []bool{false, true} {
			for i, l := range layers {
				if l.measured() && l.Marked == marked {
					dot(c, tones[l.Tone()], x(float64(i)), y(l.bounded()), marked, x(1)-x(0))
				}
			}
		}
	}))
	return drawing(p, width, 230, "plot "+class, "SQNR of each layer's output along the network")
}

// spreadPlot draws the spread of weight ranges along the network.
func spreadPlot(groups []group, layers []*layerView, width float64, class string) template.HTML {
	top := 2.0
	for _, l := range layers {
		for _, v := range []*float64{l.SpreadBefore, l.Spread} {
			if v != nil {
				top = max(top, *v)
			}
		}
	}
	p := depth(groups, len(layers), 1, top*1.1, width)
	p.Y.Scale = plot.LogScale{}
	p.Y.Tick.Marker = ratios{}
	p.Y.Label.Text = "largest / median range"
	p.Add(plotter(func(c *draw.Canvas, x, y func(float64) vg.Length) {
		at := func(i int, v *float64) vg.Point { return vg.Point{X: x(float64(i)), Y: y(max(1, *v))} }
		for i, l := range layers {
			if l.SpreadBefore != nil && l.Spread != nil {
				line(c, inkPale, at(i, l.SpreadBefore), at(i, l.Spread))
			}
		}
		for i, l := range layers {
			if l.SpreadBefore != nil {
				a := at(i, l.SpreadBefore)
				dot(c, inkFair, a.X, a.Y, true, 0)
			}
		}
		for i, l := range layers {
			if l.Spread != nil {
				a := at(i, l.Spread)
				dot(c, inkGood, a.X, a.Y, false, x(1)-x(0))
			}
		}
	}))
	return drawing(p, width, 210, "plot "+class, "Spread of the weights' ranges along the network")
}

// ratios are the ticks of a logarithmic axis that begins at 1.
type ratios struct{}

func (ratios) Ticks(_, top float64) []plot.Tick {
	var ticks []plot.Tick
	if top < 5 {
		return roundTicks{1, top, 6}.Ticks(1, top)
	}
	for power := 1.0; power <= top; power *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if m*power <= top && (top < 200 || m == 1) {
				ticks = append(ticks, plot.Tick{Value: m * power, Label: strconv.FormatFloat(m*power, 'g', 3, 64)})
			}
		}
	}
	return ticks
}
