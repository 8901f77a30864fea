package report

import (
	"fmt"
	"slices"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant"
)

// shownCells is how many changed cells of the confusion matrix the page lists.
const shownCells = 24

// cellView is a changed cell in words.
type cellView struct {
	From, To, Float, Int8, Change string
	// Right is a cell of right answers, Better a change to the better.
	Right, Better bool
}

// imageView is a changed image in words.
type imageView struct {
	Name, Label string
	Thumbnail   Thumbnail
	// Right says which network is right.
	Right               string
	FloatBars, Int8Bars answerView
}

// answerView is what one network says about an image.
type answerView struct {
	Who  string
	Bars []bar
}

// bar is one probability.
type bar struct {
	Class   string
	Text    string
	Percent float64
	First   bool // the network's answer
}

// addAnswers words the changed answers.
func (v *view) addAnswers() {
	if v.Answers == nil {
		return
	}
	cells := slices.Clone(v.Answers.Cells)
	slices.SortStableFunc(cells, func(a, b Cell) int { return abs(b.Int8-b.Float) - abs(a.Int8-a.Float) })
	for _, c := range cells[:min(len(cells), shownCells)] {
		change := c.Int8 - c.Float
		right := c.From == c.To
		v.Cells = append(v.Cells, cellView{
			From: v.class(c.From), To: v.class(c.To), Float: fmt.Sprint(c.Float), Int8: fmt.Sprint(c.Int8),
			Change: signedCount(change), Right: right, Better: right == (change > 0),
		})
	}
	v.MoreCells = len(cells) - len(v.Cells)
	for _, p := range v.Answers.Images[:min(len(v.Answers.Images), MaxImages)] {
		v.Images = append(v.Images, v.image(p))
	}
}

func (v *view) image(p Image) imageView {
	classes := [2]string{v.class(p.FloatClass), v.class(p.Int8Class)}
	w := imageView{Name: cli.Printable(p.Name), Thumbnail: p.Thumbnail}
	w.FloatBars.Who, w.Int8Bars.Who = "float", "int8"
	for i := range 2 {
		w.FloatBars.Bars = append(w.FloatBars.Bars, newBar(classes[i], p.Float[i], i == 0))
		w.Int8Bars.Bars = append(w.Int8Bars.Bars, newBar(classes[i], p.Int8[i], i == 1))
	}
	if p.Label != quant.Unlabelled {
		w.Label = v.class(p.Label)
		switch p.Label {
		case p.FloatClass:
			w.Right = "float is right"
		case p.Int8Class:
			w.Right = "int8 is right"
		default:
			w.Right = "neither is right"
		}
	}
	return w
}

func newBar(class string, share float64, first bool) bar {
	return bar{class, fmt.Sprintf("%.1f%%", 100*share), min(100, max(0, 100*share)), first}
}

// class is a class's name.
func (v *view) class(i int) string {
	if i >= 0 && i < len(v.Labels) {
		return cli.Printable(v.Labels[i])
	}
	return fmt.Sprintf("class %d", i)
}

func abs(n int) int { return max(n, -n) }

func signedCount(n int) string {
	if n < 0 {
		return fmt.Sprintf("−%d", -n)
	}
	return fmt.Sprintf("+%d", n)
}
