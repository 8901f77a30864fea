package main

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/resnext"
)

// status is a resnext_status.
type status int32

const (
	statusOK status = iota
	statusInvalid
	statusHandle
	statusIO
	statusModel
	statusKernels
	statusBusy
	statusFork
	statusMemory
	statusInternal
)

// failure is an error whose status is known.
type failure struct {
	status status
	text   string
}

func (f *failure) Error() string { return f.text }

func fail(s status, format string, args ...any) error {
	return &failure{s, fmt.Sprintf(format, args...)}
}

// openStatus gives the status of an error of opening a model.
func openStatus(err error) status {
	var path *fs.PathError
	switch {
	case errors.As(err, &path):
		return statusIO
	case errors.Is(err, asm.ErrKernels):
		return statusKernels
	case errors.Is(err, resnext.ErrMemoryLimit):
		return statusMemory
	}
	return statusModel
}

// run calls f and turns its error or panic into a status and words. Memory of the program's that turns out to be none
// would otherwise end the process without asking the program's own handler of SIGSEGV.
func run(f func() error) (s status, words string) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			s, words = ofPanic(p)
		}
	}()
	err := f()
	if err == nil {
		return statusOK, ""
	}
	s = statusInternal
	if known := (*failure)(nil); errors.As(err, &known) {
		s = known.status
	}
	return s, err.Error()
}

func ofPanic(p any) (status, string) {
	if fault, is := p.(interface{ Addr() uintptr }); is {
		return statusInvalid, fmt.Sprintf("the memory at %#x cannot be used: a wrong pointer or length, or a mapped file cut short?", fault.Addr())
	}
	return statusInternal, fmt.Sprintf("a bug in libresnext, please report it: %v", p)
}

// setText writes words into buffer as a C string: one line of printable UTF-8, cut where the buffer ends.
func setText(buffer []byte, words string) {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(words, "?"))
	n := 0
	for _, r := range clean {
		if n+utf8.RuneLen(r) >= len(buffer) {
			break
		}
		n += utf8.EncodeRune(buffer[n:], r)
	}
	buffer[n] = 0
}
