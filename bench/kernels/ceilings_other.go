//go:build !amd64

package main

// ceilings: none is known how to measure on this architecture.
func ceilings() []*benchCase { return nil }
