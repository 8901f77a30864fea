// Package terminal shows what the camera sees: a view that is redrawn in place for people, plain lines and JSON lines
// for programs.
package terminal

import (
	"os"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/libresnext/libresnext/internal/cli"
)

// Style is what a terminal can show.
type Style struct {
	Colour  bool // colours may be used
	Unicode bool // blocks and signs beyond ASCII may be used
}

// StyleOf reads the style from the environment: NO_COLOR, TERM and the locale.
func StyleOf(env func(string) string) Style {
	locale := env("LC_ALL")
	for _, name := range []string{"LC_CTYPE", "LANG"} {
		if locale == "" {
			locale = env(name)
		}
	}
	locale = strings.ReplaceAll(strings.ToLower(locale), "-", "")
	return Style{
		Colour:  env("NO_COLOR") == "" && env("TERM") != "dumb",
		Unicode: strings.Contains(locale, "utf8"),
	}
}

// Environment is the style of this program's terminal.
func Environment() Style { return StyleOf(os.Getenv) }

// colour is the number of an ANSI colour or attribute.
type colour string

const (
	bold   colour = "1"
	dim    colour = "2"
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
)

// paint gives text a colour where the style has any. Bold is not a colour.
func (s Style) paint(c colour, text string) string {
	if text == "" || !s.Colour && c != bold {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// sign chooses between a sign and what stands for it in ASCII.
func (s Style) sign(unicode, ascii string) string {
	if s.Unicode {
		return unicode
	}
	return ascii
}

// clean makes a stranger's text fit for the terminal.
func (s Style) clean(text string) string {
	text = cli.Printable(text)
	if s.Unicode {
		return text
	}
	return strings.Map(func(r rune) rune {
		if r > '~' {
			return '?'
		}
		return r
	}, text)
}

// cut shortens text to so many columns and marks that it did.
func (s Style) cut(text string, columns int) string {
	if uniseg.StringWidth(text) <= columns {
		return text
	}
	mark := s.sign("…", "~")
	var b strings.Builder
	for g := uniseg.NewGraphemes(text); g.Next(); {
		if columns -= g.Width(); columns < 1 {
			break
		}
		b.WriteString(g.Str())
	}
	return b.String() + mark
}

// pad fills text up to so many columns.
func pad(text string, columns int) string {
	return text + strings.Repeat(" ", max(0, columns-uniseg.StringWidth(text)))
}
