//go:build !amd64

package asm

// sgemmKernels lists the one kernel there is.
func sgemmKernels() map[string]func() func() {
	return map[string]func() func(){"go": func() func() { return func() {} }}
}
