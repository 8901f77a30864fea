package resnext

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CleanLabel returns a class's name as a Model returns it: what a terminal would obey instead of showing, and bytes
// that are no UTF-8, are replaced by U+FFFD. WriteFile refuses labels that need it; files of other makers may have them.
func CleanLabel(label string) string {
	return strings.Map(func(r rune) rune {
		if obeyed(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(label, string(utf8.RuneError)))
}

// obeyed reports whether r is an order to whoever shows it and no part of a text: a control character, the end of a
// line or paragraph, or one that turns the direction of the text around it.
func obeyed(r rune) bool {
	return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) ||
		r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// checkText wants a text that CleanLabel leaves as it is.
func checkText(what, text string) error {
	if CleanLabel(text) != text {
		return fmt.Errorf("%s is %q, expected a text without control characters", what, text)
	}
	return nil
}
