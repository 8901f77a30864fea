//go:build cgo

// Command other is a second Go library, with a runtime of its own, that lives beside libresnext in one process.
package main

import "C"

import "runtime"

// other_work keeps its runtime busy: memory, goroutines and the collector. It returns n.
//
//export other_work
func other_work(n C.int) C.int {
	sum := make(chan int)
	for range n {
		go func() { sum <- len(make([]byte, 1<<16)) >> 16 }()
	}
	total := 0
	for range n {
		total += <-sum
	}
	runtime.GC()
	return C.int(total)
}

func main() {}
