package main

import (
	"fmt"
	"io"
	"math"

	"github.com/libresnext/libresnext/internal/cli"
)

// table is what came out.
type table struct {
	Weights  string   `json:"weights"`
	Pictures string   `json:"pictures"`
	Classes  int      `json:"classes"`
	Results  []result `json:"results"`

	float  []float32 // the float network's logits, [images][classes]
	labels []int
}

// result is one quantiser's.
type result struct {
	Runtime string  `json:"runtime"`
	Method  string  `json:"method"`
	Seconds float64 `json:"seconds"`
	// Top1 is the share of labelled images that are right; nil without labels.
	Top1 *float64 `json:"top1,omitempty"`
	// Equal is the share of images with the float network's answer, SQNR the power of the float logits over that of
	// the difference in dB; 999 for equal logits.
	Equal float64 `json:"equal"`
	SQNR  float64 `json:"sqnr_db"`
	File  string  `json:"file,omitempty"`
	Error string  `json:"error,omitempty"`
}

const identical = 999

// add measures a quantiser's logits.
func (t *table) add(r result, logits []float32) {
	var signal, noise float64
	for i, want := range t.float {
		d := float64(want) - float64(logits[i])
		signal += float64(want) * float64(want)
		noise += d * d
	}
	r.SQNR = identical
	if noise > 0 {
		r.SQNR = 10 * math.Log10(signal/noise)
	}
	n := len(t.float) / t.Classes
	equal, right := 0, 0
	for i := range n {
		answer := largest(logits[i*t.Classes:][:t.Classes])
		if answer == largest(t.float[i*t.Classes:][:t.Classes]) {
			equal++
		}
		if t.labels != nil && answer == t.labels[i] {
			right++
		}
	}
	r.Equal = float64(equal) / float64(n)
	if t.labels != nil {
		top1 := float64(right) / float64(n)
		r.Top1 = &top1
	}
	t.Results = append(t.Results, r)
}

func largest(v []float32) int {
	best := 0
	for i, x := range v {
		if x > v[best] {
			best = i
		}
	}
	return best
}

func (t *table) print(w io.Writer) {
	fmt.Fprintf(w, "network   %s\nimages    %s\n\n", t.Weights, t.Pictures)
	rows := cli.Table{Right: []bool{false, false, true, true, true, true}}
	rows.Row("runtime", "method", "top-1", "float's answer", "SQNR dB", "seconds")
	for _, r := range t.Results {
		if r.Error != "" {
			rows.Row(r.Runtime, r.Method, "failed:", r.Error)
			continue
		}
		top1, sqnr, seconds := "-", "-", "-"
		if r.Top1 != nil {
			top1 = fmt.Sprintf("%.2f%%", 100**r.Top1)
		}
		if r.SQNR < identical {
			sqnr = fmt.Sprintf("%.1f", r.SQNR)
		}
		if r.Seconds > 0 {
			seconds = fmt.Sprintf("%.1f", r.Seconds)
		}
		rows.Row(r.Runtime, r.Method, top1, fmt.Sprintf("%.2f%%", 100*r.Equal), sqnr, seconds)
	}
	rows.Print(w)
}
