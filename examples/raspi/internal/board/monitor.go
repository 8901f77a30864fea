package board

import (
	"context"
	"sync/atomic"
	"time"
)

// Monitor reads the board's state once a second, apart from the work.
type Monitor struct {
	reader   *Reader
	governor *Governor
	state    atomic.Pointer[State]
}

// NewMonitor makes a monitor that tells the governor.
func NewMonitor(r *Reader, g *Governor) *Monitor {
	m := &Monitor{reader: r, governor: g}
	m.state.Store(&State{})
	return m
}

// State is the last state read. The caller must not change it.
func (m *Monitor) State() State { return *m.state.Load() }

// Run reads until ctx ends.
func (m *Monitor) Run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		s := m.reader.Read(ctx)
		m.state.Store(&s)
		m.governor.Observe(s, time.Now())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
