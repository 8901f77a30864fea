package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/libresnext/libresnext/quant"
)

// tinyPercent gives shares that may be very small.
func tinyPercent(share float64) string {
	if share > 0 && share < 0.00001 {
		return "under 0.001%"
	}
	return fmt.Sprintf("%.3f%%", 100*share)
}

func decibel(d *quant.Decibel) string {
	switch {
	case d == nil || math.IsNaN(float64(*d)):
		return unknown
	case math.IsInf(float64(*d), 1):
		return "exact"
	}
	return strings.Replace(d.String(), "-", "−", 1)
}

// number gives three significant digits.
func number(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }

// together keeps a number and its unit on one line.
func together(s string) string { return strings.ReplaceAll(s, " ", "\u00a0") }

// signed gives two decimals with a sign and a true minus.
func signed(v float64) string {
	if v = math.Round(v*100) / 100; v == 0 {
		return "±0.00"
	}
	return strings.Replace(fmt.Sprintf("%+.2f", v), "-", "−", 1)
}
