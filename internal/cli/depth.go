package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// DepthShares says which shares (0 to 1) of some work have which acc16 depth, the largest first: "8 for 86%, none
// for 14%". Depth 0 is none.
func DepthShares(shares map[int]float64) string {
	var parts []string
	for _, depth := range slices.Backward(slices.Sorted(maps.Keys(shares))) {
		name := "none"
		if depth > 0 {
			name = fmt.Sprint(depth)
		}
		parts = append(parts, fmt.Sprintf("%s for %.0f%%", name, 100*shares[depth]))
	}
	return strings.Join(parts, ", ")
}
