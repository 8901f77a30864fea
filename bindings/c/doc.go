// Command c is what libresnext.so and libresnext.a are made of: the int8 inference of package resnext behind the C
// interface of resnext.h. `make lib` builds it; README.md has the traps of a Go library in a C program and how they are
// dealt with.
//
// A call goes through two layers:
//
//	C         before Go is entered: null pointers and sizes, fork, the thread's signals and floating-point
//	          environment, starting the Go runtime at the first call; afterwards: the error's words for this thread,
//	          log messages
//	export.go the calls as C sees them: they turn C arguments into Go's, errors and panics into statuses
//
// behind which everything is plain Go: the table of handles, models and sessions, and pictures in C memory. Without cgo
// the package builds to a program that does nothing.
package main

// main is demanded of a package that becomes a C library, and never called.
func main() {}
