package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/libresnext/libresnext/internal/images"
)

// numbered is the name of a folder that begins with a number or is one.
var numbered = regexp.MustCompile(`^([0-9]{1,9})([-_. ].*)?$`)

// misnumbered warns of folders whose numbers are not in the order of their names, in which classes are counted:
// 10 comes before 2. "" if the order is the same, or not all are numbered.
func misnumbered(set *images.Set) string {
	var numbers []int
	folders := set.Labels()
	for _, f := range folders {
		m := numbered.FindStringSubmatch(f)
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
