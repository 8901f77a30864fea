package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Table aligns columns with spaces. Columns begin two spaces apart.
type Table struct {
	// Right says which columns are right-aligned, as numbers are.
	Right []bool
	// Indent is put before each line.
	Indent string

	rows [][]string
}

// Row adds a line; cells are printed as fmt.Print does.
func (t *Table) Row(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = fmt.Sprint(c)
	}
	t.rows = append(t.rows, row)
}

// Print writes the lines.
func (t *Table) Print(w io.Writer) {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			line.WriteString(Pad(cell, widths[i], i < len(t.Right) && t.Right[i]))
		}
		fmt.Fprintln(w, t.Indent+strings.TrimRight(line.String(), " "))
	}
}

// Pad fills s with spaces up to width characters.
func Pad(s string, width int, right bool) string {
	fill := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
	if right {
		return fill + s
	}
	return s + fill
}
