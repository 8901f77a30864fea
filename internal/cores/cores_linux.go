package cores

import (
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// bound returns the number of CPUs that the calling thread may run on.
func bound() int {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil || set.Count() == 0 {
		return math.MaxInt
	}
	return set.Count()
}

func granted() int { return grantedBy(os.DirFS("/")) }
