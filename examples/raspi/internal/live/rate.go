package live

import (
	"sync"
	"sync/atomic"
	"time"
)

// counter counts in one goroutine and is read in another.
type counter struct{ n atomic.Uint64 }

func (c *counter) add() { c.n.Add(1) }

func (c *counter) value() uint64 { return c.n.Load() }

// rateEvents and rateTime bound what a rate is made of: so many of the last events, none of them older.
const (
	rateEvents = 30
	rateTime   = 10 * time.Second
)

// rate measures how many events there are in a second. Safe for concurrent use.
type rate struct {
	mu    sync.Mutex
	times []time.Time
}

func (r *rate) add(t time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.times) == rateEvents {
		r.times = r.times[:copy(r.times, r.times[1:])]
	}
	r.times = append(r.times, t)
}

// perSecond is the rate at the time now, 0 while it cannot be told.
func (r *rate) perSecond(now time.Time) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.times) > 0 && now.Sub(r.times[0]) > rateTime {
		r.times = r.times[:copy(r.times, r.times[1:])]
	}
	if n := len(r.times); n > 1 {
		if span := r.times[n-1].Sub(r.times[0]).Seconds(); span > 0 {
			return float64(n-1) / span
		}
	}
	return 0
}
