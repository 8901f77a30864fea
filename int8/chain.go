package int8

import "slices"

// LaneLimit is how large the weights of one sign that meet in an int16 lane may sum up to: activations go
// to 255, and 255*128 = 32640 is the last multiple below 2^15. Then neither the saturating pair sum of
// VPMADDUBSW nor the wrapping sum of VPADDW can differ from the true sum, in any order, for any input.
const LaneLimit = 128

// Chain returns the longest of the chain lengths (ascending, in quads, each a multiple of the one before) that the weights of one output
// channel prove safe, or 0. w holds the channel's weights as the kernel meets them: taps runs of equal
// length, a multiple of 4. A chain is that many consecutive quads and begins anew at each run. A quad's
// bytes 0 and 1 meet in one lane, 2 and 3 in another.
func Chain(w []int8, taps int, lengths []int) int {
	// Longest first: a safe chain is made of safe shorter ones.
	for _, n := range slices.Backward(lengths) {
		if chainSafe(w, taps, n) {
			return n
		}
	}
	return 0
}

func chainSafe(w []int8, taps, quads int) bool {
	run := len(w) / taps
	for t := range taps {
		tap := w[t*run : (t+1)*run]
		for at := 0; at < len(tap); at += 4 * quads {
			if !lanesSafe(tap[at:min(at+4*quads, len(tap))]) {
				return false
			}
		}
	}
	return true
}

// lanesSafe checks both lanes of one chain. It has no branches, which for weights would be guesses: millions of
// them are checked whenever a model is opened.
func lanesSafe(chain []int8) bool {
	var positive, negative [2]int
	for i := 0; i+4 <= len(chain); i += 4 {
		quad := chain[i : i+4 : i+4]
		for j, w := range quad {
			v := int(w)
			sign := v >> 63 // all ones below zero
			positive[j/2] += v &^ sign
			negative[j/2] -= v & sign
		}
	}
	return max(positive[0], positive[1], negative[0], negative[1]) <= LaneLimit
}

// Lanes tells which weights of an output channel meet in an int16 lane, so that calibration can make chains
// of that many quads provable: for each weight, [Kernel][Kernel][in/Groups], its lane's number, and how many
// lanes there are. A direct grouped convolution always chains a whole row of its window.
func (s ConvSpec) Lanes(quads int) (lane []int, lanes int) {
	taps, k := s.taps()
	run := 4 * quads
	if s.direct() {
		run = 3 * k
	}
	perTap := (k + run - 1) / run
	if s.direct() { // chains cross taps
		taps, perTap, k = 1, 3, 9*k
	}
	for _, at := range s.order(s.taps()) {
		chain := at/k*perTap + at%k/run
		lane = append(lane, 2*chain+at%4/2)
	}
	return lane, 2 * taps * perTap
}
