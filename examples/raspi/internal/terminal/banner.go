package terminal

import (
	"image"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// The letters of a banner: a bitmap font, of which one character shows two pixels, one above the other.
var letters = basicfont.Face7x13

const (
	// bannerTop and bannerBottom are the font's rows of pixels in use: from the ascenders to the descenders.
	bannerTop, bannerBottom = 1, 13
	bannerRows              = (bannerBottom - bannerTop) / 2
)

// banner writes text in large letters of half blocks, each line of text in bannerRows rows. Lines are broken at blanks.
// It returns nil if the text does not fit, or has letters that the font lacks.
func banner(text string, columns, rows int) []string {
	var out []string
	for _, line := range wrap(strings.Fields(text), columns/letters.Advance) {
		if len(line)*letters.Advance > columns || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
			return nil
		}
		out = append(out, bannerLine(line)...)
	}
	if len(out) > rows {
		return nil
	}
	return out
}

func bannerLine(text string) []string {
	m := image.NewAlpha(image.Rect(0, 0, len(text)*letters.Advance, bannerBottom))
	d := font.Drawer{Dst: m, Src: image.Opaque, Face: letters, Dot: fixed.P(0, letters.Ascent)}
	d.DrawString(text)
	blocks := [4]string{" ", "▀", "▄", "█"}
	out := make([]string, 0, bannerRows)
	for y := bannerTop; y < bannerBottom; y += 2 {
		var row strings.Builder
		for x := range m.Rect.Dx() {
			upper, lower := m.AlphaAt(x, y).A>>7, m.AlphaAt(x, y+1).A>>7
			row.WriteString(blocks[upper+2*lower])
		}
		out = append(out, strings.TrimRight(row.String(), " "))
	}
	return out
}

// wrap joins words to lines of so many characters, or more where one word is longer.
func wrap(words []string, most int) []string {
	var lines []string
	for _, w := range words {
		if n := len(lines); n > 0 && len(lines[n-1])+1+len(w) <= most {
			lines[n-1] += " " + w
		} else {
			lines = append(lines, w)
		}
	}
	return lines
}
