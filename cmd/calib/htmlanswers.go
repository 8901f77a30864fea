package main

import (
	"cmp"
	"math"
	"slices"

	page "github.com/libresnext/libresnext/cmd/calib/report"
	"github.com/libresnext/libresnext/quant"
	"github.com/libresnext/libresnext/resnext"
)

// answerLog remembers where the two networks disagree. Its size depends on how often they do.
type answerLog struct {
	labelled, close, lost, won int
	changed                    []changedAnswer
	// confusion counts labelled images by class and answer, moves the others by the two answers.
	confusion map[[2]int]*page.Cell
	moves     map[[2]int]*page.Cell
}

// changedAnswer is an image and the answers, without what takes space.
type changedAnswer struct {
	index int
	page.Image
}

// answerLog gives the callback of quant.Compare; nil if there will be no page.
func (w *work) answerLog() func(quant.Answer) {
	if w.settings.report == "" {
		return nil
	}
	w.answers = &answerLog{confusion: map[[2]int]*page.Cell{}, moves: map[[2]int]*page.Cell{}}
	return w.answers.add
}

func (a *answerLog) add(x quant.Answer) {
	float, int8 := quant.Top(x.Float), quant.Top(x.Int8)
	if x.Label != quant.Unlabelled {
		a.labelled++
		cell(a.confusion, x.Label, float).Float++
		cell(a.confusion, x.Label, int8).Int8++
	}
	if float == int8 {
		return
	}
	cell(a.moves, float, int8).Int8++
	switch x.Label {
	case float:
		a.lost++
	case int8:
		a.won++
	}
	p, q := softmax(x.Float), softmax(x.Int8)
	c := changedAnswer{x.Image, page.Image{
		Label: x.Label, FloatClass: float, Int8Class: int8,
		Float: [2]float64{p(float), p(int8)}, Int8: [2]float64{q(float), q(int8)},
	}}
	if lead(c) < page.CloseMargin {
		a.close++
	}
	a.changed = append(a.changed, c)
}

func cell(m map[[2]int]*page.Cell, from, to int) *page.Cell {
	key := [2]int{from, to}
	if m[key] == nil {
		m[key] = &page.Cell{From: from, To: to}
	}
	return m[key]
}

// softmax gives the probability of a class.
func softmax(logits []float32) func(class int) float64 {
	top, sum := float64(slices.Max(logits)), 0.0
	for _, v := range logits {
		sum += math.Exp(float64(v) - top)
	}
	return func(class int) float64 { return math.Exp(float64(logits[class])-top) / sum }
}

// lead is how much surer the float network was of its answer than of int8's.
func lead(c changedAnswer) float64 { return c.Float[0] - c.Float[1] }

// details adds names and images, which it loads once more.
func (a *answerLog) details(from imageSource, cfg resnext.Config) (*page.Answers, error) {
	d := &page.Answers{Changed: len(a.changed), CloseCalls: a.close, Lost: a.lost, Won: a.won, Cells: changedCells(a.confusion)}
	if a.labelled == 0 {
		d.Cells = changedCells(a.moves)
	}
	sorted := slices.Clone(a.changed)
	slices.SortStableFunc(sorted, func(x, y changedAnswer) int { return cmp.Compare(lead(y), lead(x)) })
	for _, c := range sorted[:min(len(sorted), page.MaxImages)] {
		rgb, _, err := from.load(c.index)
		if err != nil {
			return nil, err
		}
		if c.Thumbnail, err = page.NewThumbnail(rgb, cfg.Width, cfg.Height); err != nil {
			return nil, err
		}
		c.Name = from.name(c.index)
		d.Images = append(d.Images, c.Image)
	}
	return d, nil
}

// changedCells are those that differ, in the order of the classes.
func changedCells(m map[[2]int]*page.Cell) []page.Cell {
	var cells []page.Cell
	for _, c := range m {
		if c.Float != c.Int8 {
			cells = append(cells, *c)
		}
	}
	slices.SortFunc(cells, func(x, y page.Cell) int { return cmp.Or(x.From-y.From, x.To-y.To) })
	return cells
}
