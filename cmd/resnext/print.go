package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/libresnext/libresnext/internal/cli"
)

// widestName bounds the column of images on a terminal.
const widestName = 36

// newPrinter chooses how predictions are printed; see aboutClassify.
func newPrinter(w io.Writer, asJSON bool, all []imageInput) func(classification) error {
	switch {
	case asJSON:
		encoder := jsonEncoder(w)
		return func(c classification) error { return encoder.Encode(c) }
	case cli.IsTerminal(w):
		width := nameWidth(all)
		if len(all) > 0 {
			fmt.Fprintln(w, cli.Pad("image", width, false)+"  rank  probability  class  label")
		}
		return func(c classification) error { return printAligned(w, c, width) }
	}
	return func(c classification) error { return printTabs(w, c) }
}

// jsonEncoder writes text as it is: labels are not meant for web pages.
func jsonEncoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}

func nameWidth(all []imageInput) int {
	width := len("image")
	for _, p := range all {
		for i := range p.count() {
			width = max(width, utf8.RuneCountInString(cli.Printable(p.name(i))))
		}
	}
	return min(width, widestName)
}

func printAligned(w io.Writer, c classification, width int) error {
	name := cli.Pad(cli.Shorten(cli.Printable(c.Image), width), width, false)
	var b strings.Builder
	for i, p := range c.Predictions {
		fmt.Fprintf(&b, "%s  %4d  %11.4f  %5d  %s\n", name, i+1, p.Probability, p.Class, cli.Printable(p.Label))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func printTabs(w io.Writer, c classification) error {
	var b strings.Builder
	for i, p := range c.Predictions {
		fmt.Fprintf(&b, "%s\t%d\t%.4f\t%d\t%s\n", cli.Printable(c.Image), i+1, p.Probability, p.Class, cli.Printable(p.Label))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// milliseconds gives a duration to the microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Round(time.Microsecond)) / 1e6 }
