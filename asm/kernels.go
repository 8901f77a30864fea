// Package asm holds the micro-kernels: hand-written assembly per instruction set, the pure Go kernel that
// each must equal to the bit, and the table that picks a set for the CPU it runs on.
//
// It knows nothing of networks or tensors. A kernel gets pointers, steps and counts in an argument struct,
// reads and writes only what they name, keeps no state and may run on any number of threads.
//
// Arithmetic: products of 8-bit integers are summed exactly in int32, converted to float32, multiplied,
// optionally added to the residual's product, rounded to nearest even and clamped; no fused multiply-add.
// Every set gives the same bytes.
//
// The package serves package int8 and the benchmarks. It is no interface, and may change at any time.
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
	// runs reports whether this CPU has the instructions.
	runs bool
	// InputFlip is xored onto every unsigned 8-bit activation in memory: 0, or 0x80 where the multiplier
	// wants signed bytes, which then hold q-128. Signed activations (Epilogue Signed) are always held as
	// they are.
	InputFlip byte
	// NR lists the panel widths of IGEMM, in output channels, descending; the last is 8 or 4. MR lists the tile
	// heights that go with them: a kernel computes MR[i] pixels by NR[i] channels at once, and works below its
	// speed on what is left of a call.
	NR, MR []int
	// KR is how many consecutive k of a channel lie side by side in a panel.
	KR int
	// Depths lists, ascending, the acc16 depths in steps of Lanes that the kernels can use when they are
	// proved; each is a multiple of the one before. It is empty where int16 sums need no proof.
	Depths []int
	Lanes  Acc16Lanes
	IGEMM  func(*IGEMMArgs)
	Group4 GroupKernel
	Group8 GroupKernel

	MaxPool     func(*PoolArgs)
	AveragePool func(*PoolArgs)
	Blur        func(*BlurArgs)
	Sum         func(*SumArgs)
	Linear      func(*LinearArgs)
	Scale       func(*ScaleArgs)
}

// Acc16Lanes are the int16 lanes in which a set sums up a chain of an output channel's products before they go to int32:
// Count lanes take turns, each for Width consecutive k. A chain is a number of steps, in each of which every
// lane gets two products; k is the channel's order in the packed weights. A chain begins anew at each tap, unless
// AcrossTaps is set and a tap is whole steps.
type Acc16Lanes struct {
	Count, Width int
	AcrossTaps   bool
}

// Quads are the lanes of VPMADDUBSW: of four consecutive k two meet in one lane, two in the other.
var Quads = Acc16Lanes{Count: 2, Width: 2}

// ProductsPerStep is how many products a step adds to each lane.
const ProductsPerStep = 2

// Step is the number of consecutive k per accumulation step.
func (l Acc16Lanes) Step() int { return 2 * l.Count }

// Runs is the number of equal runs of products, in which chains lie one after the other, of taps of k products each.
func (l Acc16Lanes) Runs(taps, k int) int {
	if l.AcrossTaps && k%l.Step() == 0 {
		return 1
	}
	return taps
}

// Of is the lane of the chain's k-th product.
func (l Acc16Lanes) Of(k int) int { return k / l.Width % l.Count }

// GroupKernel is a direct grouped 3x3 kernel.
type GroupKernel struct {
	// Channels is the number of output channels (and input channels: whole groups) of a panel.
	Channels int
	// Order is the order of a panel's weights.
	Order GroupOrder
	// Depths is as in Kernels.
	Depths []int
	Run    func(*GroupArgs)
}

// GroupOrder is an order of a panel's weights. With width channels a group, output channel c = g*width+o and input
// channel i of the group:
type GroupOrder int

const (
	// ByQuad is [9 taps][width/4 quads][Channels c][4 i].
	ByQuad GroupOrder = iota
	// ByOutput is [9 taps][width o][Channels/width g][width i].
	ByOutput
)

// Group returns the direct grouped kernel for width channels a group, 4 or 8.
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

// Available lists the sets that this CPU can run, best first; the last is "generic".
func Available() []string { return namesOf(available()) }

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
	return nil, "", fmt.Errorf("%w: %s%s: this CPU runs %s", ErrKernels, source, name, strings.Join(Available(), ", "))
}

// All lists the sets of this architecture, best first, whether this CPU can run them or not.
func All() []string { return namesOf(append(archKernels(), generic)) }

func namesOf(sets []*Kernels) []string {
	var names []string
	for _, k := range sets {
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

// Features lists the features of this CPU that decide which sets it can run, as Linux names them in /proc/cpuinfo;
// empty where there is no assembly for the architecture.
func Features() []string { return archFeatures() }
