// Package text makes text of strangers fit to be printed: names of files, labels, whatever an error quotes.
package text

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable replaces what a terminal or a reader of lines would not take as text (control characters, bytes
// that are no UTF-8) by escapes such as \n and \x1b. File names and labels come from strangers.
func Printable(s string) string {
	return escape(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// PrintableLines is Printable but for line ends.
func PrintableLines(s string) string {
	return escape(s, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' })
}

func escape(s string, bad func(rune) bool) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, bad) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 || bad(r) {
			quoted := strconv.Quote(s[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}
