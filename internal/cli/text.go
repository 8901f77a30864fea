package cli

import "github.com/libresnext/libresnext/internal/text"

// Printable replaces what a terminal or a reader of lines would not take as text, see [text.Printable].
func Printable(s string) string { return text.Printable(s) }

// Shorten cuts s to width characters, keeping its end, which tells file names apart.
func Shorten(s string, width int) string {
	runes := []rune(s)
	if len(runes) <= width {
		return s
	}
	return "…" + string(runes[len(runes)-width+1:])
}
