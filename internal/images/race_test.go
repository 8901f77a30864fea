//go:build race

package images

// raceFactor is how many times as much a decoder may allocate as it does otherwise: under the race detector the compiler
// makes the memory that append only copies from.
const raceFactor = 2
