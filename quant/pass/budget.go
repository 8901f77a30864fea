package pass

import "github.com/libresnext/libresnext/resnext/topology"

// imageBytes is about what one image's maps take at most: three bytes for each value that is still needed, and for
// those of the layer under way twice.
func imageBytes(p *topology.Program) int64 {
	uses := p.Uses()
	most := 0
	for i, s := range p.Steps {
		if s.Out == topology.None {
			continue
		}
		n := p.Maps[s.Out].Values()
		for id, u := range uses {
			if u.Writer <= i && u.Last >= i {
				n += p.Maps[id].Values()
			}
		}
		most = max(most, n)
	}
	return 3 * int64(most)
}

// Budget bounds what a pass takes.
type Budget struct {
	// Memory bounds the bytes that the images' maps take; images that do not fit only help to choose ranges.
	Memory int64
	// Samples is how many pixels of each layer are looked at, over all images.
	Samples int
}

// images chooses as many of n as fit the memory, evenly, and alternating between those that Moments.Low knows and the
// others.
func (b Budget) images(program *topology.Program, n int) []int {
	m := min(int64(n), max(1, b.Memory/imageBytes(program)))
	chosen := make([]int, m)
	first := func(i int) int { return int(int64(i) * int64(n) / m) }
	for i := range chosen {
		chosen[i] = first(i)
		if (chosen[i]-i)%2 != 0 && chosen[i]+1 < first(i+1) {
			chosen[i]++
		}
	}
	return chosen
}
