package images

import (
	"math/bits"
	"math/rand/v2"
	"slices"
)

// Sample chooses n images of the set and returns their indices in ascending
// order. It depends on n, the seed and the labels alone, not on the machine.
// If n is below 1 or not below Len, all images are chosen.
//
// The choice is spread evenly: each label (and the images without one, taken
// together) gets the same number of images, give or take one, or all it has if
// that is less, in which case the others share the rest. Within a label the
// images are divided in name order into as many equal runs as are to be chosen,
// and one is drawn from each run, so that files that follow each other, as the
// frames of a video do, are not chosen together.
func (s *Set) Sample(n int, seed uint64) []int {
	if n < 1 || n >= s.Len() {
		all := make([]int, s.Len())
		for i := range all {
			all[i] = i
		}
		return all
	}
	random := rand.NewPCG(seed, 0)
	groups := s.byLabel()
	quotas := share(groups, n, random)
	chosen := make([]int, 0, n)
	for g, files := range groups {
		q := quotas[g]
		for k := range q {
			lo, hi := run(len(files), q, k), run(len(files), q, k+1)
			chosen = append(chosen, files[lo+below(random, hi-lo)])
		}
	}
	slices.Sort(chosen)
	return chosen
}

// byLabel returns the indices of each class's images, in the order of the
// classes; first come those of none.
func (s *Set) byLabel() [][]int {
	counts := make([]int, len(s.labels)+1)
	for i := range s.Len() {
		g := s.class(i) - Unlabelled
		for g >= len(counts) { // the classes of IDX files have no names
			counts = append(counts, 0)
		}
		counts[g]++
	}
	groups := make([][]int, len(counts))
	for g, n := range counts {
		groups[g] = make([]int, 0, n)
	}
	for i := range s.Len() {
		g := s.class(i) - Unlabelled
		groups[g] = append(groups[g], i)
	}
	return groups
}

// class is the class of image i, without its name.
func (s *Set) class(i int) int {
	switch {
	case s.idx == nil:
		return s.entries[i].Class
	case s.idxClasses != nil:
		return int(s.idxClasses[i])
	}
	return Unlabelled
}

// share divides n images evenly over the groups, none of which gets more than
// it has; together they have more than n. The order in which the groups get the
// images that cannot be divided is drawn.
func share(groups [][]int, n int, random *rand.PCG) []int {
	order := make([]int, len(groups))
	for i := range order { // the inside-out shuffle
		j := below(random, i+1)
		order[i] = order[j]
		order[j] = i
	}
	quotas := make([]int, len(groups))
	for n > 0 {
		order = slices.DeleteFunc(order, func(g int) bool { return quotas[g] == len(groups[g]) })
		each := max(n/len(order), 1)
		for _, g := range order {
			take := min(each, len(groups[g])-quotas[g], n)
			quotas[g] += take
			n -= take
		}
	}
	return quotas
}

// run returns where run k begins if n files are divided into q runs.
func run(n, q, k int) int {
	hi, lo := bits.Mul64(uint64(n), uint64(k))
	at, _ := bits.Div64(hi, lo, uint64(q))
	return int(at)
}

// below draws a number in [0, n).
func below(random *rand.PCG, n int) int {
	hi, _ := bits.Mul64(random.Uint64(), uint64(n))
	return int(hi)
}
