package observe

import (
	"errors"
	"fmt"
	"math"
)

// SmallestNormal is float32's least normal number. A multiplier below it would take part only if
// subnormal numbers are not flushed to zero, and nothing it can make is nearer to 1 step than to 0.
const SmallestNormal = 0x1p-126

// ErrNotFinite is wrapped by errors about a float network that has or computes infinities or NaNs.
var ErrNotFinite = errors.New("infinite or NaN")

// NotFinite is the error for a layer whose output is not finite.
func NotFinite(layer string) error {
	return fmt.Errorf("%s: the float network's output is %w: check the checkpoint and the preprocessing",
		layer, ErrNotFinite)
}

// Finite reports whether x is a number and not infinite.
func Finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
