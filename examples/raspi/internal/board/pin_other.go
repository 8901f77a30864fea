//go:build !linux

package board

import "errors"

// Pin keeps the whole program to the given CPUs, on Linux.
func Pin([]int) error { return errors.New("CPUs can be chosen on Linux only") }

// Elsewhere calls start.
func Elsewhere(start func() error) error { return start() }
