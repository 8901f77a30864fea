package terminal

import (
	"fmt"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/libresnext/libresnext/examples/raspi/internal/live"
	"github.com/libresnext/libresnext/internal/cli"
)

// The least sizes that a view is drawn for; smaller terminals show a part of it.
const minColumns, minRows = 20, 3

// picture is everything that a view shows.
type picture struct {
	about   live.About
	update  *live.Update // nil before the first
	message string       // the last message for people
}

// render draws the view: at most rows lines, none of them wider than columns. What matters most comes first, so that a
// small terminal loses the rest.
func (s Style) render(p picture, columns, rows int) []string {
	columns, rows = max(columns, minColumns), max(rows, minRows)
	if p.update == nil {
		waiting := []string{"", " " + s.paint(bold, s.cut("waiting for the first picture", columns-2)), ""}
		return append(waiting, s.foot(p, columns-2, rows-len(waiting))...)
	}
	bars := s.bars(p.update, columns-2)
	foot := s.foot(p, columns-2, max(0, rows-3))
	title := s.title(p.update.Shown, columns-2, rows-len(bars)-len(foot)-3)
	lines := append([]string{""}, title...)
	lines = append(append(lines, ""), bars...)
	lines = append(append(lines, ""), foot...)
	if over := len(lines) - rows; over > 0 { // too low: the blank lines go, then the end
		lines = lines[1:min(len(lines), rows+1)]
	}
	return lines
}

// title is the shown class, in large letters where they fit.
func (s Style) title(g live.Guess, columns, rows int) []string {
	name := s.clean(g.Label)
	c := certainty(g.Probability)
	first, _, _ := strings.Cut(name, ",") // of "tabby, tabby cat"
	var lines []string
	if s.Unicode {
		lines = banner(first, columns, rows)
	}
	if lines == nil {
		return []string{" " + s.paint(bold, s.paint(c, s.cut(name, columns)))}
	}
	for i, l := range lines {
		lines[i] = " " + s.paint(c, l)
	}
	return lines
}

// certainty is a probability's colour.
func certainty(p float64) colour {
	switch {
	case p >= 0.6:
		return green
	case p >= 0.3:
		return yellow
	}
	return red
}

// bars shows the probabilities.
func (s Style) bars(u *live.Update, columns int) []string {
	const percent = 5 // "100 %"
	widest := 0
	for _, g := range u.Top {
		widest = max(widest, uniseg.StringWidth(s.clean(g.Label)))
	}
	label := min(widest, max(columns/2-percent, 8))
	room := min(columns-label-percent-2, 50)
	var lines []string
	for _, g := range u.Top {
		name := pad(s.cut(s.clean(g.Label), label), label)
		c := certainty(g.Probability)
		if g.Class != u.Shown.Class {
			c = dim
		} else {
			name = s.paint(bold, name)
		}
		lines = append(lines, fmt.Sprintf(" %s %s %s", name, s.paint(c, s.bar(g.Probability, room)), fmt.Sprintf("%3.0f %%", 100*g.Probability)))
	}
	return lines
}

// bar is a probability as a length, to half a column.
func (s Style) bar(p float64, room int) string {
	halves := int(p*float64(2*room) + 0.5)
	text := strings.Repeat(s.sign("█", "#"), halves/2)
	if halves%2 == 1 {
		text += s.sign("▌", "=")
	}
	return pad(text, room)
}

// foot tells how it runs, in at most rows lines.
func (s Style) foot(p picture, columns, rows int) []string {
	var lines []string
	if p.message != "" {
		lines = append(lines, s.paint(yellow, s.cut(s.clean(p.message), columns)))
	}
	if p.update != nil {
		lines = append(lines, s.flow(s.speed(p.update), columns)...)
		lines = append(lines, s.flow(s.board(p.update.Board), columns)...)
	}
	a := p.about
	about := []string{a.Model, a.Network, a.Kernels, cli.Plural(a.Threads, "thread"), a.Source, a.Board}
	for i, text := range about {
		about[i] = s.clean(text)
	}
	for _, l := range s.flow(about, columns) {
		lines = append(lines, s.paint(dim, l))
	}
	lines = lines[:min(len(lines), rows)]
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	return lines
}

func (s Style) speed(u *live.Update) []string {
	items := []string{
		fmt.Sprintf("%.1f frames/s", u.FramesPerSecond), fmt.Sprintf("%.0f ms network", u.InferMS), fmt.Sprintf("%.0f ms delay", u.TotalMS),
		fmt.Sprintf("camera %.1f/s", u.CameraFPS), fmt.Sprintf("%d dropped", u.Dropped),
	}
	if u.Damaged > 0 {
		items = append(items, s.paint(yellow, fmt.Sprintf("%d damaged", u.Damaged)))
	}
	return items
}

// board tells the computer's state; nothing where it tells nothing.
func (s Style) board(b live.Board) []string {
	var items []string
	if b.TemperatureC != nil {
		items = append(items, fmt.Sprintf("%.0f %s", *b.TemperatureC, s.sign("°C", "C")))
	}
	for _, t := range b.Throttled {
		items = append(items, s.paint(red, t))
	}
	if len(b.Throttled) == 0 && len(b.ThrottledBefore) > 0 {
		items = append(items, s.paint(yellow, "earlier: "+strings.Join(b.ThrottledBefore, ", ")))
	}
	if b.Slowed {
		items = append(items, s.paint(yellow, "slowed down to cool"))
	}
	return items
}

// flow puts items beside each other and breaks lines between them.
func (s Style) flow(items []string, columns int) []string {
	var lines []string
	width := 0
	for _, item := range items {
		if item == "" {
			continue
		}
		w := visibleWidth(item)
		if w > columns {
			item, w = s.cut(strip(item), columns), columns
		}
		if n := len(lines); n > 0 && width+3+w <= columns {
			lines[n-1] += s.sign(" · ", " | ") + item
			width += 3 + w
		} else {
			lines = append(lines, item)
			width = w
		}
	}
	return lines
}

// visibleWidth is the width of painted text.
func visibleWidth(text string) int { return uniseg.StringWidth(strip(text)) }

// strip takes the paint off.
func strip(text string) string {
	var b strings.Builder
	for {
		plain, rest, painted := strings.Cut(text, "\x1b[")
		b.WriteString(plain)
		if !painted {
			return b.String()
		}
		_, text, _ = strings.Cut(rest, "m")
	}
}
