package main

import (
	"fmt"
	"strings"

	"github.com/libresnext/libresnext/internal/cli"
)

// shellCommand is the tool's command line for a POSIX shell, each option on a line of its own.
func shellCommand(args []string) string {
	command := tool
	for _, a := range args {
		separator := " "
		if strings.HasPrefix(a, "-") {
			separator = " \\\n    "
		}
		command += separator + printableWord(a)
	}
	return command
}

// printableWord is shellWord in printable characters only: others are written as escapes, in the quotes $'...'
// of POSIX.1-2024.
func printableWord(s string) string {
	if cli.Printable(s) == s {
		return shellWord(s)
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c >= ' ' && c <= '~' && c != '\'' && c != '\\' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\%03o`, c)
		}
	}
	return "$'" + b.String() + "'"
}

// shellWord quotes a file name for a POSIX shell where that is needed.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-/+,:@%=", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
