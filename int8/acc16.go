package int8

import (
	"math"
	"slices"

	"github.com/libresnext/libresnext/asm"
)

// LaneLimit is how large the weights of one sign that meet in an int16 lane may sum up to without any input
// that could overflow it: activations go to 255, and 255*128 = 32640 is the last multiple below 2^15. Then neither the
// saturating pair sum of VPMADDUBSW nor the wrapping sum of VPADDW can differ from the true sum, in any order.
const LaneLimit = 128

// Depth returns the largest of the kernel set's acc16 depths, in steps, that the weights of one output channel prove
// safe, or 0. w holds the channel's weights as the kernel meets them: runs of equal length, which is a
// multiple of the lanes' Count*Width. A chain of products that are summed in 16 bits is that many steps of the set's lanes
// long and begins anew at each run.
func Depth(w []int8, runs int, depths []int, k *asm.Kernels) int {
	// Deepest first: a safe chain is made of safe shorter ones.
	for _, n := range slices.Backward(depths) {
		if depthSafe(w, runs, n*k.Lanes.Step(), k) {
			return n
		}
	}
	return 0
}

// depthSafe checks all chains of that many consecutive products.
func depthSafe(w []int8, runs, products int, k *asm.Kernels) bool {
	for run := range slices.Chunk(w, len(w)/runs) {
		for chain := range slices.Chunk(run, products) {
			if !lanesSafe(chain, k.Lanes, k.InputFlip) {
				return false
			}
		}
	}
	return true
}

// lanesSafe checks every lane of one chain.
func lanesSafe(chain []int8, lanes asm.Acc16Lanes, flip byte) bool {
	low := -int(flip) // of what an activation is held as
	high := 255 + low
	for lane := range lanes.Count {
		var positive, negative int
		for at := lane * lanes.Width; at < len(chain); at += lanes.Count * lanes.Width {
			for _, v := range chain[at : at+lanes.Width] {
				if v > 0 {
					positive += int(v)
				} else {
					negative += int(v)
				}
			}
		}
		if high*positive+low*negative > math.MaxInt16 || low*positive+high*negative < math.MinInt16 {
			return false
		}
	}
	return true
}

// Lanes returns which weights of an output channel meet in an int16 lane at an acc16 depth of so many products (2, 4 or
// 8), so that calibration can make it provable: for each weight, [Kernel][Kernel][in/Groups], its lane's number, and how
// many lanes there are. A direct grouped convolution always sums a whole row of its window.
func (s ConvSpec) Lanes(depth int) (lane []int, lanes int) {
	taps, k := s.taps()
	run := 2 * depth // two lanes take turns
	if s.direct() {
		run = 3 * k
	}
	perTap := (k + run - 1) / run
	if s.direct() { // chains cross taps
		taps, perTap, k = 1, 3, 9*k
	}
	for _, at := range s.order(s.taps()) {
		chain := at/k*perTap + at%k/run
		lane = append(lane, 2*chain+asm.Quads.Of(at))
	}
	return lane, 2 * taps * perTap
}
