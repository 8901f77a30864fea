// Package topology says what networks of the family are, and lowers each to the one list of steps that everybody else
// follows: the runtime, the float network, calibration, import and export, inspection and benchmarks.
//
// A Config is a network as people and model files say it. Lower turns it into a Program: straight-line steps on numbered
// maps. Only the table of kinds (kinds.go) knows what a block is.
//
// The package imports nothing of the rest. All its values are plain and safe for concurrent use as long as nobody
// changes them.
package topology
