package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// IsTerminal reports whether a person may be reading w.
func IsTerminal(w io.Writer) bool {
	if o, ok := w.(*output); ok {
		w = o.w
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
