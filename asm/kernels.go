// Package asm holds the micro-kernels: hand-written assembly per instruction set, the pure Go kernel that
// each must equal to the bit, and the table that picks a set for the CPU it runs on.
//
// It knows nothing of networks or tensors. A kernel gets pointers, steps and counts in an argument struct,
// reads and writes only what they name, keeps no state and may run on any number of threads.
//
// Arithmetic: products of 8-bit integers are summed exactly in int32, converted to float32, multiplied,
// optionally added to the residual's product, rounded to nearest even and clamped; no fused multiply-add.
// Every set gives the same bytes.
package asm

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
)

// Kernels is one set of kernels, all for the same instruction set. Sets are immutable.
type Kernels struct {
	// Name is what RESNEXT_KERNELS and Select take: "generic", "avx2", "neon", ...
	Name string
	// runs tells that this CPU has the instructions.
	runs bool
	// Offset is xored onto every unsigned 8-bit activation in memory: 0, or 0x80 where the multiplier
	// wants signed bytes, which then hold q-128. Signed activations (Mode Signed) are always held as
	// they are.
	Offset byte
	// KB and Widths give the packing of IGEMM's weights: KB consecutive k of a channel lie side by side,
	// and a panel has one of Widths channels (descending; the last is 8 or 4).
	KB     int
	Widths []int
	// Chains lists, ascending, the chain lengths in steps of Lanes that the kernels can use when they are
	// proved; each is a multiple of the one before. It is empty where int16 sums need no proof.
	Chains []int
	Lanes  Lanes
	IGEMM  func(*IGEMMArgs)
	Group4 GroupKernel
	Group8 GroupKernel

	MaxPool func(*MaxPoolArgs)
	Sum     func(*SumArgs)
	Linear  func(*LinearArgs)
}

// Lanes tells which products of an output channel meet in an int16 lane while a chain of them is summed up:
// Count lanes take turns, each for Width consecutive k. A chain is a number of steps, in each of which every
// lane gets two products; k is the channel's order in the packed weights.
type Lanes struct{ Count, Width int }

// Quads are the lanes of VPMADDUBSW: of four consecutive k two meet in one lane, two in the other.
var Quads = Lanes{Count: 2, Width: 2}

// Step is how many consecutive k a step has.
func (l Lanes) Step() int { return 2 * l.Count }

// Of is the lane of the chain's k-th product.
func (l Lanes) Of(k int) int { return k / l.Width % l.Count }

// GroupKernel is a direct grouped 3x3 kernel.
type GroupKernel struct {
	// Lanes is the number of output channels (and input channels: whole groups) of a panel.
	Lanes int
	// ByLane tells the order of a panel's weights. With width channels a group, output channel
	// c = g*width+o and input channel i of the group:
	//	false: [9 taps][width/4 quads][Lanes c][4 i]
	//	true:  [9 taps][width o][Lanes/width g][width i]
	ByLane bool
	// Chains is as in Kernels.
	Chains []int
	Run    func(*GroupArgs)
}

// Group gives the direct grouped kernel for width channels a group, 4 or 8.
func (k *Kernels) Group(width int) GroupKernel {
	if width == 4 {
		return k.Group4
	}
	return k.Group8
}

// Env is the environment variable that overrides the choice of kernels.
const Env = "RESNEXT_KERNELS"

// ErrKernels is wrapped by errors about a kernel set that is unknown or that this CPU cannot run.
var ErrKernels = errors.New("kernels not available")

// Names lists the sets that this CPU can run, best first; the last is "generic".
func Names() []string {
	var names []string
	for _, k := range available() {
		names = append(names, k.Name)
	}
	return names
}

// Select returns the named set. "" and "auto" mean the one named by the environment variable
// RESNEXT_KERNELS or, without it, the best that passes its known-answer check; a set that fails it is
// passed over and named in warning. A set asked for by name must exist and pass, or Select fails.
func Select(name string) (k *Kernels, warning string, err error) {
	source := ""
	if name == "" || name == "auto" {
		name, source = os.Getenv(Env), Env+"="
	}
	if name == "" || name == "auto" {
		var failed []string
		for _, k := range available() {
			if err := Check(k); err != nil {
				failed = append(failed, err.Error())
				continue
			}
			return k, strings.Join(failed, "; "), nil
		}
		return generic, strings.Join(failed, "; "), nil
	}
	for _, k := range available() {
		if k.Name == name {
			return k, "", Check(k)
		}
	}
	return nil, "", fmt.Errorf("%w: %s%s: this CPU runs %s", ErrKernels, source, name, strings.Join(Names(), ", "))
}

// Known lists all sets of this architecture, best first, whether this CPU can run them or not.
func Known() []string {
	var names []string
	for _, k := range append(archKernels(), generic) {
		names = append(names, k.Name)
	}
	return names
}

// available lists the sets that this CPU can run, best first.
var available = sync.OnceValue(func() []*Kernels {
	var sets []*Kernels
	for _, k := range append(archKernels(), generic) {
		if k.runs {
			sets = append(sets, k)
		}
	}
	return sets
})
