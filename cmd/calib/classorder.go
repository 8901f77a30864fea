package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/libresnext/libresnext/internal/images"
)

// numberedFolder is the name of a folder that begins with a number or is one.
var numberedFolder = regexp.MustCompile(`^([0-9]{1,9})([-_. ].*)?$`)

// unpaddedNumbers returns a warning where folders are numbered without leading zeros, so that the order of their
// names, in which classes are counted, is not that of the numbers: 10 comes before 2. "" if the orders agree, or not
// all folders are numbered.
func unpaddedNumbers(set *images.Set) string {
	var numbers []int
	folders := set.Labels()
	for _, f := range folders {
		m := numberedFolder.FindStringSubmatch(f)
		if m == nil {
			return ""
		}
		n, _ := strconv.Atoi(m[1]) // at most nine digits
		numbers = append(numbers, n)
	}
	sorted := slices.Sorted(slices.Values(numbers))
	for class, n := range numbers {
		if n != sorted[class] {
			return fmt.Sprintf("%s: the folders are numbered, but classes are counted in the order of the names as text: %s is class %d; "+
				"if the network was trained in the order of the numbers, give all of them the same number of digits, as in %0*d",
				set.Path(), folders[class], class, len(strconv.Itoa(sorted[len(sorted)-1])), sorted[class])
		}
	}
	return ""
}
