package images

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// setOf returns a set with so many images of each label; the label "" first.
func setOf(counts ...int) *Set {
	s := &Set{}
	for l, n := range counts {
		for i := range n {
			name := fmt.Sprintf("%03d.png", i)
			if l > 0 {
				name = fmt.Sprintf("%02d/%s", l, name)
			}
			s.entries = append(s.entries, entry{Item: Item{Name: name}})
		}
	}
	s.collectLabels()
	return s
}

// perLabel counts the chosen images of each label.
func perLabel(s *Set, chosen []int, labels int) []int {
	counts := make([]int, labels)
	for _, i := range chosen {
		var l int
		_, _ = fmt.Sscanf(s.Item(i).Label, "%d", &l)
		counts[l]++
	}
	return counts
}

func TestSampleTakesAll(t *testing.T) {
	s := setOf(2, 3)
	for _, n := range []int{-1, 0, 5, 6, 1 << 30} {
		require.Equal(t, []int{0, 1, 2, 3, 4}, s.Sample(n, 9))
	}
}

func TestSampleIsSpreadOverLabels(t *testing.T) {
	for _, c := range []struct {
		counts []int
		n      int
		want   []int // sorted
	}{
		{[]int{0, 50, 50, 50}, 30, []int{0, 10, 10, 10}},
		{[]int{0, 50, 50, 50}, 31, []int{0, 10, 10, 11}},
		{[]int{0, 2, 50, 50}, 32, []int{0, 2, 15, 15}},
		{[]int{0, 1, 1, 1, 100}, 50, []int{0, 1, 1, 1, 47}},
		{[]int{10, 10, 10}, 4, []int{1, 1, 2}},
		{[]int{100}, 7, []int{7}},
		{[]int{0, 3, 3, 3, 3, 3}, 2, []int{0, 0, 0, 0, 1, 1}},
		{[]int{0, 3, 3, 3, 3, 3}, 14, []int{0, 2, 3, 3, 3, 3}},
		{[]int{0, 1, 5, 9}, 14, []int{0, 1, 5, 8}},
	} {
		s := setOf(c.counts...)
		for seed := range uint64(20) {
			chosen := s.Sample(c.n, seed)
			require.Len(t, chosen, c.n)
			require.True(t, slices.IsSorted(chosen))
			require.Len(t, slices.Compact(slices.Clone(chosen)), c.n, "no image twice")
			require.Equal(t, chosen, s.Sample(c.n, seed), "deterministic")
			got := perLabel(s, chosen, len(c.counts))
			slices.Sort(got)
			require.Equal(t, c.want, got, "%v, %d images", c.counts, c.n)
		}
	}
}

// Each of the q equal runs of a label gives one image; over the seeds every
// image is chosen, and so is every label when there are fewer images than
// labels.
func TestSampleIsSpreadOverFiles(t *testing.T) {
	s := setOf(0, 100)
	seen := map[int]bool{}
	for seed := range uint64(300) {
		for k, i := range s.Sample(10, seed) {
			require.Equal(t, k, i/10)
			seen[i] = true
		}
	}
	require.Len(t, seen, 100)

	few, labels := setOf(0, 2, 2, 2, 2), map[string]bool{}
	for seed := range uint64(50) {
		labels[few.Item(few.Sample(1, seed)[0]).Label] = true
	}
	require.Len(t, labels, 4)
}

// A choice once published stays the same.
func TestSampleIsFixed(t *testing.T) {
	require.Equal(t, []int{3, 7, 13, 16, 19, 22, 28, 31}, setOf(0, 10, 12, 14).Sample(8, 1))
}

func TestRunsDoNotOverflow(t *testing.T) {
	n := int(^uint(0) >> 1)
	require.Equal(t, n, run(n, n-1, n-1))
	require.Equal(t, 0, run(n, n-1, 0))
}
