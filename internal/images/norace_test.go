//go:build !race

package images

// raceFactor: see race_test.go.
const raceFactor = 1
