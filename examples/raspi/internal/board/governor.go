package board

import (
	"math"
	"sync"
	"time"
)

const (
	// minDuty is the smallest share of the time that a hot board computes: it still answers.
	minDuty = 0.1
	// hysteresis is how far below the limit a board must cool before it is trusted with more, in degrees.
	hysteresis = 3.0
	// slowing is how much of its share a board loses in a second for each degree above the limit, and slowingMost the
	// bound; recovery is the share that it gets back in a second.
	slowing, slowingMost = 0.05, 0.25
	recovery             = 0.02
	// assumedExcess is how far above the limit a board is taken to be that throttles itself, in degrees.
	assumedExcess = 2.0
)

// Governor decides what share of the time the network may compute, so that a board without a fan stays below a
// temperature instead of being throttled in jerks by its firmware. It is an integrating controller: above the limit the
// share shrinks each second, by more the hotter it is; well below it grows again; between it stays. Safe for concurrent
// use.
type Governor struct {
	hot float64

	mu   sync.Mutex
	duty float64
	last time.Time
}

// NewGovernor makes a governor that holds the temperature below hot degrees Celsius; +Inf is no limit.
func NewGovernor(hot float64) *Governor { return &Governor{hot: hot, duty: 1} }

// Observe takes a new state of the board, about once a second.
func (g *Governor) Observe(s State, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	seconds := 1.0
	if !g.last.IsZero() {
		seconds = min(max(now.Sub(g.last).Seconds(), 0), 5) // a computer that slept has cooled
	}
	g.last = now
	excess := math.Inf(-1) // unknown is not hot
	if s.TemperatureC != nil {
		excess = *s.TemperatureC - g.hot
	}
	if s.Throttled && !math.IsInf(g.hot, 1) {
		excess = max(excess, assumedExcess)
	}
	switch {
	case excess > 0:
		g.duty *= math.Pow(1-min(excess*slowing, slowingMost), seconds)
		g.duty = max(g.duty, minDuty)
	case excess < -hysteresis:
		g.duty = min(g.duty+recovery*seconds, 1)
	}
}

// Duty is the share of the time that the network may compute, above 0 and at most 1.
func (g *Governor) Duty() float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.duty
}

// Slowed reports whether the program is held back.
func (g *Governor) Slowed() bool { return g.Duty() < 0.995 }

// Rest is how long to pause after computing for the time busy.
func (g *Governor) Rest(busy time.Duration) time.Duration {
	return time.Duration(float64(busy) * (1/g.Duty() - 1))
}
