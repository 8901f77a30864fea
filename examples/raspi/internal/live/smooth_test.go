package live

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// logitsOf gives logits whose softmax is p.
func logitsOf(p ...float64) []float32 {
	l := make([]float32, len(p))
	for i, v := range p {
		l[i] = float32(math.Log(v))
	}
	return l
}

func TestSmootherMean(t *testing.T) {
	at := time.Unix(1e9, 0)
	for _, rate := range []int{5, 50} { // the mean must not depend on the rate
		s := NewSmoother(500 * time.Millisecond)
		mean, shown := s.Add(logitsOf(0.9, 0.1), at)
		require.InDelta(t, 0.9, mean[0], 1e-6)
		require.Equal(t, 0, shown)
		step := time.Second / time.Duration(rate)
		for i := 1; i <= rate; i++ { // a second of the opposite: two time constants
			mean, _ = s.Add(logitsOf(0.1, 0.9), at.Add(time.Duration(i)*step))
		}
		require.InDelta(t, 0.1+0.8*math.Exp(-2), mean[0], 1e-6)
		require.InDelta(t, 1, mean[0]+mean[1], 1e-9)
	}
	s := NewSmoother(0)
	s.Add(logitsOf(0.9, 0.1), at)
	mean, shown := s.Add(logitsOf(0.2, 0.8), at)
	require.InDelta(t, 0.2, mean[0], 1e-6)
	require.Equal(t, 1, shown)

	// A pause leaves nothing of the past, and a clock that goes back does no harm.
	s = NewSmoother(time.Second)
	s.Add(logitsOf(0.9, 0.1), at)
	mean, _ = s.Add(logitsOf(0.3, 0.7), at.Add(time.Hour))
	require.InDelta(t, 0.3, mean[0], 1e-6)
	mean, _ = s.Add(logitsOf(0.9, 0.1), at)
	require.InDelta(t, 0.3, mean[0], 1e-6)
}

func TestSmootherHoldsTheShownClass(t *testing.T) {
	at := time.Unix(1e9, 0)
	s := NewSmoother(time.Millisecond) // short: the mean is the last frame
	show := func(after time.Duration, p ...float64) int {
		at = at.Add(after)
		_, shown := s.Add(logitsOf(p...), at)
		return shown
	}
	tick := 100 * time.Millisecond
	require.Equal(t, 1, show(0, 0.2, 0.5, 0.3))
	for range 20 { // neither stays ahead for a second
		require.Equal(t, 1, show(tick, 0.48, 0.42, 0.1))
		require.Equal(t, 1, show(tick, 0.44, 0.46, 0.1))
	}
	require.Equal(t, 0, show(tick, 0.56, 0.44, 0.001), "clearly ahead")
	for range 10 {
		require.Equal(t, 0, show(tick, 0.45, 0.5, 0.05))
	}
	require.Equal(t, 1, show(tick, 0.45, 0.5, 0.05), "a little ahead for a second")
}

// TestLabelsDoNotCompete: of a multi-label network two labels may be as good as certain.
func TestLabelsDoNotCompete(t *testing.T) {
	s := NewSmoother(0)
	s.MultiLabel = true
	mean, shown := s.Add([]float32{-2, 4, 3, -1000}, time.Unix(1e9, 0))
	require.InDeltaSlice(t, []float64{0.119203, 0.982014, 0.952574, 0}, mean, 1e-6)
	require.Equal(t, 1, shown)
}

func TestSoftmaxAndBest(t *testing.T) {
	p := softmax([]float32{1000, 1000, -1000, 1000})
	require.InDelta(t, 1.0/3, p[0], 1e-12)
	require.Zero(t, p[2])
	label := func(c int) string { return fmt.Sprint("c", c) }
	require.Equal(t, []Guess{{0, "c0", p[0]}, {1, "c1", p[1]}}, best(p, 2, label))
	require.Len(t, best(p, 9, label), 4)
	require.Equal(t, 2, best(p, 9, label)[3].Class)
}
