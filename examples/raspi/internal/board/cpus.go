package board

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxCPU bounds the numbers that ParseCPUs takes, as the kernel's own set does.
const maxCPU = 1023

// ParseCPUs reads a list of CPU numbers such as "2,3" or "1-3", as taskset takes it.
func ParseCPUs(list string) ([]int, error) {
	var cpus []int
	for _, part := range strings.Split(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, err1 := strconv.Atoi(first)
		b, err2 := strconv.Atoi(last)
		if err1 != nil || err2 != nil || a < 0 || b < a || b > maxCPU {
			return nil, fmt.Errorf("%q is no list of CPUs, expected such as 2,3 or 1-3", list)
		}
		for n := a; n <= b; n++ {
			cpus = append(cpus, n)
		}
	}
	slices.Sort(cpus)
	return slices.Compact(cpus), nil
}

// DefaultThreads is how many of the machine's cores a network should use beside a camera: all of up to three, all but one
// of more. The threads of one inference wait for each other after each layer, so that a core which the camera's program
// and the decoding of its pictures take away now and then would hold up all the others.
func DefaultThreads(cores int) int {
	if cores >= 4 {
		return cores - 1
	}
	return max(cores, 1)
}
