package report

import (
	"fmt"
	"strings"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant"
)

// row is a line of the summary: the same thing of both networks.
type row struct{ Name, Float, Int8, Change string }

// summaryRows are the lines of the summary's table.
func summaryRows(d *Data) []row {
	s := d.Summary
	rows := []row{
		share("top-1", s.Float.Top1, s.Int8.Top1),
		share("top-5", s.Float.Top5, s.Int8.Top5),
	}
	size := row{"size", unknown, unknown, ""}
	if s.Float.Bytes > 0 && s.Int8.Bytes > 0 {
		size = row{"size", together(cli.Bytes(s.Float.Bytes)), together(cli.Bytes(s.Int8.Bytes)), cli.Times(float64(s.Float.Bytes), float64(s.Int8.Bytes), "smaller", "larger")}
	}
	speed := row{"time per image", unknown, unknown, ""}
	if f, i := s.Float.Milliseconds, s.Int8.Milliseconds; f != nil && i != nil && *i > 0 && *f > 0 {
		speed = row{speed.Name, fmt.Sprintf("%.2f\u00a0ms", *f), fmt.Sprintf("%.2f\u00a0ms", *i), cli.Times(*f, *i, "faster", "slower")}
	}
	return append(rows, size, speed)
}

func share(name string, float, int8 *float64) row {
	if float == nil || int8 == nil {
		return row{name, unknown, unknown, ""}
	}
	return row{name, cli.Percent(*float), cli.Percent(*int8), fmt.Sprintf("%s points", signed(100*(*int8-*float)))}
}

// Agreement is the share of equal answers in words.
func (v *view) Agreement() string {
	if v.Summary.Agreement == nil {
		return unknown
	}
	return cli.Percent(*v.Summary.Agreement)
}

// Fine reports whether nothing needs to be tried.
func (v *view) Fine() bool { return v.Verdict.Grade == "good" || v.Network.Random }

// Logits is the logits' ratio in words.
func (v *view) Logits() string { return decibel(v.Summary.SQNR) }

// AccuracyChange is the change of top-1 in points.
func (v *view) AccuracyChange() string {
	if d := v.Summary.accuracyLoss(); d != nil {
		return signed(-100 * *d)
	}
	return unknown
}

// Facts say which network it is.
func (v *view) Facts() string {
	n := v.Network
	return fmt.Sprintf("%s parameters, %s multiply-accumulates, %dx%d pixels, %s",
		cli.Count(n.Parameters), cli.Count(n.MACs), n.Width, n.Height, cli.Plural(n.Classes, "class"))
}

// Techniques are those that made the int8 network, in words.
func (v *view) Techniques() string {
	names := make([]string, len(v.Choices.Techniques))
	for i, t := range v.Choices.Techniques {
		names[i] = string(t)
		if t == quant.Absorption {
			names[i] += fmt.Sprintf(" (of %s)", cli.Plural(v.Choices.Absorbed, "channel"))
		}
	}
	if len(names) == 0 {
		return "none: each layer on its own"
	}
	return strings.Join(names, ", ")
}

// Changed is how many answers changed.
func (v *view) Changed() string {
	if v.Answers == nil {
		return unknown
	}
	return fmt.Sprint(v.Answers.Changed)
}

// Seconds is how long the run took.
func (v *view) Seconds() string { return fmt.Sprintf("%.0f s", v.Run.Seconds) }
